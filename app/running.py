"""Runs the parts of one process together: all of them, or none of them any more."""

import asyncio
import signal
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass

import structlog

from consumers.published_position import AnotherIncarnation
from consumers.relay import LogIsNotDense
from consumers.topics import TopicRefused
from ledger.event_store.port import EventStoreBroken

log = structlog.get_logger("process")

CANCEL_SECONDS_MAX = 5.0
TOLD_IN_WORDS = (AnotherIncarnation, EventStoreBroken, LogIsNotDense, TopicRefused)


@dataclass(frozen=True)
class Part:
    """Something that runs until it is stopped. Without `stop` it is cancelled instead."""

    name: str
    run: Callable[[], Awaitable[None]]
    stop: Callable[[], Awaitable[None]] | None = None
    stop_seconds_max: float = 20.0


class PartFailed(Exception):
    """A part has ended by itself, and with it the process."""

    def __init__(self, name: str, error: BaseException | None) -> None:
        reason = "it ended without being asked to" if error is None else str(error) or repr(error)
        super().__init__(f"{name} can't go on: {reason}")


async def run_parts(parts: Sequence[Part], stopping: asyncio.Event) -> None:
    """Run until `stopping` is set or a part ends; then stop all, in the order given.

    Raises:
        PartFailed: a part ended by itself.
    """
    tasks = {part.name: asyncio.ensure_future(_run(part)) for part in parts}
    asked = asyncio.create_task(stopping.wait())
    try:
        await asyncio.wait({*tasks.values(), asked}, return_when=asyncio.FIRST_COMPLETED)
        # Looked at before the stopping, after which every part has ended.
        ended = [] if asked.done() else [part for part in parts if tasks[part.name].done()]
        stopping.set()
    finally:
        asked.cancel()
        for part in parts:
            await _stopped(part, tasks[part.name])
    if ended:
        task = tasks[ended[0].name]
        error = None if task.cancelled() else task.exception()
        if error is not None:
            # What is written for an operator needs no traceback; anything else is a fault of ours.
            trace = None if isinstance(error, TOLD_IN_WORDS) else error
            log.error("part_failed", part=ended[0].name, error=repr(error), exc_info=trace)
        raise PartFailed(ended[0].name, error) from error


@contextmanager
def stop_on_signals(stopping: asyncio.Event) -> Iterator[None]:
    """SIGTERM and Ctrl-C ask for an orderly stop; the second Ctrl-C ends at once."""
    loop = asyncio.get_running_loop()

    def ask() -> None:
        stopping.set()
        loop.remove_signal_handler(signal.SIGINT)

    handled = (signal.SIGTERM, signal.SIGINT)
    for number in handled:
        loop.add_signal_handler(number, ask)
    try:
        yield
    finally:
        for number in handled:
            loop.remove_signal_handler(number)


async def pause(stopping: asyncio.Event, seconds: float) -> None:
    """Sleep, unless the process is to stop."""
    with suppress(TimeoutError):
        await asyncio.wait_for(stopping.wait(), seconds)


async def _run(part: Part) -> None:
    await part.run()


async def _stopped(part: Part, task: "asyncio.Future[None]") -> None:
    if part.stop is not None and not task.done():
        try:
            async with asyncio.timeout(part.stop_seconds_max):
                await part.stop()
                await asyncio.wait({task})
        except TimeoutError:
            log.warning("part_stopped_late", part=part.name, seconds_max=part.stop_seconds_max)
        except Exception as error:
            log.warning("part_stop_failed", part=part.name, error=repr(error))
    task.cancel()
    await asyncio.wait({task}, timeout=CANCEL_SECONDS_MAX)
