"""The append on every PostgreSQL of this machine: the packaged one and those installed."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest

from app.database.migrate import POSTGRES_MIN, migrate
from app.embedded import EmbeddedServers
from app.embedded.passwords import passwords
from app.embedded.postgres import packaged_binaries
from ledger.event_store import chain, postgres
from ledger.event_store.port import Committed, Conflicted, EventStoreUnavailable, StreamHead
from ledger.event_store.postgres import PostgresEventStore
from tests.contracts.groups import one_event

INSTALLED = sorted(
    folder
    for folder in Path("/usr/lib/postgresql").glob("*/bin")
    if folder.parent.name.isdigit() and int(folder.parent.name) * 10_000 >= POSTGRES_MIN
)


@pytest.fixture(
    scope="module", params=[packaged_binaries(), *INSTALLED], ids=lambda f: str(f)[-40:]
)
def its_server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """A server of its own: some of these tests change its settings."""
    folder = tmp_path_factory.mktemp("version")
    with EmbeddedServers(folder, kafka=False, postgres_bin=request.param) as servers:
        address = servers.start().owner_database_url.rpartition("@")[2].split("/")[0]
        word = passwords(folder, first_start=False).superuser
        yield f"postgresql://postgres:{word}@{address}/postgres"


@pytest.fixture
async def its_database(its_server: str) -> AsyncIterator[str]:
    admin = await asyncpg.connect(its_server)
    name = f"test_{uuid4().hex[:12]}"
    await admin.execute(f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8'")
    url = f"{its_server.rpartition('/')[0]}/{name}"
    await migrate(url)
    yield url
    await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
    await admin.close()


async def test_append_conflict_and_repeat(its_database: str) -> None:
    store = await PostgresEventStore.connect(its_database)
    same = one_event("a")
    first = await store.append(same)
    assert isinstance(first, Committed)
    assert await store.append(same) == first
    assert await store.append(one_event("a")) == Conflicted({"a": StreamHead(1, 1)})
    for version in range(1, 10):
        assert isinstance(
            await store.append(one_event("a", StreamHead(version, version))), Committed
        )
    log = await store.read_log(after_position=0, limit=100)
    assert [recorded.position for recorded in log] == [*range(1, 11)]
    assert chain.verify(log, await store.incarnation()) is None
    await store.close()


async def test_a_stalled_holder_is_ended(its_database: str) -> None:
    stalled = await asyncpg.connect(its_database)
    await stalled.execute("BEGIN; SELECT pg_advisory_xact_lock(7236452, 1)")
    store = await PostgresEventStore.connect(its_database)
    same = one_event("a")
    with pytest.raises(EventStoreUnavailable):
        await store.append(same)
    assert isinstance(await store.append(same), Committed)
    stalled.terminate()
    await store.close()


async def test_a_repeat_waits_for_the_standby_as_the_first_call_did(
    its_server: str, its_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A commit whose wait was cut off stands on the primary alone. It was answered as durable."""
    monkeypatch.setattr(postgres, "APPEND_SECONDS_MAX", 1.0)
    store = await PostgresEventStore.connect(its_database)
    admin = await asyncpg.connect(its_server)
    await admin.execute("ALTER SYSTEM SET synchronous_standby_names = 'nobody'")
    await admin.execute("SELECT pg_reload_conf()")
    await asyncio.sleep(0.3)
    cut_off = "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep'"
    same = one_event("a")
    try:
        with pytest.raises(EventStoreUnavailable):
            await store.append(same)
        assert await admin.fetchval(cut_off)
        with pytest.raises(EventStoreUnavailable):
            await store.append(same)
    finally:
        await admin.execute("ALTER SYSTEM RESET synchronous_standby_names")
        await admin.execute("SELECT pg_reload_conf()")
    assert await store.append(same) == await store.append(same)
    assert await store.head() == 1
    await admin.close()
    await store.close()
