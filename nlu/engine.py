"""A loaded model: text in, Rasa's parse out."""

import tempfile
from collections import OrderedDict
from datetime import date
from pathlib import Path
from typing import Any

from rasa.core.channels.channel import UserMessage
from rasa.engine.constants import PLACEHOLDER_MESSAGE
from rasa.engine.loader import load_predict_graph_runner
from rasa.engine.runner.dask import DaskGraphRunner
from rasa.engine.storage.local_model_storage import LocalModelStorage

from nlu.components.extractor import MESSAGE_TIME

LONGEST = 5000


class Engine:
    """A model archive made ready to parse. Not thread-safe: one thread parses.

    Of a text longer than 5,000 characters only the beginning is understood.
    An exact repeat (same text, same local day of the message) is answered from memory.
    """

    def __init__(self, archive: Path, remembered: int = 4096) -> None:
        self.archive = archive
        with tempfile.TemporaryDirectory(prefix="nlu-model-") as unpacked:
            self.metadata, self._runner = load_predict_graph_runner(
                Path(unpacked), archive, LocalModelStorage, DaskGraphRunner
            )
        self._remembered = remembered
        self._answers: OrderedDict[tuple[str, date], dict[str, Any]] = OrderedDict()

    def parse(self, text: str, day: date) -> dict[str, Any]:
        """The parse of a text sent on a local day, in Rasa's shape; do not change the returned object."""
        known = self._answers.get((text, day))
        if known is not None:
            self._answers.move_to_end((text, day))
            return known
        answer = self._parse(text, day)
        self._answers[text, day] = answer
        if len(self._answers) > self._remembered:
            self._answers.popitem(last=False)
        return answer

    def _parse(self, text: str, day: date) -> dict[str, Any]:
        message = UserMessage(text=text[:LONGEST], metadata={MESSAGE_TIME: day.isoformat()})
        target = self.metadata.nlu_target
        parsed = self._runner.run(inputs={PLACEHOLDER_MESSAGE: [message]}, targets=[target])[target][0]
        answer = {"text": "", "intent": {"name": None, "confidence": 0.0}, "entities": []}
        return {**answer, **parsed.as_dict(only_output_properties=True), "text": text}
