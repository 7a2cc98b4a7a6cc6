"""Graph component: adds the normalised views of a message's text; the text itself stays as sent."""

# ruff: noqa: ARG003 - the signatures are Rasa's

from __future__ import annotations

from typing import Any

from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.shared.nlu.constants import TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from nlu.text.views import Views, normalise

VIEWS = "normalised"


class VietnameseNormaliser(GraphComponent):  # type: ignore[misc]
    """Sets ``normalised`` on each message: ``{"accented": …, "folded": …}`` (see :mod:`nlu.text.views`)."""

    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> VietnameseNormaliser:
        return cls()

    def process(self, messages: list[Message]) -> list[Message]:
        """Add the views to the messages."""
        for message in messages:
            message.set(VIEWS, normalise(message.get(TEXT) or "")._asdict())
        return messages

    def process_training_data(self, training_data: TrainingData) -> TrainingData:
        """Add the views to the training examples."""
        self.process(training_data.training_examples)
        return training_data


def views_of(message: Message) -> Views:
    """The views that the normaliser set, or fresh ones where it is not in the pipeline."""
    views = message.get(VIEWS)
    return Views(**views) if views else normalise(message.get(TEXT) or "")
