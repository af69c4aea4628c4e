"""Relay and projectors beside `ledger up`, in a process of their own.

Python runs one thing at a time in a process: folding read models there would make every till wait.
The process ends with this one, however that ends, and is started again if it ends by itself.
"""

import asyncio
import os
import signal
import sys
from pathlib import Path

import structlog

from app.embedded.processes import Order, Supervised
from app.running import Part, pause
from app.settings import PREFIX, Settings

ROLES = ("relay", "projector")
LOOK_SECONDS = 0.5
STOP_SECONDS_MAX = 30.0
_COMMAND = "from app.cli import main; main()"

log = structlog.get_logger("process")


def read_side(settings: Settings) -> Part:
    """The part that keeps the process running."""
    stopping = asyncio.Event()

    async def run() -> None:
        running = await asyncio.to_thread(_start, settings)
        try:
            while not stopping.is_set():
                await pause(stopping, LOOK_SECONDS)
                if not stopping.is_set() and not running.alive():
                    log.error("read_side_ended", log=str(running.order.log))
                    running.stop()
                    running = await asyncio.to_thread(_start, settings)
        finally:
            await asyncio.to_thread(running.stop)

    async def stop() -> None:
        stopping.set()

    return Part("relay and projectors", run, stop, STOP_SECONDS_MAX + 10)


def _start(settings: Settings) -> Supervised:
    """Start it as this very program, with the addresses this process has found."""
    folder = settings.data_dir.absolute()
    for each in (folder / "logs", folder / "run"):
        each.mkdir(parents=True, exist_ok=True)
    order = Order(
        name="relay and projectors",
        command=(sys.executable, "-c", _COMMAND, "serve", *ROLES),
        folder=Path.cwd(),
        environment=os.environ | _addresses(settings),
        log=folder / "logs" / "read_side.log",
        stop_signal=signal.SIGTERM,
        stop_seconds_max=STOP_SECONDS_MAX,
    )
    unused = os.open(os.devnull, os.O_RDONLY)
    try:
        return Supervised(order, unused, folder / "run" / "read_side")
    finally:
        os.close(unused)


def _addresses(settings: Settings) -> dict[str, str]:
    assert settings.database_url is not None
    assert settings.kafka_bootstrap_servers is not None
    return {
        f"{PREFIX}DATABASE_URL": settings.database_url.get_secret_value(),
        f"{PREFIX}KAFKA_BOOTSTRAP_SERVERS": settings.kafka_bootstrap_servers,
        f"{PREFIX}DATA_DIR": str(settings.data_dir.absolute()),
        f"{PREFIX}LOG_LEVEL": settings.log_level,
        f"{PREFIX}LOG_FORMAT": settings.log_format,
    }
