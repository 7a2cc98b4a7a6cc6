"""The registry that this package's modules put their handlers into."""

from actions.desk import Desk
from bot.dialogue.registry import Registry

registry: Registry[Desk] = Registry()
