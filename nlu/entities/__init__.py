"""The entities of a message: found by rules and lexica, values normalised as ``intents.md`` says."""

from nlu.entities.find import Entity, extract

__all__ = ["Entity", "extract"]
