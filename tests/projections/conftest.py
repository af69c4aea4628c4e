"""A log and empty read models on a real PostgreSQL."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import asyncpg
import pytest
from sqlalchemy.ext.asyncio import create_async_engine

from ledger.event_store.postgres import PostgresEventStore
from projections import schema
from projections.applying import Applied, apply
from projections.projection import EventRecord, Projection
from tests.projections.histories import Writer


@dataclass(frozen=True)
class ReadSide:
    """One database: what is appended, and the tables folded from it."""

    url: str
    pool: "asyncpg.Pool[Any]"
    writer: Writer

    async def apply(self, projection: Projection, *records: EventRecord) -> Applied:
        async with self.pool.acquire() as connection, connection.transaction():
            return await apply(connection, projection, records)

    async def log(self) -> list[Any]:
        return list(await self.writer.store.read_log(after_position=0, limit=100_000))

    async def rows(self, projection: Projection) -> list[tuple[Any, ...]]:
        """All rows and notes, in order."""
        found: list[tuple[Any, ...]] = []
        for table in (projection.table, projection.notes):
            keys = ", ".join(column.name for column in table.primary_key.columns)
            rows = await self.pool.fetch(f"SELECT * FROM {table.fullname} ORDER BY {keys}")
            found += [tuple(row) for row in rows]
        return found

    async def parked(self, projection: Projection) -> dict[str, int]:
        rows = await self.pool.fetch(
            f"SELECT stream_id, parked_at_version FROM {projection.streams.fullname} "
            "WHERE parked_at_version IS NOT NULL"
        )
        return {row["stream_id"]: row["parked_at_version"] for row in rows}


@pytest.fixture
async def read_side(database_url: str) -> AsyncIterator[ReadSide]:
    """A migrated database with the tables of all read models."""
    engine = create_async_engine(database_url.replace("postgresql://", "postgresql+asyncpg://", 1))
    async with engine.begin() as connection:
        await schema.create(connection)
        await schema.create(connection)
    await engine.dispose()
    store = await PostgresEventStore.connect(database_url)
    async with asyncpg.create_pool(database_url, min_size=1, max_size=6) as pool:
        yield ReadSide(database_url, pool, Writer(store))
    await store.close()
