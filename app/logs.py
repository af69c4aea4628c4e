"""Logs: one event a line on stderr, as JSON for machines or as text for a person."""

import logging
import sys
from typing import Any

import structlog

from app.settings import Settings

QUIET_BELOW_WARNING = ("asyncio", "httpx", "httpcore", "alembic", "uvicorn")
# They report every attempt of every connection as an error of its own. Our parts say once what
# they wait for, and /readyz what does not answer.
QUIET_BELOW_CRITICAL = ("aiokafka", "asyncpg")


def set_up_logs(settings: Settings) -> None:
    """Send our own and the libraries' logs the same way."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    as_json = settings.log_format == "json"
    last: list[Any] = (
        [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
        if as_json
        else [
            # The default one shows local variables, passwords among them.
            structlog.dev.ConsoleRenderer(
                colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
            )
        ]
    )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(settings.log_level),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stderr)
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[*shared, structlog.stdlib.ExtraAdder()],
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
    )
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(settings.log_level.upper())
    for name in QUIET_BELOW_WARNING:
        logging.getLogger(name).setLevel(logging.WARNING)
    for name in QUIET_BELOW_CRITICAL if settings.log_level != "debug" else ():
        logging.getLogger(name).setLevel(logging.CRITICAL)
