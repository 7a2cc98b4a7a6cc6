"""Structured logs on standard error: one JSON object a line, never with a person's data in it."""

import logging
import sys
import traceback

import structlog

_NOISY = {"procrastinate": logging.WARNING, "urllib3": logging.WARNING, "apscheduler": logging.WARNING, "alembic": 30}


def configure_logs(level: str, process: str) -> None:
    """Send structlog and the standard library's logging through one renderer; `process` names this process."""
    shared: list[structlog.typing.Processor] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _format_exception,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )

    def named(_logger: object, _method: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
        return {"process": process, **event}

    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                named,
                structlog.processors.JSONRenderer(ensure_ascii=False),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name, at_least in _NOISY.items():
        logging.getLogger(name).setLevel(at_least)


def _format_exception(_logger: object, _method: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """An exception as its types and places in the code. Its words may hold what a customer wrote: they are left out."""
    given = event.pop("exc_info", None)
    if not given:
        return event
    error = given if isinstance(given, BaseException) else given[1] if isinstance(given, tuple) else sys.exc_info()[1]
    chain = []
    while error is not None:
        kind, sqlstate = type(error), getattr(error, "sqlstate", None)
        places = [
            f"{frame.filename}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(error.__traceback__)
        ]
        chain.append("\n  ".join([f"{kind.__module__}.{kind.__qualname__} {sqlstate or ''}".strip(), *places]))
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return {**event, "exception": "\n".join(chain)}


def get_logger(name: str) -> structlog.stdlib.BoundLogger:
    logger: structlog.stdlib.BoundLogger = structlog.get_logger(name)
    return logger
