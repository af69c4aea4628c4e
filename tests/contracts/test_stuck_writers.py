"""Whoever holds the lock of the append and stalls must not stop all others for good."""

import asyncio
from typing import TypeAlias
from uuid import uuid4

import asyncpg
import psycopg
import pytest
from psycopg import pq

from ledger.event_store import postgres
from ledger.event_store.port import Committed, EventStoreUnavailable
from ledger.event_store.postgres import PostgresEventStore
from tests.contracts.groups import one_event

Superuser: TypeAlias = "asyncpg.Connection[asyncpg.Record]"

LOCK = "SELECT pg_advisory_xact_lock(7236452, 1)"
HOLDERS = (
    "SELECT count(*) FROM pg_locks JOIN pg_database d ON d.oid = database "
    "WHERE locktype = 'advisory' AND classid = 7236452 AND granted AND datname = current_database()"
)
ARRAYS = ", ".join(["'{}'"] * 28)


class StalledClient:
    """Sends Execute without Sync, reads the answer, and then does nothing more."""

    def __init__(self, url: str, statement: str) -> None:
        self._connection = psycopg.connect(url, autocommit=True)
        wire = self._connection.pgconn
        wire.enter_pipeline_mode()
        wire.send_query_params(statement.encode(), None)
        wire.send_flush_request()
        wire.flush()
        result = wire.get_result()
        assert result is not None
        assert result.status == pq.ExecStatus.TUPLES_OK, result.error_message

    def close(self) -> None:
        self._connection.close()


async def until_free(superuser: Superuser, seconds: float) -> None:
    async with asyncio.timeout(seconds):
        while await superuser.fetchval(HOLDERS):
            await asyncio.sleep(0.05)


async def test_a_client_stalled_after_the_call_holds_no_lock(
    store: PostgresEventStore, database_url: str, superuser: Superuser
) -> None:
    call = f"CALL ledger.append_batch_tx('{uuid4()}', {ARRAYS}, NULL, NULL, NULL, NULL)"
    client = await asyncio.to_thread(StalledClient, database_url, call)
    assert await superuser.fetchval(HOLDERS) == 0
    assert isinstance(await store.append(one_event("a")), Committed)
    client.close()


async def test_a_client_stalled_after_the_bare_function_is_ended_by_the_server(
    database_url: str, superuser: Superuser
) -> None:
    if superuser.get_server_version().major < 17:
        pytest.skip("PostgreSQL has no transaction_timeout before 17")
    call = f"SELECT ledger.append_batch('{uuid4()}', {ARRAYS})"
    client = await asyncio.to_thread(StalledClient, database_url, call)
    assert await superuser.fetchval(HOLDERS) == 1
    await until_free(superuser, 8)
    client.close()


async def test_a_holder_that_stalls_is_ended_and_the_append_goes_through(
    application_url: str,
) -> None:
    """A plain lock, by a login without any right over others: the case before PostgreSQL 17."""
    stalled = await asyncpg.connect(application_url)
    await stalled.execute(f"BEGIN; {LOCK}")
    store = await PostgresEventStore.connect(application_url)
    same = one_event("a")
    with pytest.raises(EventStoreUnavailable, match="lock timeout"):
        await store.append(same)
    assert isinstance(await store.append(same), Committed)
    with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError, OSError)):
        await stalled.execute("SELECT 1")
    await store.close()


async def test_a_holder_is_given_its_time(superuser: Superuser, database_url: str) -> None:
    holder = await asyncpg.connect(database_url)
    await holder.execute(f"BEGIN; {LOCK}")
    assert await superuser.fetchval("SELECT ledger.end_stale_writer()") == 0
    assert await holder.fetchval("SELECT 1") == 1
    await holder.close()


async def test_a_writer_that_can_not_be_ended_leaves_the_store_unavailable(
    application_url: str, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A superuser's session is out of reach; the store says so and the caller goes on trying."""
    monkeypatch.setattr(postgres, "APPEND_SECONDS_MAX", 0.3)
    holder = await asyncpg.connect(database_url)
    await holder.execute(f"BEGIN; {LOCK}")
    store = await PostgresEventStore.connect(application_url)
    with pytest.raises(EventStoreUnavailable):
        await store.append(one_event("a"))
    await holder.execute("ROLLBACK")
    await holder.close()
    assert isinstance(await store.append(one_event("b")), Committed)
    await store.close()
