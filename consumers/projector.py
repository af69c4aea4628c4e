"""The projector: Kafka → one read model, each event exactly once in effect.

Kafka brings the events; where it stands is our own checkpoint, moved in the transaction that
writes the rows. Whatever goes wrong rolls both back, and the partition is read from there again.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import asyncpg
import structlog
from aiokafka import ConsumerRecord
from aiokafka.errors import KafkaError

from consumers.cloudevents import NotALedgerEvent, Published, from_record
from consumers.projector_broker import Assignments, Subscription, subscribe
from consumers.projector_checkpoints import DeadLetter, Fenced, Move
from consumers.projector_partitions import Partitions
from consumers.published_position import AnotherIncarnation
from consumers.topics import EVENTS_TOPIC
from projections.applying import apply
from projections.projection import Projection
from projections.reconcile import MARGIN_EVENTS, reconcile
from projections.stream_states import without_waiting_for_disk

STOP_SECONDS_MAX = 15.0
"""A broker that is away is not waited for any longer."""

PublishedUpTo = Callable[[], Awaitable[int]]


@dataclass(frozen=True, slots=True)
class ProjectorSettings:
    """Where the events come from, and every bound of the loop."""

    bootstrap_servers: str
    topic: str = EVENTS_TOPIC
    security: Any = None
    batch_records_max: int = 1_000
    poll_seconds: float = 0.05
    apply_seconds_max: float = 60.0
    retry_seconds_min: float = 0.1
    retry_seconds_max: float = 5.0
    commit_seconds: float = 5.0
    reconcile_seconds: float = 60.0
    reconcile_margin_events: int = MARGIN_EVENTS


@dataclass(slots=True)
class _Batch:
    """What one call of Kafka brought, as far as it is ours to apply."""

    moves: list[Move]
    records: list[ConsumerRecord]
    events: list[Published] = field(default_factory=list)
    letters: list[DeadLetter] = field(default_factory=list)

    @property
    def position(self) -> int:
        """The newest event of the log among them."""
        return max((event.position for event in self.events), default=0)


class Projector:
    """Keeps one projection up to date, as one of any number of runners that share partitions."""

    def __init__(
        self,
        projection: Projection,
        pool: "asyncpg.Pool[Any]",
        settings: ProjectorSettings,
        published_up_to: PublishedUpTo | None = None,
    ) -> None:
        """With `published_up_to` (the relay's position) lost records are found and repaired."""
        self._projection = projection
        self._pool = pool
        self._settings = settings
        self._published_up_to = published_up_to
        self._partitions = Partitions(projection, settings.topic, pool, self._failed, self._end)
        self._subscription: Subscription | None = None
        self._failures = 0
        self._hinted_at = 0.0
        self._stopping = asyncio.Event()
        self._fatal: Exception | None = None
        self._log = structlog.get_logger(__name__).bind(projection=projection.table.name)
        self.position = 0
        """The highest position of the log this runner has applied."""
        self.last_error: str | None = None
        """Why the last attempt failed; None once one succeeded."""

    @property
    def lag(self) -> int | None:
        """How many records of this runner's partitions wait; None while that isn't known."""
        return self._partitions.lag

    async def run(self) -> None:
        """Work until `stop()`.

        Raises:
            AnotherIncarnation: the topic holds events of another log than this database.
        """
        reconciler = asyncio.create_task(self._reconcile_regularly())
        try:
            while not self._stopping.is_set():
                if await self._started():
                    await self._stopping.wait()
        finally:
            reconciler.cancel()
            await asyncio.gather(reconciler, return_exceptions=True)
            await self._close()
        if self._fatal is not None:
            raise self._fatal

    async def stop(self) -> None:
        """Let `run()` return; what was not applied is read again by the next runner."""
        self._stopping.set()

    async def _started(self) -> bool:
        settings = self._settings
        assignments = Assignments(self._assigned, self._partitions.revoked)
        self._subscription = subscribe(
            settings.bootstrap_servers,
            settings.topic,
            self._projection,
            self._handle,
            assignments,
            batch_records_max=settings.batch_records_max,
            poll_seconds=settings.poll_seconds,
            security=settings.security,
        )
        try:
            await self._subscription.broker.start()
        except Exception as error:
            await self._close()
            await self._failed(error)
            return False
        return True

    def _assigned(self, numbers: Iterable[int]) -> None:
        # The consumer exists before its first assignment, and only from then on.
        if self._subscription is not None and not self._stopping.is_set():
            self._partitions.consumer = self._subscription.consumer
            self._partitions.assigned(numbers)

    async def _close(self) -> None:
        subscription, self._subscription = self._subscription, None
        await self._partitions.close()
        if subscription is not None:
            with suppress(KafkaError, OSError, TimeoutError):
                async with asyncio.timeout(STOP_SECONDS_MAX):
                    await subscription.broker.stop()

    async def _handle(self, records: Sequence[ConsumerRecord]) -> None:
        """One batch of Kafka. Never raises: the library would go on with the next one."""
        batch = self._ours(records)
        if not batch.moves or self._stopping.is_set():
            return
        try:
            self._read(batch)
            await self._apply(batch)
        except AnotherIncarnation as error:
            self._end(error)
        except Fenced as fenced:
            self._log.warning("projector_fenced", error=str(fenced))
            lost = {move.partition for move in batch.moves}
            self._partitions.assigned(lost & set(self._partitions.next_offsets))
        except Exception as error:
            self._partitions.seek_back(batch.moves)
            await self._failed(error)
        else:
            self._partitions.advance(batch.moves)
            self.position = max(self.position, batch.position)
            self._failures, self.last_error = 0, None
            await self._hint_offsets()

    def _ours(self, records: Sequence[ConsumerRecord]) -> _Batch:
        """What follows on the checkpoints. Fetched before a seek, or lost meanwhile: left out."""
        expected = self._partitions.next_offsets
        ours = [r for r in records if r.partition in expected and r.offset >= expected[r.partition]]
        ends = {record.partition: record.offset + 1 for record in ours}
        return _Batch([Move(number, expected[number], end) for number, end in ends.items()], ours)

    def _read(self, batch: _Batch) -> None:
        for record in batch.records:
            try:
                event = from_record(record.key, record.value, record.headers)
            except NotALedgerEvent as wrong:
                letter = DeadLetter(record.partition, record.offset, str(wrong))
                self._log.error("not_a_ledger_event", **letter._asdict())
                batch.letters.append(letter)
                continue
            if event.incarnation != self._partitions.incarnation:
                raise AnotherIncarnation(
                    f"{event.event_id} at offset {record.offset} of partition {record.partition} "
                    f"is not of the log {self._partitions.incarnation}. Publish this log to a new "
                    "topic."
                )
            batch.events.append(event)

    async def _apply(self, batch: _Batch) -> None:
        checkpoints = self._partitions.checkpoints
        async with (
            asyncio.timeout(self._settings.apply_seconds_max),
            self._pool.acquire() as connection,
            connection.transaction(),
        ):
            await without_waiting_for_disk(connection)
            # First the fence: two runners of one partition queue here, and the zombie ends here.
            await checkpoints.move(connection, batch.moves, batch.position)
            await checkpoints.bury(connection, batch.letters)
            applied = await apply(connection, self._projection, batch.events)
        for stream_id, reason in applied.parked.items():
            self._log.error("stream_parked", stream_id=stream_id, reason=reason)

    async def _hint_offsets(self) -> None:
        """Tell Kafka's own tools where we are, now and then; nothing here relies on it."""
        now = time.monotonic()
        consumer = self._partitions.consumer
        if consumer is None or now - self._hinted_at < self._settings.commit_seconds:
            return
        self._hinted_at = now
        offsets = self._partitions.next_offsets.items()
        with suppress(KafkaError):
            await consumer.commit({self._partitions.place(n): offset for n, offset in offsets})

    async def _reconcile_regularly(self) -> None:
        """Fold what Kafka lost, whenever it has brought all it has."""
        settings, done = self._settings, 0
        while self._published_up_to is not None:
            await asyncio.sleep(settings.reconcile_seconds)
            if self.lag != 0:
                continue
            try:
                up_to = await self._published_up_to() - settings.reconcile_margin_events
                repaired = await reconcile(
                    self._pool, self._projection, after_position=done, up_to_position=up_to
                )
            except Exception as error:
                self._log.warning("reconcile_failed", error=repr(error))
                continue
            # Streams only move forward: what was compared once needs no second look.
            done = max(done, up_to)
            if repaired:
                self._log.error("records_were_lost", repaired=repaired)

    async def _failed(self, error: Exception) -> None:
        """Note it and wait, longer each time, unless the projector stops."""
        self.last_error = repr(error)
        settings = self._settings
        seconds = min(settings.retry_seconds_min * 2**self._failures, settings.retry_seconds_max)
        self._failures = min(self._failures + 1, 20)
        self._log.warning("projector_failed", error=self.last_error, retry_seconds=seconds)
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), seconds)

    def _end(self, error: Exception) -> None:
        self.last_error, self._fatal = repr(error), error
        self._log.error("projector_stopped", error=str(error))
        self._stopping.set()
