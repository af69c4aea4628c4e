"""Comparing how far each stream is folded with the log, and folding what was missed.

A record lost at the end of a stream leaves no gap that a later record would show.
"""

from typing import Any

import asyncpg

from projections.applying import PAGE_EVENTS_MAX, apply
from projections.log import VersionRange, head_position, read_ranges
from projections.progress import marked_position, remember
from projections.projection import SCHEMA, Projection

MARGIN_EVENTS = 1_000
"""What was published last may still be on its way; it is left alone."""

LOG_EVENTS_AT_ONCE = 10_000
"""How much of the log one comparison looks at."""

# Per stream the highest version in a slice of the log, against what is folded.
_BEHIND = """
SELECT e.stream_id, coalesce(s.stream_version, 0) AS stream_version,
  max(e.stream_version) AS head_version
FROM ledger.events e
LEFT JOIN {schema}.{streams} s ON s.stream_id = e.stream_id
WHERE e.position > $1 AND e.position <= $2
  AND (e.stream_id = $3 OR starts_with(e.stream_id, $3 || '-'))
  AND s.parked_at_version IS NULL
GROUP BY e.stream_id, s.stream_version
HAVING max(e.stream_version) > coalesce(s.stream_version, 0)
ORDER BY e.stream_id"""


async def reconcile(
    pool: "asyncpg.Pool[Any]",
    projection: Projection,
    *,
    after_position: int = 0,
    up_to_position: int,
) -> dict[str, int]:
    """Repair every stream that is behind its head in a part of the log: stream → events folded.

    Parked streams wait for `unpark` and are left alone. What is known to lack nothing is not looked
    at again, by whichever process.
    """
    repaired: dict[str, int] = {}
    after_position = max(after_position, await marked_position(pool, projection))
    # Of what comes from now on nothing is known.
    up_to_position = min(up_to_position, await head_position(pool))
    statement = _BEHIND.format(schema=SCHEMA, streams=projection.streams.name)
    for start in range(after_position, up_to_position, LOG_EVENTS_AT_ONCE):
        end = min(start + LOG_EVENTS_AT_ONCE, up_to_position)
        for row in await pool.fetch(statement, start, end, projection.category):
            missing = VersionRange(row["stream_id"], row["stream_version"], row["head_version"])
            folded = await _repair(pool, projection, missing)
            if folded:
                repaired[missing.stream_id] = repaired.get(missing.stream_id, 0) + folded
    if up_to_position > after_position:
        await remember(pool, projection, up_to_position)
    return repaired


async def _repair(pool: "asyncpg.Pool[Any]", projection: Projection, missing: VersionRange) -> int:
    folded = 0
    for after in range(missing.after_version, missing.up_to_version, PAGE_EVENTS_MAX):
        page = VersionRange(
            missing.stream_id, after, min(after + PAGE_EVENTS_MAX, missing.up_to_version)
        )
        async with pool.acquire() as connection, connection.transaction():
            applied = await apply(connection, projection, await read_ranges(connection, [page]))
        folded += applied.events
    return folded
