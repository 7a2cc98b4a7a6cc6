"""Graph component: the entities of a message, found by rules and the gazetteer, with normalised values."""

# ruff: noqa: ARG003 - the signatures are Rasa's

from __future__ import annotations

from typing import Any

from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.shared.nlu.constants import ENTITIES, TEXT
from rasa.shared.nlu.training_data.message import Message

from nlu.entities import extract
from nlu.entities.mentions import mentions
from nlu.entities.moment import moment_of

MESSAGE_TIME = "message_time"
MENTIONS = "mentions"


class GazetteerEntityExtractor(GraphComponent):  # type: ignore[misc]
    """Adds to ``entities``. Dates and periods count from the message's own time: ``metadata["message_time"]``
    (ISO 8601), or now."""

    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> GazetteerEntityExtractor:
        return cls()

    def process(self, messages: list[Message]) -> list[Message]:
        """Add the entities in Rasa's shape, in the order of the text."""
        for message in messages:
            metadata = message.get("metadata") or {}
            found = extract(message.get(TEXT) or "", moment_of(metadata.get(MESSAGE_TIME)))
            message.set(MENTIONS, mentions(found))
            entities = [{**entity.as_dict(), "extractor": type(self).__name__} for entity in found]
            message.set(ENTITIES, message.get(ENTITIES, []) + entities, add_to_output=True)
        return messages
