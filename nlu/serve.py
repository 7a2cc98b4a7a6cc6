"""Serves the understanding over HTTP: ``python -m nlu.serve --model PATH [--host H] [--port P]``.

* ``POST /model/parse`` with ``{"text": …, "message_time": ISO 8601 (optional)}`` → Rasa's parse, and the ``model``.
* ``GET /`` → Rasa's greeting; ``GET /status`` → the model's file and id.

A request that cannot be understood as such is answered 400 in Rasa's error shape. Messages are never logged.
"""

import argparse
import json
import os
import signal
import socket
import sys
from pathlib import Path
from typing import Any

from rasa.version import __version__ as rasa_version
from sanic import Sanic
from sanic.exceptions import SanicException
from sanic.request import Request
from sanic.response import HTTPResponse
from threadpoolctl import threadpool_limits

from nlu.engine import Engine
from nlu.entities.moment import moment_of

_LARGEST_BODY = 1_000_000
_NO_TEXT = (
    "No text message defined in request_body. Add text message to request body "
    "in order to obtain the intent and extracted entities."
)


class BadRequest(Exception):
    """A request that this service cannot answer; the message is safe to show."""


def _json(body: dict[str, Any], status: int = 200) -> HTTPResponse:
    return HTTPResponse(json.dumps(body), status=status, content_type="application/json")


def _failure(status: int, reason: str, message: str) -> HTTPResponse:
    body = {
        "version": rasa_version,
        "status": "failure",
        "message": message,
        "reason": reason,
        "details": {},
        "help": None,
    }
    return _json({**body, "code": status}, status)


def create_app(engine: Engine) -> Sanic:
    """The HTTP service of a loaded model."""
    app = Sanic("nlu", configure_logging=False)
    app.config.REQUEST_MAX_SIZE = _LARGEST_BODY
    app.config.ACCESS_LOG = False
    model = engine.archive.name.removesuffix(".tar.gz")

    async def hello(_: Request) -> HTTPResponse:
        return HTTPResponse(f"Hello from Rasa: {rasa_version}", content_type="text/plain; charset=utf-8")

    async def status(_: Request) -> HTTPResponse:
        return _json(
            {"model_file": engine.archive.name, "model_id": engine.metadata.model_id, "num_active_training_jobs": 0}
        )

    async def parse(request: Request) -> HTTPResponse:
        body = _body(request)
        return _json({**engine.parse(body["text"], body["day"]), "model": model})

    async def bad_request(_: Request, error: BadRequest) -> HTTPResponse:
        return _failure(400, "BadRequest", str(error))

    async def refused(_: Request, error: SanicException) -> HTTPResponse:
        return _failure(error.status_code, type(error).__name__, "The request cannot be served.")

    async def failed(request: Request, error: Exception) -> HTTPResponse:
        print(f"nlu: {type(error).__name__} while serving {request.path}", file=sys.stderr, flush=True)
        return _failure(500, "ParsingError", f"An unexpected error occurred: {type(error).__name__}")

    app.add_route(hello, "/")
    app.add_route(status, "/status")
    app.add_route(parse, "/model/parse", methods=["POST"])
    for kind, answer in ((BadRequest, bad_request), (SanicException, refused), (Exception, failed)):
        app.error_handler.add(kind, answer)
    return app


def _body(request: Request) -> dict[str, Any]:
    """The request's ``text`` and the local ``day`` of its message time."""
    try:
        body = json.loads(request.body)
    except (ValueError, RecursionError):
        raise BadRequest(_NO_TEXT) from None
    if not isinstance(body, dict) or not isinstance(body.get("text"), str):
        raise BadRequest(_NO_TEXT)
    try:
        return {"text": body["text"], "day": moment_of(body.get("message_time"))}
    except (ValueError, TypeError, AttributeError, OverflowError):
        raise BadRequest("message_time is not an ISO 8601 time.") from None


def newest_model(path: Path) -> Path:
    """The archive itself, or the one used last in a folder of models.

    Raises:
        FileNotFoundError: when there is none.
    """
    if path.is_file():
        return path
    models = sorted(path.glob("*.tar.gz"), key=lambda model: model.stat().st_mtime)
    if not models:
        raise FileNotFoundError(f"no model in {path}: train one first (python -m nlu.train)")
    return models[-1]


def main(arguments: list[str] | None = None) -> None:
    """The command line; returns only when the process is told to end."""
    parser = argparse.ArgumentParser(prog="nlu.serve", description="Serve the understanding over HTTP.")
    parser.add_argument(
        "--model", type=Path, required=True, help="model archive, or a folder whose newest one is taken"
    )
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=5005, help="0 takes a free port and prints it")
    options = parser.parse_args(arguments)
    try:
        model = newest_model(options.model)
    except FileNotFoundError as missing:
        sys.exit(str(missing))
    for stop in (signal.SIGTERM, signal.SIGINT):
        signal.signal(stop, _end)
    engine = Engine(model)
    threadpool_limits(1)  # more threads only spin between requests: ten times the work of understanding a sentence
    listener = socket.create_server((options.host, options.port), backlog=512)
    print(f"model: {model.name}", flush=True)
    print(f"listening on http://{options.host}:{listener.getsockname()[1]}", flush=True)
    create_app(engine).run(sock=listener, access_log=False, motd=False, register_sys_signals=False, debug=False)


def _end(_signum: int, _frame: Any) -> None:
    """End at once: there is no state to save, and callers retry."""
    os._exit(0)


if __name__ == "__main__":
    main()
