"""Building a read model again from the log, beside the live one, and switching over.

The shadow tables stand in a schema of their own. Work goes page by page and each page is a
transaction, so a rebuild can be stopped and goes on where it was. Run by the tables' owner.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import asyncpg
from sqlalchemy import MetaData, Table
from sqlalchemy.dialects.postgresql.base import PGDialect
from sqlalchemy.schema import CreateIndex, CreateTable

from projections.applying import apply
from projections.log import head_position, read_page
from projections.progress import remember
from projections.projection import SCHEMA, Projection
from projections.schema import APPLICATION_ROLE

SHADOW = "projections_rebuild"
RETIRED = "projections_retired"
PAGE_EVENTS_MAX = 1_000
DIFFERENCES_MAX = 1_000
LOCK_SECONDS_MAX = 5

Progress = Callable[[int, int], None]
"""Called with the position reached and the log's last one."""

_DIALECT = PGDialect()  # type: ignore[no-untyped-call]
_STREAM_OF_ROW = {
    "account": "'account-' || profile_id",
    "transaction": "'transaction-' || transaction_id",
    "programme": "'programme'",
}

_PROGRESS_TABLE = f"""
CREATE TABLE IF NOT EXISTS {SHADOW}.progress (
  projection text PRIMARY KEY,
  incarnation uuid NOT NULL,
  position bigint NOT NULL
)"""


@dataclass(frozen=True, slots=True)
class Difference:
    """A row (or note) that a rebuild gives otherwise than the live tables have it."""

    table: str
    key: tuple[Any, ...]
    live: str | None
    rebuilt: str | None


async def rebuild(
    pool: "asyncpg.Pool[Any]", projection: Projection, progress: Progress | None = None
) -> int:
    """Fill the shadow tables from the log up to its end, or go on filling them; the position."""
    async with pool.acquire() as connection, connection.transaction():
        await _prepare(connection, projection)
    while True:
        async with pool.acquire() as connection, connection.transaction():
            position, head = await _next_page(connection, projection)
        if progress is not None:
            progress(position, head)
        if position >= head:
            return position


async def compare(pool: "asyncpg.Pool[Any]", projection: Projection) -> Sequence[Difference]:
    """Where live and rebuilt rows differ, among streams both have folded equally far."""
    found: list[Difference] = []
    async with (
        pool.acquire() as connection,
        connection.transaction(isolation="repeatable_read", readonly=True),
    ):
        for table in (projection.table, projection.notes):
            rows = await connection.fetch(_comparison(projection, table), DIFFERENCES_MAX)
            found += [Difference(table.name, tuple(row[2:]), row[0], row[1]) for row in rows]
    return found


async def switch(pool: "asyncpg.Pool[Any]", projection: Projection) -> int:
    """Fold the last events, then let the shadow tables be the live ones, in one transaction.

    The former tables stay in a schema of their own until the next switch. Gives the position.
    """
    await rebuild(pool, projection)
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute(f"SET LOCAL lock_timeout = '{LOCK_SECONDS_MAX}s'")
        # In the order writers take them, so that nobody waits in a circle.
        tables = [table.name for table in _tables(projection)]
        live = ", ".join(f"{SCHEMA}.{name}" for name in tables)
        await connection.execute(f"LOCK TABLE {live} IN ACCESS EXCLUSIVE MODE")
        position, head = await _next_page(connection, projection)
        while position < head:
            position, head = await _next_page(connection, projection)
        await connection.execute(f"CREATE SCHEMA IF NOT EXISTS {RETIRED}")
        for name in tables:
            await connection.execute(f"DROP TABLE IF EXISTS {RETIRED}.{name}")
            await connection.execute(f"ALTER TABLE {SCHEMA}.{name} SET SCHEMA {RETIRED}")
            await connection.execute(f"ALTER TABLE {SHADOW}.{name} SET SCHEMA {SCHEMA}")
            await connection.execute(
                f"GRANT SELECT, INSERT, UPDATE, DELETE ON {SCHEMA}.{name} TO {APPLICATION_ROLE}"
            )
        await remember(connection, projection, position)
        await connection.execute(
            f"DELETE FROM {SHADOW}.progress WHERE projection = $1",  # noqa: S608
            projection.table.name,
        )
    return position


async def discard(pool: "asyncpg.Pool[Any]", projection: Projection) -> None:
    """Drop the shadow tables; the next rebuild starts from the beginning."""
    async with pool.acquire() as connection, connection.transaction():
        await _discard(connection, projection)


async def _prepare(connection: Any, projection: Projection) -> None:
    await connection.execute(
        "SELECT pg_advisory_xact_lock(hashtextextended('projections_rebuild', 0))"
    )
    await connection.execute(f"CREATE SCHEMA IF NOT EXISTS {SHADOW}")
    await connection.execute(_PROGRESS_TABLE)
    incarnation = await connection.fetchval("SELECT incarnation FROM ledger.log")
    started: UUID | None = await connection.fetchval(
        f"SELECT incarnation FROM {SHADOW}.progress WHERE projection = $1",  # noqa: S608
        projection.table.name,
    )
    if started == incarnation:
        return
    # None, or of another log, whose positions mean other events.
    await _discard(connection, projection)
    for statement in _shadow_definitions(projection):
        await connection.execute(statement)
    await connection.execute(
        f"INSERT INTO {SHADOW}.progress VALUES ($1, $2, 0)",  # noqa: S608
        projection.table.name,
        incarnation,
    )


async def _discard(connection: Any, projection: Projection) -> None:
    for table in _tables(projection):
        await connection.execute(f"DROP TABLE IF EXISTS {SHADOW}.{table.name}")
    await connection.execute(
        f"DELETE FROM {SHADOW}.progress WHERE projection = $1",  # noqa: S608
        projection.table.name,
    )


async def _next_page(connection: Any, projection: Projection) -> tuple[int, int]:
    """Fold one page; where that leads, and where the log ends."""
    position = await connection.fetchval(
        f"SELECT position FROM {SHADOW}.progress WHERE projection = $1 FOR UPDATE",  # noqa: S608
        projection.table.name,
    )
    head = await head_position(connection)
    page = await read_page(
        connection, after_position=position, up_to_position=head, limit=PAGE_EVENTS_MAX
    )
    if not page:
        return head, head
    await apply(connection, projection, page, SHADOW)
    await connection.execute(
        f"UPDATE {SHADOW}.progress SET position = $2 WHERE projection = $1",  # noqa: S608
        projection.table.name,
        page[-1].position,
    )
    return page[-1].position, head


def _tables(projection: Projection) -> Sequence[Table]:
    return projection.streams, projection.table, projection.notes


def _shadow_definitions(projection: Projection) -> list[str]:
    """The same tables and indexes in the other schema; moving a table moves its indexes."""
    elsewhere = MetaData(schema=SHADOW)
    statements: list[str] = []
    for table in _tables(projection):
        shadow = table.to_metadata(elsewhere, schema=SHADOW)
        statements.append(str(CreateTable(shadow).compile(dialect=_DIALECT)))
        statements += [
            str(CreateIndex(index).compile(dialect=_DIALECT)) for index in shadow.indexes
        ]
    return statements


def _comparison(projection: Projection, table: Table) -> str:
    keys = [column.name for column in table.primary_key.columns]
    key = ", ".join(keys)
    stream = "stream_id" if table is projection.notes else _STREAM_OF_ROW[projection.category]
    streams = projection.streams.name
    return f"""
WITH same AS (
  SELECT stream_id FROM {SCHEMA}.{streams} l JOIN {SHADOW}.{streams} r USING (stream_id)
  WHERE l.stream_version = r.stream_version
)
SELECT l::text, r::text, {key}
FROM (SELECT * FROM {SCHEMA}.{table.name} WHERE {stream} IN (SELECT stream_id FROM same)) l
FULL JOIN (
  SELECT * FROM {SHADOW}.{table.name} WHERE {stream} IN (SELECT stream_id FROM same)
) r USING ({key})
WHERE l IS DISTINCT FROM r
ORDER BY {key} LIMIT $1"""  # noqa: S608
