"""The partitions of one runner: nothing is taken from one until it stands at our checkpoints."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import suppress
from typing import Any
from uuid import UUID

import asyncpg
import structlog
from aiokafka import TopicPartition
from aiokafka.errors import KafkaError

from consumers.projector_checkpoints import Checkpoints, log_incarnation
from consumers.projector_follower import Follower
from consumers.published_position import AnotherIncarnation

Failed = Callable[[Exception], Awaitable[None]]
End = Callable[[Exception], None]


class Partitions:
    """Which partitions are ours, and where each follower goes on in them."""

    def __init__(
        self,
        followers: Sequence[Follower],
        topic: str,
        pool: "asyncpg.Pool[Any]",
        failed: Failed,
        end: End,
    ) -> None:
        """`failed` notes an error and waits; `end` stops the runner for good."""
        self._followers = followers
        self._topic = topic
        self._pool = pool
        self._failed = failed
        self._end = end
        self._held: set[int] = set()
        self._resuming: dict[int, asyncio.Task[None]] = {}
        self._log = structlog.get_logger(__name__)
        self.consumer: Any = None
        """The client's consumer, while there is one."""
        self.incarnation: UUID | None = None
        """The log's identity, once known."""
        self.in_hand = asyncio.Lock()
        """Held while a batch is applied: checkpoints are looked up before it or after it."""

    def checkpoints(self, follower: Follower) -> Checkpoints:
        """A follower's checkpoints, once a partition is ours."""
        assert self.incarnation is not None
        return Checkpoints(follower.projection, self._topic, self.incarnation)

    @property
    def next_offsets(self) -> dict[int, int]:
        """The next offset of each partition that anybody needs."""
        needed: dict[int, int] = {}
        for follower in self._followers:
            for number, next_offset in follower.next_offsets.items():
                needed[number] = min(next_offset, needed.get(number, next_offset))
        return needed

    @property
    def lag(self) -> int | None:
        """How many records wait for the last follower; None while that isn't known."""
        if self.consumer is None or self._resuming or not self._held:
            return None
        ends = {number: self.consumer.highwater(self.place(number)) for number in self._held}
        most = 0
        for follower in self._followers:
            if None in ends.values() or follower.next_offsets.keys() != self._held:
                return None
            waiting = (ends[number] - at for number, at in follower.next_offsets.items())
            most = max(most, sum(max(0, records) for records in waiting))
        return most

    def place(self, number: int) -> TopicPartition:
        """A partition as the client names it."""
        return TopicPartition(self._topic, number)

    def assigned(self, numbers: Iterable[int]) -> None:
        """Pause at once, then seek and resume in a task: a callback's errors are swallowed."""
        for number in sorted(numbers):
            self.revoked([number])
            if self.consumer is None:
                return
            self._held.add(number)
            with suppress(KafkaError):
                self.consumer.pause(self.place(number))
            self._resuming[number] = asyncio.create_task(self._resume(number))

    def revoked(self, numbers: Iterable[int]) -> None:
        """Whatever of them is still in hand will be fenced by the checkpoint."""
        for number in numbers:
            self._held.discard(number)
            for follower in self._followers:
                follower.next_offsets.pop(number, None)
            task = self._resuming.pop(number, None)
            if task is not None:
                task.cancel()

    def read_again(self, numbers: Iterable[int]) -> None:
        """Go on from the checkpoints, where partitions are still ours."""
        self.assigned(self._held.intersection(numbers))

    def left(self, numbers: Iterable[int]) -> None:
        """A follower reads these no longer: what nobody needs is not fetched meanwhile."""
        for number in self._held.intersection(numbers) - self.next_offsets.keys():
            with suppress(KafkaError):
                self.consumer.pause(self.place(number))

    async def close(self) -> None:
        """Forget everything."""
        tasks = list(self._resuming.values())
        self.revoked(list(self._held))
        await asyncio.gather(*tasks, return_exceptions=True)
        self.consumer = None

    async def _resume(self, number: int) -> None:
        """Read the checkpoints, seek, go on; on any error stay paused and try again."""
        while True:
            try:
                next_offsets = await self._checkpoints(number)
                break
            except AnotherIncarnation as error:
                self._end(error)
                return
            except Exception as error:
                await self._failed(error)
        # No await from here on, so no rebalance comes in between.
        with suppress(KafkaError):
            self.consumer.seek(self.place(number), min(next_offsets))
            for follower, next_offset in zip(self._followers, next_offsets, strict=True):
                follower.next_offsets[number] = next_offset
            self.consumer.resume(self.place(number))
        self._resuming.pop(number, None)

    async def _checkpoints(self, number: int) -> list[int]:
        """Where each follower goes on, within what the topic still holds."""
        place = self.place(number)
        begins = (await self.consumer.beginning_offsets([place]))[place]
        ends = (await self.consumer.end_offsets([place]))[place]
        async with self.in_hand, self._pool.acquire() as connection, connection.transaction():
            self._know(await log_incarnation(connection))
            return [
                await self._checkpoint(connection, follower, number, begins, ends)
                for follower in self._followers
            ]

    async def _checkpoint(
        self, connection: Any, follower: Follower, number: int, begins: int, ends: int
    ) -> int:
        checkpoints = self.checkpoints(follower)
        next_offset = (await checkpoints.load(connection, [number]))[number]
        if begins <= next_offset <= ends:
            return next_offset
        self._log.warning(
            "checkpoint_outside_topic",
            projection=follower.projection.table.name,
            partition=number,
            next_offset=next_offset,
            begins=begins,
            ends=ends,
        )
        # Safe: what was applied is known by its stream version and skipped.
        await checkpoints.reset(connection, number, begins)
        return begins

    def _know(self, incarnation: UUID) -> None:
        if self.incarnation not in (None, incarnation):
            raise AnotherIncarnation(
                f"the log's incarnation changed from {self.incarnation} to {incarnation}. "
                "Publish it to a new topic and rebuild the read models."
            )
        self.incarnation = incarnation
