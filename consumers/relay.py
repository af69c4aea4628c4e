"""The relay: event store → Kafka. The log is the outbox; a position says how far it is published.

What holds at any time, whatever fails: nothing is skipped, and the first occurrences of a
profile's events stand in the topic in their order. Repeats are possible; consumers drop them.
"""

import asyncio
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import TypeVar
from uuid import UUID

import structlog
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type
from tenacity.wait import wait_exponential_jitter

from consumers.cloudevents import KafkaRecord, to_record
from consumers.partitions import key_of, partition_of
from consumers.producer import EventProducer
from consumers.published_position import (
    AnotherIncarnation,
    CheckpointUnavailable,
    Claimed,
    Fenced,
    PublishedPosition,
)
from ledger.event_store.port import EventStore, EventStoreUnavailable
from schemas.envelope import Recorded

ABANDONED_PRODUCERS_MAX = 4
"""So many may still be stopping; past that a new one waits, for the broker is gone anyway."""

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class RelaySettings:
    """How the records are written, and every bound of the loop."""

    partitions: int
    source: str
    cell: str
    page_events_max: int = 500
    acknowledgement_seconds_max: float = 10.0
    producer_start_seconds_max: float = 10.0
    producer_stop_seconds_max: float = 2.0
    poll_seconds_min: float = 0.005
    poll_seconds_max: float = 0.05
    gather_seconds_max: float = 0.1
    gather_longest_from_events_per_second: float = 1_000.0
    leadership_poll_seconds: float = 0.25
    retry_seconds_min: float = 0.05
    retry_seconds_max: float = 5.0


class PublishFailed(Exception):
    """Kafka did not acknowledge all of a page. What it did take will be repeated."""


class LogIsNotDense(Exception):
    """The store returned a page with a gap. Publishing on would hide events for ever."""


class Relay:
    """Copies the log to the topic as long as it leads; otherwise it waits to take over."""

    def __init__(
        self,
        store: EventStore,
        checkpoint: PublishedPosition,
        producers: Callable[[], EventProducer],
        settings: RelaySettings,
    ) -> None:
        """`producers` makes a fresh producer: one that failed is never used again."""
        self._store = store
        self._checkpoint = checkpoint
        self._producers = producers
        self._settings = settings
        self._producer: EventProducer | None = None
        self._abandoned: set[asyncio.Task[None]] = set()
        self._awake = asyncio.Event()
        self._stopping = asyncio.Event()
        self._stopped = asyncio.Event()
        self._log = structlog.get_logger("relay")
        self.published_position = 0

    def wake(self) -> None:
        """A committer of this process has appended. Call it on the relay's own event loop."""
        self._awake.set()

    async def stop(self) -> None:
        """End `run()` after the page in hand, bounded by the acknowledgement's time limit."""
        self._stopping.set()
        self._awake.set()
        await self._stopped.wait()

    async def run(self) -> None:
        """Lead and publish until `stop()`.

        Raises:
            AnotherIncarnation: the log was replaced; rebuild.
            LogIsNotDense: the store broke its promise.
        """
        self._stopped.clear()
        try:
            while not self._stopping.is_set():
                try:
                    claimed, incarnation = await self._retrying(self._lead, _UNAVAILABLE)
                    await self._relay(claimed, incarnation)
                except _NotLeading:
                    break
                except (Fenced, *_UNAVAILABLE) as error:
                    self._log.warning("relay_lost_leadership", error=str(error))
                    await self._checkpoint.release()
                    await self._pause(self._settings.retry_seconds_min)
        finally:
            await self._checkpoint.release()
            await self._drop_producer()
            await self._forget_abandoned()
            self._stopped.set()

    async def _lead(self) -> tuple[Claimed, UUID]:
        """Wait for the lock, THEN claim: a position read before the lock could be an old one."""
        try:
            while not await self._checkpoint.try_lead():
                if self._stopping.is_set():
                    raise _NotLeading
                await self._pause(self._settings.leadership_poll_seconds)
            incarnation = await self._store.incarnation()
            claimed = await self._checkpoint.claim(incarnation)
        except _UNAVAILABLE:
            await self._checkpoint.release()
            raise
        self.published_position = claimed.position
        self._log.info("relay_leads", epoch=claimed.epoch, published_position=claimed.position)
        return claimed, incarnation

    async def _relay(self, claimed: Claimed, incarnation: UUID) -> None:
        settings = self._settings
        idle_seconds = settings.poll_seconds_min
        read_at = time.monotonic()
        while not self._stopping.is_set():
            # Cleared BEFORE the read: an append after it sets it again and is not overslept.
            self._awake.clear()
            page = await self._read(incarnation)
            if not page:
                woken = await self._idle(idle_seconds)
                idle_seconds = (
                    settings.poll_seconds_min
                    if woken
                    else min(idle_seconds * 2, settings.poll_seconds_max)
                )
                continue
            idle_seconds = settings.poll_seconds_min
            read_before, read_at = read_at, time.monotonic()
            by_partition = self._records(page, incarnation)
            try:
                await self._retrying(partial(self._publish, by_partition), (PublishFailed,))
            except PublishFailed:
                return  # Only when stopping: the next leader repeats this page.
            # Only now, after every acknowledgement, and only while the epoch is still ours.
            await self._checkpoint.move(claimed, page[-1].position)
            self.published_position = page[-1].position
            await self._gather(len(page), read_at - read_before)

    async def _gather(self, events: int, in_seconds: float) -> None:
        """Wait the longer the faster they come: a page costs all behind as much as its events.

        This is where events are gathered for every reader of the topic; readers need not wait
        again. A full page means that more is there already. What something has held up makes a
        large page, but no longer wait.
        """
        settings = self._settings
        if events < settings.page_events_max:
            longest_from = settings.gather_longest_from_events_per_second * in_seconds
            await self._pause(settings.gather_seconds_max * events / max(events, longest_from))

    async def _read(self, incarnation: UUID) -> Sequence[Recorded]:
        after = self.published_position
        page = await self._store.read_log(
            after_position=after, limit=self._settings.page_events_max
        )
        if not page:
            return page
        if (page[0].position, page[-1].position) != (after + 1, after + len(page)):
            raise LogIsNotDense(
                f"after position {after} the store returned {len(page)} events "
                f"from {page[0].position} to {page[-1].position}"
            )
        # Asked AFTER the read: still the same means the page came from the log we know.
        actual = await self._store.incarnation()
        if actual != incarnation:
            raise AnotherIncarnation(
                f"the log's incarnation changed from {incarnation} to {actual}. Rebuild: publish "
                "it from its start to a new topic under a new relay name, then the read models."
            )
        return page

    def _records(self, page: Sequence[Recorded], incarnation: UUID) -> dict[int, list[KafkaRecord]]:
        settings = self._settings
        by_partition: dict[int, list[KafkaRecord]] = defaultdict(list)
        for recorded in page:
            record = to_record(
                recorded, source=settings.source, incarnation=incarnation, cell=settings.cell
            )
            by_partition[partition_of(key_of(recorded), settings.partitions)].append(record)
        return by_partition

    async def _publish(self, by_partition: dict[int, list[KafkaRecord]]) -> None:
        """Publish one page, all partitions at once; on any error the producer is given up."""
        sends: list[asyncio.Task[None]] = []
        try:
            producer = await self._live_producer()
            sends = [
                asyncio.create_task(producer.publish(partition, records))
                for partition, records in by_partition.items()
            ]
            done, pending = await asyncio.wait(
                sends,
                timeout=self._settings.acknowledgement_seconds_max,
                return_when=asyncio.FIRST_EXCEPTION,
            )
            if pending and not any(_failed(task) for task in done):
                raise TimeoutError("no acknowledgement in time")
            for task in done:
                if task.cancelled():
                    raise PublishFailed("the producer cancelled a batch")
                task.result()
        except Exception as error:  # Whatever a client raises, the answer is the same.
            await _cancelled(sends)  # Before the flush: none of them may submit another batch.
            self._log.warning("publish_failed", error=repr(error))
            await self._drop_producer()
            raise PublishFailed(repr(error)) from error
        finally:
            await _cancelled(sends)

    async def _live_producer(self) -> EventProducer:
        if self._producer is None:
            if len(self._abandoned) >= ABANDONED_PRODUCERS_MAX:
                raise PublishFailed("too many producers are still stopping")
            self._producer = self._producers()
            async with asyncio.timeout(self._settings.producer_start_seconds_max):
                await self._producer.start()
        return self._producer

    async def _drop_producer(self) -> None:
        """Stop the producer, but not for long: stopping flushes, and hangs with the broker.

        An abandoned stop goes on by itself, or each dropped producer would leave its sender and
        its connections behind. What it still delivers are repeats (see `KafkaEventProducer`).
        """
        producer, self._producer = self._producer, None
        if producer is None:
            return
        stop = asyncio.create_task(producer.stop())
        self._abandoned.add(stop)
        stop.add_done_callback(self._stop_ended)
        await asyncio.wait({stop}, timeout=self._settings.producer_stop_seconds_max)
        if not stop.done():
            self._log.warning("producer_abandoned", still_stopping=len(self._abandoned))

    def _stop_ended(self, stop: asyncio.Task[None]) -> None:
        self._abandoned.discard(stop)
        if _failed(stop) and not stop.cancelled():
            self._log.warning("producer_stop_failed", error=repr(stop.exception()))

    async def _forget_abandoned(self) -> None:
        await _cancelled(list(self._abandoned))

    async def _retrying(
        self, step: Callable[[], Awaitable[Result]], on: tuple[type[Exception], ...]
    ) -> Result:
        """Repeat a step with growing, bounded pauses until it succeeds or the relay stops.

        A relay never gives up by itself: the log waits, and a server comes back. Each step counts
        its own attempts, so one success resets the pauses.
        """

        def stopping(_state: RetryCallState) -> bool:
            return self._stopping.is_set()

        return await AsyncRetrying(
            retry=retry_if_exception_type(on),
            wait=wait_exponential_jitter(
                multiplier=self._settings.retry_seconds_min,
                max=self._settings.retry_seconds_max,
                jitter=self._settings.retry_seconds_min,
            ),
            stop=stopping,
            sleep=self._pause,
            reraise=True,
        )(step)

    async def _pause(self, seconds: float) -> None:
        """Sleep, unless the relay is to stop."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), seconds)

    async def _idle(self, seconds: float) -> bool:
        """Wait for more events; True when `wake()` ended it."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._awake.wait(), seconds)
            return True
        return False


class _NotLeading(Exception):
    """Stopped while another relay leads."""


_UNAVAILABLE = (CheckpointUnavailable, EventStoreUnavailable)


def _failed(task: "asyncio.Task[None]") -> bool:
    return task.cancelled() or task.exception() is not None


async def _cancelled(tasks: "Sequence[asyncio.Task[None]]") -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
