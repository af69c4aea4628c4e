"""Reading the log inside the caller's transaction."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from schemas.envelope import Recorded

_COLUMNS = (
    "e.position, e.stream_id, e.stream_version, e.type, e.schema_version, e.payload, "
    "e.command_id, e.correlation_id, e.causation_id, e.occurred_at, e.recorded_at, e.actor, "
    "e.batch_index, e.batch_size, e.chain"
)

_RANGES = f"""
SELECT {_COLUMNS}
FROM unnest($1::text[], $2::int[], $3::int[]) AS r(stream_id, after_version, up_to_version)
CROSS JOIN LATERAL (
  SELECT * FROM ledger.events e
  WHERE e.stream_id = r.stream_id
    AND e.stream_version > r.after_version AND e.stream_version <= r.up_to_version
  ORDER BY e.stream_version
) e
ORDER BY e.stream_id, e.stream_version"""  # noqa: S608

_PAGE = f"""
SELECT {_COLUMNS} FROM ledger.events e
WHERE e.position > $1 AND e.position <= $2 ORDER BY e.position LIMIT $3"""  # noqa: S608

_AT = f"SELECT {_COLUMNS} FROM ledger.events e WHERE e.position = ANY($1::bigint[])"  # noqa: S608

_VERSION_BEFORE = """
SELECT e.stream_version FROM ledger.events e
WHERE e.stream_id = $1 AND e.position < $2 ORDER BY e.stream_version DESC LIMIT 1"""


class VersionRange(NamedTuple):
    """Events of a stream after one version up to another."""

    stream_id: str
    after_version: int
    up_to_version: int


async def read_ranges(connection: Any, ranges: Sequence[VersionRange]) -> list[Recorded]:
    """The events of all ranges, stream by stream, in order."""
    if not ranges:
        return []
    columns = [list(column) for column in zip(*ranges, strict=True)]
    return [Recorded(*row) for row in await connection.fetch(_RANGES, *columns)]


async def read_page(
    connection: Any, *, after_position: int, up_to_position: int, limit: int
) -> list[Recorded]:
    """A page of the log. Positions are dense: who stores the last one misses nothing."""
    rows = await connection.fetch(_PAGE, after_position, up_to_position, limit)
    return [Recorded(*row) for row in rows]


async def read_at(connection: Any, positions: Sequence[int]) -> dict[int, Recorded]:
    """The events at some positions, by position."""
    rows = await connection.fetch(_AT, list(positions))
    return {row["position"]: Recorded(*row) for row in rows}


async def version_before(connection: Any, stream_id: str, position: int) -> int:
    """How far a stream had come when the log reached a position; 0 where it had not begun."""
    return await connection.fetchval(_VERSION_BEFORE, stream_id, position) or 0


async def head_position(connection: Any) -> int:
    """The position of the last event, 0 for an empty log."""
    return int(await connection.fetchval("SELECT coalesce(max(position), 0) FROM ledger.events"))
