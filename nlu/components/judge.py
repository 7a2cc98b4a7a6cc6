"""Graph component: leaves out entities of a kind that is not meant under the intent of the message."""

# ruff: noqa: ARG003 - the signatures are Rasa's

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.shared.nlu.constants import (
    ENTITIES,
    ENTITY_ATTRIBUTE_END,
    ENTITY_ATTRIBUTE_START,
    ENTITY_ATTRIBUTE_TYPE,
    INTENT,
    INTENT_NAME_KEY,
    INTENT_RANKING_KEY,
    PREDICTED_CONFIDENCE_KEY,
    TEXT,
)
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from nlu.components.classifier import INTENTS
from nlu.entities import extract
from nlu.entities.judge import Judge
from nlu.entities.mentions import ANY_DAY

_FILE = "shares.json"


class EntityJudge(GraphComponent):  # type: ignore[misc]
    """Belongs after the extractor and the classifier."""

    def __init__(self, model_storage: ModelStorage, resource: Resource, judge: Judge | None = None) -> None:
        self._storage = model_storage
        self._resource = resource
        self._judge = judge or Judge({})

    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> EntityJudge:
        """An untrained component: it keeps everything."""
        return cls(model_storage, resource)

    @classmethod
    def load(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
        **kwargs: Any,
    ) -> EntityJudge:
        """The component as trained."""
        with model_storage.read_from(resource) as folder:
            shares = json.loads((Path(folder) / _FILE).read_text(encoding="utf-8"))
        return cls(model_storage, resource, Judge(shares))

    def train(self, training_data: TrainingData) -> Resource:
        """Learn from the annotated examples, and persist."""
        self._judge = Judge.learn(_finds(training_data))
        with self._storage.write_to(self._resource) as folder:
            (Path(folder) / _FILE).write_text(json.dumps(self._judge.shares, indent=1), encoding="utf-8")
        return self._resource

    def process(self, messages: list[Message]) -> list[Message]:
        """Leave out of ``entities`` what is not meant."""
        for message in messages:
            entities = message.get(ENTITIES) or []
            intents = {
                ranked[INTENT_NAME_KEY]: ranked[PREDICTED_CONFIDENCE_KEY]
                for ranked in message.get(INTENTS) or message.get(INTENT_RANKING_KEY) or []
                if ranked[INTENT_NAME_KEY]
            }
            kept = [entity for entity in entities if self._judge.keeps(entity[ENTITY_ATTRIBUTE_TYPE], intents)]
            message.set(ENTITIES, kept, add_to_output=True)
        return messages


def _finds(training_data: TrainingData) -> Iterator[tuple[str, str, bool]]:
    from nlu.learning import two_processes  # noqa: PLC0415 - scikit-learn is for training only

    examples = [(e.get(TEXT) or "", e.get(INTENT), e.get(ENTITIES) or []) for e in training_data.intent_examples]
    with two_processes() as workers:
        for found in workers.map(_found_in, examples, chunksize=200):
            yield from found


def _found_in(example: tuple[str, str, list[dict[str, Any]]]) -> list[tuple[str, str, bool]]:
    text, intent, annotated = example
    found = []
    for entity in extract(text, ANY_DAY):
        touched = any(
            entity.entity == span[ENTITY_ATTRIBUTE_TYPE]
            and span[ENTITY_ATTRIBUTE_START] < entity.end
            and entity.start < span[ENTITY_ATTRIBUTE_END]
            for span in annotated
        )
        found.append((entity.entity, intent, touched))
    return found
