"""Connections to the test's own database, under other names than the store's."""

from collections.abc import AsyncIterator
from uuid import uuid4

import asyncpg
import pytest

from ledger.event_store.postgres import PostgresEventStore


@pytest.fixture
async def store(database_url: str) -> AsyncIterator[PostgresEventStore]:
    store = await PostgresEventStore.connect(database_url)
    yield store
    await store.close()


@pytest.fixture
async def superuser(database_url: str) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
    connection = await asyncpg.connect(database_url)
    yield connection
    await connection.close()


@pytest.fixture
async def application_url(
    database_url: str, superuser: "asyncpg.Connection[asyncpg.Record]"
) -> AsyncIterator[str]:
    """For a login with the rights of the application and no others."""
    role = f"app_{uuid4().hex[:8]}"
    await superuser.execute(f"CREATE ROLE {role} LOGIN PASSWORD 'word' IN ROLE ledger_application")
    yield f"postgresql://{role}:word@{database_url.rpartition('@')[2]}"
    await superuser.execute(f"DROP ROLE {role}")
