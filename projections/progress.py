"""How far a read model is folded: the position of the log up to which it lacks nothing.

What Kafka has brought can't say so: partitions move each at its own pace, and an idle one has
nothing newer to bring. So each event after the last position known is compared with what is
folded of its stream, until one is lacking.
"""

from dataclasses import dataclass
from typing import Any

from projections.projection import SCHEMA, Projection

LOOK_EVENTS_MAX = 10_000
"""How much of the log one statement looks at. What is left is looked at next time."""

REMEMBERED_EVERY_EVENTS = 500
"""So much is looked at again each time rather than written down."""

MARK = "*"
"""Stands for no stream. Kept beside the streams, the mark is lost with what it tells of: with
their tables, with a crash that takes their last rows, with a backup restored over them."""

_MARKED = "SELECT coalesce(max(position), 0) FROM {streams} WHERE stream_id = '*'"

# One statement, so that log and streams are of the same instant. However little the planner knows
# of the tables, it goes position by position (they are dense) to the first that is lacking, and
# looks up event and stream by their keys. A minimum is the one way to ask for parked streams that
# reads nothing but their own index.
_LOOK = f"""
WITH marked AS (SELECT greatest($1, ({_MARKED})) AS position),
     head AS (SELECT coalesce(max(position), 0) AS position FROM ledger.events),
     reach AS (SELECT least(head.position, marked.position + $2) AS position FROM head, marked)
SELECT marked.position AS marked, reach.position AS reached,
  reach.position = head.position AS is_all,
  (SELECT min(parked_at_version) FROM {{streams}}) IS NOT NULL AS is_parked,
  (SELECT e.position
   FROM (
     SELECT position FROM generate_series(marked.position + 1, reach.position) AS position
     ORDER BY position OFFSET 0) n
   CROSS JOIN LATERAL (
     SELECT position, stream_id, stream_version FROM ledger.events
     WHERE position = n.position LIMIT 1) e
   LEFT JOIN LATERAL (
     SELECT stream_version, parked_at_version FROM {{streams}}
     WHERE stream_id = e.stream_id LIMIT 1) s ON true
   WHERE (e.stream_id = $3 OR starts_with(e.stream_id, $3 || '-'))
     AND s.parked_at_version IS NULL AND e.stream_version > coalesce(s.stream_version, 0)
   ORDER BY n.position LIMIT 1) AS lacking
FROM marked, head, reach"""  # noqa: S608

_REMEMBER = """
INSERT INTO {streams} AS s (stream_id, position) VALUES ('*', $1)
ON CONFLICT (stream_id) DO UPDATE SET position = $1, updated_at = now() WHERE s.position < $1"""


@dataclass(frozen=True, slots=True)
class Progress:
    """Up to `position` nothing is lacking but what waits behind the event of a parked stream."""

    position: int
    is_parked: bool


async def progress_of(connection: Any, projection: Projection, *, looks_max: int = 10) -> Progress:
    """How far a read model is folded, or less far where too much has come to look at it all.

    A projection nobody has filled yet is at 0.
    """
    look, position = _sql(_LOOK, projection), 0
    for _ in range(looks_max):
        row = await connection.fetchrow(look, position, LOOK_EVENTS_MAX, projection.category)
        position = row["reached"] if row["lacking"] is None else row["lacking"] - 1
        if position - row["marked"] >= REMEMBERED_EVERY_EVENTS:
            await remember(connection, projection, position)
        if row["is_all"] or row["lacking"] is not None:
            break
    return Progress(position, row["is_parked"])


async def marked_position(connection: Any, projection: Projection) -> int:
    """The last position written down: no more was lacking up to there."""
    return int(await connection.fetchval(_sql(_MARKED, projection)))


async def remember(connection: Any, projection: Projection, position: int) -> None:
    """Write down that nothing is lacking up to a position."""
    await connection.execute(_sql(_REMEMBER, projection), position)


def _sql(template: str, projection: Projection) -> str:
    return template.format(streams=f"{SCHEMA}.{projection.streams.name}")
