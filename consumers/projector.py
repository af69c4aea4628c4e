"""The projector: Kafka → read models, each event exactly once in effect.

Kafka brings the events, once for all read models; how far each has applied them is its own
checkpoint, moved in the transaction that writes its rows. Whatever goes wrong rolls both back,
and its partitions are read from there again, while the other read models go on.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import asyncpg
import structlog
from aiokafka import ConsumerRecord
from aiokafka.errors import KafkaError

from consumers.projector_batch import Batch, read_batch
from consumers.projector_broker import Assignments, subscribe
from consumers.projector_checkpoints import Fenced, Move
from consumers.projector_faults import note_failure
from consumers.projector_follower import Follower
from consumers.projector_partitions import Partitions
from consumers.published_position import AnotherIncarnation
from consumers.raw_records import Limits, Subscription
from consumers.topics import EVENTS_TOPIC
from projections.projection import Projection
from projections.reconcile import MARGIN_EVENTS, reconcile

STOP_SECONDS_MAX = 15.0
"""A broker that is away is not waited for any longer."""

FAILURES_MAX = 20
"""More than so many in a row lengthen no pause."""

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


class Projector:
    """Keeps projections up to date, as one of any number of runners that share partitions."""

    def __init__(
        self,
        projections: Iterable[Projection],
        pool: "asyncpg.Pool[Any]",
        settings: ProjectorSettings,
        published_up_to: PublishedUpTo | None = None,
    ) -> None:
        """With `published_up_to` (the relay's position) lost records are found and repaired."""
        self._pool = pool
        self._settings = settings
        self._published_up_to = published_up_to
        self._followers = [
            Follower(projection, pool, settings.apply_seconds_max) for projection in projections
        ]
        self._partitions = Partitions(
            self._followers, settings.topic, pool, self._failed, self._end
        )
        self._subscription: Subscription | None = None
        self._retries: set[asyncio.Task[None]] = set()
        self._failures = 0
        self._last_error: str | None = None
        self._hinted_at = 0.0
        self._stopping = asyncio.Event()
        self._ended = asyncio.Event()
        """Set when this client's time is over: it failed, or the work is to stop."""
        self._fatal: Exception | None = None
        self._log = structlog.get_logger(__name__)

    @property
    def lag(self) -> int | None:
        """How many records wait for the read model furthest behind; None while that isn't known."""
        return self._partitions.lag

    @property
    def position(self) -> int:
        """The highest position of the log this runner has applied to a read model."""
        return max(follower.position for follower in self._followers)

    @property
    def troubles(self) -> dict[str, str]:
        """Why the last attempts failed, by read model, or under `reading` for all of them."""
        troubles = {"reading": self._last_error} if self._last_error else {}
        return troubles | {
            follower.projection.name: follower.last_error
            for follower in self._followers
            if follower.last_error
        }

    async def run(self) -> None:
        """Work until `stop()`.

        Raises:
            AnotherIncarnation: the topic holds events of another log than this database.
        """
        reconciler = asyncio.create_task(self._reconcile_regularly())
        try:
            while not self._stopping.is_set():
                if await self._started():
                    await self._ended.wait()
                    # A client that failed once is not relied on again.
                    await self._close()
        finally:
            reconciler.cancel()
            await asyncio.gather(reconciler, return_exceptions=True)
            await self._close()
        if self._fatal is not None:
            raise self._fatal

    async def stop(self) -> None:
        """Let `run()` return; what was not applied is read again by the next runner."""
        self._finish()

    async def _started(self) -> bool:
        settings = self._settings
        self._ended.clear()
        assignments = Assignments(self._assigned, self._partitions.revoked)
        self._subscription = subscribe(
            settings.bootstrap_servers,
            settings.topic,
            [follower.projection for follower in self._followers],
            self._handle,
            assignments,
            limits=Limits(settings.batch_records_max, settings.poll_seconds, settings.security),
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
        for retry in self._retries:
            retry.cancel()
        await self._partitions.close()
        if subscription is not None:
            with suppress(KafkaError, OSError, TimeoutError):
                async with asyncio.timeout(STOP_SECONDS_MAX):
                    await subscription.broker.stop()

    async def _handle(self, records: Sequence[ConsumerRecord]) -> None:
        """One batch of Kafka. Never raises: the library would go on with the next one."""
        if self._stopping.is_set():
            return
        try:
            batch = read_batch(self._ours(records), self._partitions.incarnation)
        except AnotherIncarnation as error:
            self._end(error)
            return
        # Before any await: partitions that are looked up again meanwhile move nobody here.
        moving = [(each, moves) for each in self._followers if (moves := each.moves(batch))]
        async with self._partitions.in_hand:
            done = await asyncio.gather(*(self._take(each, batch, moves) for each, moves in moving))
        if all(done):
            self._failures, self._last_error = 0, None
            await self._hint_offsets()

    def _ours(self, records: Sequence[ConsumerRecord]) -> Sequence[ConsumerRecord]:
        """What follows on the checkpoints. Fetched before a seek, or lost meanwhile: left out."""
        expected = self._partitions.next_offsets
        return [r for r in records if r.partition in expected and r.offset >= expected[r.partition]]

    async def _take(self, follower: Follower, batch: Batch, moves: Sequence[Move]) -> bool:
        """Let a follower take its part. One that can't reads again later; the others go on."""
        try:
            await follower.take(batch, moves, self._partitions.checkpoints(follower))
        except Fenced as fenced:
            self._log.warning("projector_fenced", error=str(fenced))
            self._read_again(follower, 0.0)
        except Exception as error:
            follower.last_error = repr(error)
            seconds = self._pause_seconds(follower.failures)
            follower.failures = min(follower.failures + 1, FAILURES_MAX)
            self._log.warning(
                "projector_failed",
                projection=follower.projection.table.name,
                error=follower.last_error,
                retry_seconds=seconds,
            )
            self._read_again(follower, seconds)
            await note_failure(self._pool, follower.projection, follower.last_error)
        else:
            return True
        return False

    def _read_again(self, follower: Follower, seconds: float) -> None:
        """Let a follower go on from its checkpoints after a pause."""
        numbers = follower.leave()
        self._partitions.left(numbers)

        async def after_pause() -> None:
            await asyncio.sleep(seconds)
            self._partitions.read_again(numbers)

        retry = asyncio.create_task(after_pause())
        self._retries.add(retry)
        retry.add_done_callback(self._retries.discard)

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
        settings = self._settings
        done = dict.fromkeys(self._followers, 0)
        while self._published_up_to is not None:
            await asyncio.sleep(settings.reconcile_seconds)
            if self.lag != 0:
                continue
            for follower, after in done.items():
                done[follower] = await self._reconciled(follower, after, self._published_up_to)

    async def _reconciled(
        self, follower: Follower, after: int, published_up_to: PublishedUpTo
    ) -> int:
        """Compare a read model with the log once; up to which position nothing is lacking."""
        name = follower.projection.table.name
        try:
            up_to = await published_up_to() - self._settings.reconcile_margin_events
            repaired = await reconcile(
                self._pool, follower.projection, after_position=after, up_to_position=up_to
            )
        except Exception as error:
            self._log.warning("reconcile_failed", projection=name, error=repr(error))
            return after
        if repaired:
            self._log.error("records_were_lost", projection=name, repaired=repaired)
        # Streams only move forward: what was compared once needs no second look.
        return max(after, up_to)

    async def _failed(self, error: Exception) -> None:
        """Note what keeps all from reading and wait, longer each time, unless to stop."""
        self._last_error = repr(error)
        seconds = self._pause_seconds(self._failures)
        self._failures = min(self._failures + 1, FAILURES_MAX)
        self._log.warning("projector_failed", error=self._last_error, retry_seconds=seconds)
        await note_failure(self._pool, None, self._last_error)
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), seconds)
        if isinstance(error, KafkaError):
            self._ended.set()

    def _pause_seconds(self, failures: int) -> float:
        settings = self._settings
        return float(min(settings.retry_seconds_min * 2**failures, settings.retry_seconds_max))

    def _end(self, error: Exception) -> None:
        self._last_error, self._fatal = repr(error), error
        self._log.error("projector_stopped", error=str(error))
        self._finish()

    def _finish(self) -> None:
        self._stopping.set()
        self._ended.set()
