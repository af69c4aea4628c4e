"""How far a projection has read each partition: moved in the transaction that writes its rows.

The condition on the former offset alone fences a runner that lost its partition and doesn't know
it yet: whoever moved the checkpoint meanwhile makes the zombie's transaction roll back.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple
from uuid import UUID

from projections.projection import Projection

REASON_MAX = 1_000

_REGISTER = """
INSERT INTO projections.checkpoints
  (projection, version, incarnation, topic, partition, next_offset)
SELECT $1, $2, $3, $4, partition, 0 FROM unnest($5::int[]) AS p(partition) ORDER BY partition
ON CONFLICT DO NOTHING"""

_READ = """
SELECT partition, next_offset FROM projections.checkpoints
WHERE projection = $1 AND version = $2 AND incarnation = $3 AND topic = $4
  AND partition = ANY($5::int[])"""

# The log's identity is part of the condition: a restored log must not be mixed with this topic.
_MOVE = """
UPDATE projections.checkpoints c
SET next_offset = m.next_offset, position = greatest(c.position, $8), updated_at = now()
FROM unnest($5::int[], $6::bigint[], $7::bigint[]) AS m(partition, expected, next_offset)
WHERE c.projection = $1 AND c.version = $2 AND c.incarnation = $3 AND c.topic = $4
  AND c.partition = m.partition AND c.next_offset = m.expected
  AND EXISTS (SELECT FROM ledger.log WHERE incarnation = $3)"""

_RESET = """
UPDATE projections.checkpoints SET next_offset = $6, updated_at = now()
WHERE projection = $1 AND version = $2 AND incarnation = $3 AND topic = $4 AND partition = $5"""

_BURY = """
INSERT INTO projections.dead_letters (topic, partition, "offset", reason)
SELECT $1, * FROM unnest($2::int[], $3::bigint[], $4::text[])
ON CONFLICT DO NOTHING"""


class Fenced(Exception):
    """Somebody else moved a checkpoint: what was buffered is not ours to apply any more."""


class Move(NamedTuple):
    """A partition's checkpoint goes from one offset to the next to read."""

    partition: int
    expected: int
    next_offset: int


class DeadLetter(NamedTuple):
    """A record that is no event of ours, and why."""

    partition: int
    offset: int
    reason: str


@dataclass(frozen=True, slots=True)
class Checkpoints:
    """The checkpoints of one projection over one topic of one log."""

    projection: Projection
    topic: str
    incarnation: UUID

    async def load(self, connection: Any, partitions: Iterable[int]) -> Mapping[int, int]:
        """The next offset of each partition; 0 where it was never read."""
        wanted = sorted(partitions)
        await connection.execute(_REGISTER, *self._key, wanted)
        rows = await connection.fetch(_READ, *self._key, wanted)
        return {row["partition"]: row["next_offset"] for row in rows}

    async def move(self, connection: Any, moves: Sequence[Move], position: int) -> None:
        """Move all or none, past records whose newest event stands at `position` of the log.

        Raises:
            Fenced: one of them was moved by somebody else; roll back.
        """
        columns = [list(column) for column in zip(*moves, strict=True)]
        done = await connection.execute(_MOVE, *self._key, *columns, position)
        if done != f"UPDATE {len(moves)}":
            raise Fenced(f"{len(moves)} checkpoints of {self.projection.name}: {done}")

    async def reset(self, connection: Any, partition: int, next_offset: int) -> None:
        """Read a partition from elsewhere; what was applied is known by stream versions."""
        await connection.execute(_RESET, *self._key, partition, next_offset)

    async def bury(self, connection: Any, letters: Sequence[DeadLetter]) -> None:
        """Note records that can't be applied, once each."""
        if letters:
            partitions, offsets, reasons = zip(*letters, strict=True)
            storable = [reason.replace("\x00", "")[:REASON_MAX] for reason in reasons]
            await connection.execute(_BURY, self.topic, list(partitions), list(offsets), storable)

    @property
    def _key(self) -> tuple[str, int, UUID, str]:
        return self.projection.name, self.projection.version, self.incarnation, self.topic


async def log_incarnation(connection: Any) -> UUID:
    """The identity of the log."""
    return UUID(str(await connection.fetchval("SELECT incarnation FROM ledger.log")))
