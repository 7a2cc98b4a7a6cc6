"""Handing photos and files of papers to a service request."""

import base64
import time
from collections.abc import Mapping, Sequence
from typing import Any, Final

from actions.backends.errors import BackendError
from actions.backends.models import Paper, PaperType
from actions.desk import DeskTurn
from actions.paper_fetcher import LARGEST, PaperLost
from bot.logs import get_logger

ALL_SECONDS: Final = 20.0
"""For all papers of a request; those that are left then are told as lost."""
_ENDINGS: Final[Mapping[PaperType, str]] = {
    "image/jpeg": "jpg",
    "image/png": "png",
    "image/webp": "webp",
    "application/pdf": "pdf",
}
log = get_logger(__name__)


def attach(turn: DeskTurn, request_code: str, papers: Sequence[Mapping[str, Any]]) -> int:
    """Hand papers to a request that is filed. Returns how many could not be handed over: the request stays filed."""
    lost, ends = 0, time.monotonic() + ALL_SECONDS
    for number, paper in enumerate(papers, start=1):
        try:
            if time.monotonic() > ends or (paper.get("size") or 0) > LARGEST:
                raise PaperLost("too late or too large")
            content, kind = turn.desk.papers.fetch(paper["url"])
            turn.desk.service.add_paper(
                request_code,
                Paper(
                    name=f"giay-to-{number}.{_ENDINGS[kind]}",
                    content_type=kind,
                    content=base64.b64encode(content).decode(),
                ),
                idempotency_key=turn.idempotency_key(f"paper-{number}"),
            )
        except (PaperLost, BackendError) as error:
            log.warning("paper_lost", error=type(error).__name__, reason=str(error))
            lost += 1
    return lost
