"""The partitions of one runner: nothing is taken from one until it stands at our checkpoint."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from typing import Any
from uuid import UUID

import asyncpg
import structlog
from aiokafka import TopicPartition
from aiokafka.errors import KafkaError

from consumers.projector_checkpoints import Checkpoints, Move, log_incarnation
from consumers.published_position import AnotherIncarnation
from projections.projection import Projection

Failed = Callable[[Exception], Awaitable[None]]
End = Callable[[Exception], None]


class Partitions:
    """Which partitions are ours, and the next offset of each as the checkpoint has it."""

    def __init__(
        self,
        projection: Projection,
        topic: str,
        pool: "asyncpg.Pool[Any]",
        failed: Failed,
        end: End,
    ) -> None:
        """`failed` notes an error and waits; `end` stops the runner for good."""
        self._projection = projection
        self._topic = topic
        self._pool = pool
        self._failed = failed
        self._end = end
        self._resuming: dict[int, asyncio.Task[None]] = {}
        self._log = structlog.get_logger(__name__).bind(projection=projection.table.name)
        self.consumer: Any = None
        """The client's consumer, while there is one."""
        self.incarnation: UUID | None = None
        """The log's identity, once known."""
        self.next_offsets: dict[int, int] = {}

    @property
    def checkpoints(self) -> Checkpoints:
        """The checkpoints, once a partition is ours."""
        assert self.incarnation is not None
        return Checkpoints(self._projection, self._topic, self.incarnation)

    @property
    def lag(self) -> int | None:
        """How many records wait; None while that isn't known."""
        if self.consumer is None or self._resuming or not self.next_offsets:
            return None
        lag = 0
        for number, next_offset in self.next_offsets.items():
            end = self.consumer.highwater(self.place(number))
            if end is None:
                return None
            lag += max(0, end - next_offset)
        return lag

    def place(self, number: int) -> TopicPartition:
        """A partition as the client names it."""
        return TopicPartition(self._topic, number)

    def assigned(self, numbers: Iterable[int]) -> None:
        """Pause at once, then seek and resume in a task: a callback's errors are swallowed."""
        for number in sorted(numbers):
            self.revoked([number])
            if self.consumer is None:
                return
            with suppress(KafkaError):
                self.consumer.pause(self.place(number))
            self._resuming[number] = asyncio.create_task(self._resume(number))

    def revoked(self, numbers: Iterable[int]) -> None:
        """Whatever of them is still in hand will be fenced by the checkpoint."""
        for number in numbers:
            self.next_offsets.pop(number, None)
            task = self._resuming.pop(number, None)
            if task is not None:
                task.cancel()

    def advance(self, moves: Iterable[Move]) -> None:
        """The checkpoints were moved; those of partitions lost meanwhile are not ours to note."""
        for move in moves:
            if self.next_offsets.get(move.partition) == move.expected:
                self.next_offsets[move.partition] = move.next_offset

    def seek_back(self, moves: Iterable[Move]) -> None:
        """Read again what was not applied."""
        for move in moves:
            if self.next_offsets.get(move.partition) == move.expected:
                with suppress(KafkaError):
                    self.consumer.seek(self.place(move.partition), move.expected)

    async def close(self) -> None:
        """Forget everything."""
        tasks = list(self._resuming.values())
        self.revoked([*self.next_offsets, *self._resuming])
        await asyncio.gather(*tasks, return_exceptions=True)
        self.consumer = None

    async def _resume(self, number: int) -> None:
        """Read the checkpoint, seek, go on; on any error stay paused and try again."""
        while True:
            try:
                next_offset = await self._checkpoint(number)
                break
            except AnotherIncarnation as error:
                self._end(error)
                return
            except Exception as error:
                await self._failed(error)
        # No await from here on, so no rebalance comes in between.
        with suppress(KafkaError):
            self.consumer.seek(self.place(number), next_offset)
            self.next_offsets[number] = next_offset
            self.consumer.resume(self.place(number))
        self._resuming.pop(number, None)

    async def _checkpoint(self, number: int) -> int:
        place = self.place(number)
        begins = (await self.consumer.beginning_offsets([place]))[place]
        ends = (await self.consumer.end_offsets([place]))[place]
        async with self._pool.acquire() as connection, connection.transaction():
            self._know(await log_incarnation(connection))
            next_offset = (await self.checkpoints.load(connection, [number]))[number]
            if begins <= next_offset <= ends:
                return next_offset
            self._log.warning(
                "checkpoint_outside_topic",
                partition=number,
                next_offset=next_offset,
                begins=begins,
                ends=ends,
            )
            # Safe: what was applied is known by its stream version and skipped.
            await self.checkpoints.reset(connection, number, begins)
            return int(begins)

    def _know(self, incarnation: UUID) -> None:
        if self.incarnation not in (None, incarnation):
            raise AnotherIncarnation(
                f"the log's incarnation changed from {self.incarnation} to {incarnation}. "
                "Publish it to a new topic and rebuild the read models."
            )
        self.incarnation = incarnation
