"""One projection of a runner: how far it has read, what it takes of a batch, why it failed.

Followers share what Kafka brings and nothing else: each moves its own checkpoints in its own
transaction, so one that fails keeps none of the others from going on.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Protocol, TypeVar

import asyncpg
import structlog

from consumers.projector_batch import Batch
from consumers.projector_checkpoints import Checkpoints, Move
from projections.applying import Applied, ValuesRefused, apply
from projections.projection import Projection


class _Placed(Protocol):
    @property
    def partition(self) -> int: ...
    @property
    def offset(self) -> int: ...


Item = TypeVar("Item", bound=_Placed)


class Follower:
    """Keeps one projection up to date."""

    def __init__(
        self, projection: Projection, pool: "asyncpg.Pool[Any]", apply_seconds_max: float
    ) -> None:
        """`pool` gives a connection for each batch."""
        self.projection = projection
        self._pool = pool
        self._apply_seconds_max = apply_seconds_max
        self._log = structlog.get_logger(__name__).bind(projection=projection.table.name)
        self.next_offsets: dict[int, int] = {}
        """Of the partitions it reads: the next offset, as its checkpoint has it."""
        self.position = 0
        """The highest position of the log it has applied."""
        self.failures = 0
        self.last_error: str | None = None
        """Why its last attempt failed; None once one succeeded."""

    def moves(self, batch: Batch) -> list[Move]:
        """How a batch moves its checkpoints: not at all where it is further already."""
        return [
            Move(number, expected, end)
            for number, end in batch.ends.items()
            if (expected := self.next_offsets.get(number)) is not None and expected < end
        ]

    async def take(self, batch: Batch, moves: Sequence[Move], checkpoints: Checkpoints) -> None:
        """Apply what lies behind its checkpoints and move them, in one transaction.

        Raises:
            Fenced: somebody else moved one of them.
        """
        begins = {move.partition: move.expected for move in moves}
        events = [placed.event for placed in _since(begins, batch.events)]
        letters = _since(begins, batch.letters)
        position = max((event.position for event in events), default=0)

        async def in_one_transaction(connection: Any, *, narrowing: bool) -> Applied:
            async with connection.transaction():
                # First the fence: two runners of one partition queue here, the zombie ends here.
                await checkpoints.move(connection, moves, position)
                await checkpoints.bury(connection, letters)
                return await apply(connection, self.projection, events, narrowing=narrowing)

        async with asyncio.timeout(self._apply_seconds_max), self._pool.acquire() as connection:
            try:
                applied = await in_one_transaction(connection, narrowing=False)
            except ValuesRefused:
                applied = await in_one_transaction(connection, narrowing=True)
        for stream_id, reason in applied.parked.items():
            self._log.error("stream_parked", stream_id=stream_id, reason=reason)
        self._advance(moves)
        self.position = max(self.position, position)
        self.failures, self.last_error = 0, None

    def leave(self) -> set[int]:
        """Take nothing any more until its checkpoints were looked up again; what it read."""
        numbers = set(self.next_offsets)
        self.next_offsets.clear()
        return numbers

    def _advance(self, moves: Sequence[Move]) -> None:
        """The checkpoints were moved; those of partitions lost meanwhile are not ours to note."""
        for move in moves:
            if self.next_offsets.get(move.partition) == move.expected:
                self.next_offsets[move.partition] = move.next_offset


def _since(begins: Mapping[int, int], items: Sequence[Item]) -> list[Item]:
    """What lies at or behind the offsets where some partitions begin."""
    return [
        item
        for item in items
        if (begin := begins.get(item.partition)) is not None and item.offset >= begin
    ]
