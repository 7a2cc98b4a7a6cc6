"""Graph component: the intent of a message, with a calibrated confidence and the ranking of the others."""

# ruff: noqa: ARG003 - the signatures are Rasa's

from __future__ import annotations

from pathlib import Path
from typing import Any

from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.shared.nlu.constants import INTENT, INTENT_NAME_KEY, INTENT_RANKING_KEY, PREDICTED_CONFIDENCE_KEY, TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from nlu.components.extractor import MENTIONS
from nlu.components.normaliser import views_of
from nlu.entities.mentions import mentions_of, understood
from nlu.linear import LinearModel, ranking
from nlu.requests import Request, requests
from nlu.text.reading import read
from nlu.text.views import LONGEST

INTENTS = "intents"
_FOLDER = "linear"


class LinearIntentClassifier(GraphComponent):  # type: ignore[misc]
    """A linear classifier over words and letters, trained on the examples and their noisy rewritings."""

    def __init__(
        self, config: dict[str, Any], model_storage: ModelStorage, resource: Resource, model: LinearModel | None = None
    ) -> None:
        self._config = config
        self._storage = model_storage
        self._resource = resource
        self._model = model

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        """``recipe``: see :class:`nlu.learning.Recipe`; ``ranking_length``: how many intents are ranked."""
        return {"recipe": {}, "ranking_length": 10}

    @staticmethod
    def required_packages() -> list[str]:
        """What the component needs besides Rasa."""
        return ["numpy"]

    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> LinearIntentClassifier:
        """An untrained component."""
        return cls(config, model_storage, resource)

    @classmethod
    def load(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
        **kwargs: Any,
    ) -> LinearIntentClassifier:
        """The component as trained."""
        with model_storage.read_from(resource) as folder:
            return cls(config, model_storage, resource, LinearModel.load(Path(folder) / _FOLDER))

    def train(self, training_data: TrainingData) -> Resource:
        """Learn from all examples that have an intent, and persist."""
        from nlu.learning import Example, Recipe, learn  # noqa: PLC0415 - scikit-learn is for training only

        examples = [Example(m.get(TEXT), m.get(INTENT)) for m in training_data.intent_examples if m.get(TEXT)]
        self._model = learn(examples, Recipe.of(self._config["recipe"]))
        with self._storage.write_to(self._resource) as folder:
            self._model.save(Path(folder) / _FOLDER)
        return self._resource

    def process(self, messages: list[Message]) -> list[Message]:
        """Set ``intent`` and ``intent_ranking`` in Rasa's shape, and ``intents`` where the message holds two requests:
        each with its ``name``, ``confidence``, ``start`` and ``end``, in the order of handling."""
        for message in messages:
            ranked = self._ranked(message)
            message.set(INTENT, ranked[0], add_to_output=True)
            message.set(INTENT_RANKING_KEY, ranked[: self._config["ranking_length"]], add_to_output=True)
            if ranked[0][INTENT_NAME_KEY] and (several := requests(message.get(TEXT)[:LONGEST], self._guess)):
                message.set(INTENTS, [_as_dict(request) for request in several], add_to_output=True)
        return messages

    def _ranked(self, message: Message) -> list[dict[str, Any]]:
        if self._model is None or not (message.get(TEXT) or "").strip():
            return [{INTENT_NAME_KEY: None, PREDICTED_CONFIDENCE_KEY: 0.0}]
        text, found = message.get(TEXT), message.get(MENTIONS)
        reading = read(text, mentions_of(text) if found is None else found, views_of(message))
        probabilities = self._model.probabilities(reading)
        return [
            {INTENT_NAME_KEY: label, PREDICTED_CONFIDENCE_KEY: probability}
            for label, probability in ranking(self._model.labels, probabilities)
        ]

    def _guess(self, text: str) -> tuple[str, float]:
        assert self._model
        return ranking(self._model.labels, self._model.probabilities(understood(text)))[0]


def _as_dict(request: Request) -> dict[str, Any]:
    return {
        INTENT_NAME_KEY: request.intent,
        PREDICTED_CONFIDENCE_KEY: request.confidence,
        "start": request.start,
        "end": request.end,
    }
