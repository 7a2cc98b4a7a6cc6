"""The notice desk (product.md F26): what staff write, how it is approved, sent and followed."""

from bot.console.desk import approving, export, running, writing
from bot.console.desk.board import pages

__all__ = ["approving", "export", "pages", "running", "writing"]
