"""What happened, told to open pages as it happens (server-sent events), and asked for by those that cannot listen.

One look at the database a second for each process, however many pages are open, and none while nobody listens.
"""

import json
import threading
from collections.abc import Iterator
from contextlib import suppress
from time import monotonic

from flask import Blueprint, Response, current_app, jsonify
from sqlalchemy.exc import SQLAlchemyError

from bot.console.access import EVERY_ROLE, allowed
from bot.store import handovers, threads
from bot.store.database import Database

MOST_STREAMS = 24
"""Pages of one process that listen at a time: each holds a thread. The others ask now and then."""
LOOK_SECONDS = 1.0
QUIET_SECONDS = 15.0
"""Proxies close connections on which nothing comes."""
STREAM_SECONDS = 240.0
"""Then the browser connects anew, and is asked who it is."""

pages = Blueprint("live", __name__, url_prefix="/live")

News = dict[str, int]


class Newsroom:
    """Looks for news while somebody listens."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._changed = threading.Condition()
        self._news: News = {}
        self._listeners = 0
        self._looking = False

    def join(self) -> bool:
        """False when there are as many listeners as there may be."""
        with self._changed:
            if self._listeners >= MOST_STREAMS:
                return False
            self._listeners += 1
            if not self._looking:
                self._looking = True
                threading.Thread(target=self._look, name="newsroom", daemon=True).start()
        return True

    def leave(self) -> None:
        with self._changed:
            self._listeners -= 1

    def after(self, known: News, seconds: float) -> News:
        """News other than what is known, or the same again when there are none for so long."""
        with self._changed:
            self._changed.wait_for(lambda: self._news != known, seconds)
            return self._news

    def now(self) -> News:
        with self._database.begin() as transaction:
            return {"newest": threads.newest_line(transaction), "waiting": handovers.count_waiting(transaction)}

    def _look(self) -> None:
        pause = threading.Event()
        while True:
            news = None
            with suppress(SQLAlchemyError):
                news = self.now()
            with self._changed:
                if self._listeners == 0:
                    self._looking = False
                    return
                if news is not None and news != self._news:
                    self._news = news
                    self._changed.notify_all()
            pause.wait(LOOK_SECONDS)


@pages.get("")
@allowed(*EVERY_ROLE)
def stream() -> Response:
    newsroom = _newsroom()
    if not newsroom.join():
        return Response(status=204)

    def events() -> Iterator[str]:
        known: News = {}
        ends = monotonic() + STREAM_SECONDS
        yield "retry: 3000\n\n"
        while monotonic() < ends:
            news = newsroom.after(known, QUIET_SECONDS)
            yield f"data: {json.dumps(news)}\n\n" if news != known else ": still here\n\n"
            known = news

    answer = Response(events(), mimetype="text/event-stream", headers={"X-Accel-Buffering": "no"})
    answer.call_on_close(newsroom.leave)
    return answer


@pages.get("/now")
@allowed(*EVERY_ROLE)
def now() -> Response:
    return jsonify(_newsroom().now())


def _newsroom() -> Newsroom:
    found: Newsroom = current_app.extensions["newsroom"]
    return found
