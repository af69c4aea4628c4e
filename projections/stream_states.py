"""How far each stream is folded into a read model: locked while it moves, written with the rows."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from projections.projection import SCHEMA, Projection


@dataclass(slots=True)
class StreamState:
    """Up to which event a stream is folded; parked streams wait at the next one."""

    stream_version: int = 0
    position: int = 0
    parked_at_version: int | None = None
    parked_reason: str | None = None

    @property
    def is_parked(self) -> bool:
        """Its next event can't be folded."""
        return self.parked_at_version is not None

    def copy(self) -> "StreamState":
        """The state as it is now."""
        return StreamState(
            self.stream_version, self.position, self.parked_at_version, self.parked_reason
        )


async def without_waiting_for_disk(connection: Any) -> None:
    """Let this transaction's commit not wait for the disk.

    Rows and the checkpoint stand in one transaction: a crash loses both or none, and what is
    lost is folded again. The log itself is always waited for.
    """
    await connection.execute("SET LOCAL synchronous_commit = off")


async def lock_streams(
    connection: Any, projection: Projection, stream_ids: Iterable[str], schema: str = SCHEMA
) -> dict[str, StreamState]:
    """Lock how far the streams are folded, so that nobody waits in a circle.

    All or none are locked, in sorted order; where some have no row yet, they get it first. So
    whoever waits to insert holds no lock yet, and whoever waits for a lock has no row left to
    insert.
    """
    wanted = sorted(stream_ids)
    table = f"{schema}.{projection.streams.name}"
    # Mostly all have their rows. The order is Python's, whatever the database's collation is.
    lock = (
        "SELECT stream_id, stream_version, position, parked_at_version, parked_reason "  # noqa: S608
        f"FROM {table} WHERE stream_id = ANY($1::text[]) "
        f"AND $2 = (SELECT count(*) FROM {table} WHERE stream_id = ANY($1::text[])) "
        'ORDER BY stream_id COLLATE "C" FOR UPDATE'
    )
    if not wanted:
        return {}
    if not (rows := await connection.fetch(lock, wanted, len(wanted))):
        await _insert_streams(connection, table, wanted)
        # A later statement: what another transaction has just inserted is seen only now.
        rows = await connection.fetch(lock, wanted, len(wanted))
    return {row[0]: StreamState(*row[1:]) for row in rows}


async def _insert_streams(connection: Any, table: str, wanted: Sequence[str]) -> None:
    await connection.execute(
        f"INSERT INTO {table} (stream_id) "  # noqa: S608
        "SELECT w.stream_id FROM unnest($1::text[]) AS w(stream_id) "
        f"WHERE NOT EXISTS (SELECT FROM {table} s WHERE s.stream_id = w.stream_id) "
        'ORDER BY w.stream_id COLLATE "C" ON CONFLICT DO NOTHING',
        wanted,
    )


async def write_streams(
    connection: Any,
    projection: Projection,
    states: Mapping[str, StreamState],
    schema: str = SCHEMA,
) -> None:
    """Write how far the (locked) streams are folded now."""
    columns: Sequence[Sequence[Any]] = [
        list(states),
        [state.stream_version for state in states.values()],
        [state.position for state in states.values()],
        [state.parked_at_version for state in states.values()],
        [state.parked_reason for state in states.values()],
    ]
    await connection.execute(
        f"UPDATE {schema}.{projection.streams.name} s "  # noqa: S608
        "SET stream_version = n.stream_version, position = n.position, "
        "parked_at_version = n.parked_at, parked_reason = n.reason, updated_at = now() "
        "FROM unnest($1::text[], $2::int[], $3::bigint[], $4::int[], $5::text[]) "
        "AS n(stream_id, stream_version, position, parked_at, reason) "
        "WHERE s.stream_id = n.stream_id",
        *columns,
    )


async def parked_streams(
    connection: Any, projection: Projection, limit: int = 100
) -> dict[str, StreamState]:
    """Streams that wait at an event that can't be folded, with the reason."""
    rows = await connection.fetch(
        "SELECT stream_id, stream_version, position, parked_at_version, parked_reason "  # noqa: S608
        f"FROM {projection.streams.fullname} WHERE parked_at_version IS NOT NULL "
        "ORDER BY stream_id LIMIT $1",
        limit,
    )
    return {row[0]: StreamState(*row[1:]) for row in rows}
