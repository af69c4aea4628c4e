"""Which faults of PostgreSQL pass by themselves, and which somebody has to mend."""

import asyncio
from typing import Any, TypeAlias

import asyncpg
import pytest

from ledger.event_store.faults import meaning
from ledger.event_store.port import (
    Append,
    Committed,
    EventStoreBroken,
    EventStoreUnavailable,
)
from ledger.event_store.postgres import PostgresEventStore
from tests.contracts.groups import EMPTY, event, group, one_event, unit

Superuser: TypeAlias = "asyncpg.Connection[asyncpg.Record]"


@pytest.mark.parametrize(
    ("codes", "expected"),
    [
        ("08006 08P01 57014 57P01 57P03 53100 53200 53300 40P01 40001", EventStoreUnavailable),
        ("25P03 25P04 25006 55P03", EventStoreUnavailable),
        ("42501 42P01 42883 3F000 3D000 28P01 28000 23505 P0001 XX000 2D000", EventStoreBroken),
        ("22021 22003", ValueError),
    ],
)
def test_what_an_error_of_the_server_means(codes: str, expected: type[Exception]) -> None:
    for code in codes.split():
        error = asyncpg.PostgresError.new({"C": code, "M": "no"})
        assert type(meaning(error)) is expected, code


async def test_a_missing_right_is_not_tried_for_ever(
    application_url: str, superuser: Superuser
) -> None:
    store = await PostgresEventStore.connect(application_url)
    right = "EXECUTE ON PROCEDURE ledger.append_batch_tx {} ledger_application"
    await superuser.execute("REVOKE " + right.format("FROM"))
    same = one_event("a")
    with pytest.raises(EventStoreBroken, match="GRANT ledger_application"):
        await store.append(same)
    assert await store.head() == 0
    await superuser.execute("GRANT " + right.format("TO"))
    assert isinstance(await store.append(same), Committed)
    await superuser.execute("REVOKE SELECT ON ledger.events FROM ledger_application")
    with pytest.raises(EventStoreBroken, match="GRANT ledger_application"):
        await store.head()
    await store.close()


async def test_a_database_that_is_not_migrated_is_named_at_once(
    store: PostgresEventStore, database_url: str, superuser: Superuser
) -> None:
    await superuser.execute("DROP SCHEMA ledger CASCADE")
    for call in (
        store.append(one_event("a")),
        store.head(),
        PostgresEventStore.connect(database_url),
    ):
        with pytest.raises(EventStoreBroken, match="ledger migrate"):
            await call


async def test_a_connection_that_can_never_come_about_says_why(
    database_url: str, application_url: str, superuser: Superuser
) -> None:
    address = application_url.rpartition("@")[2].split("/")[0]
    role = application_url.split("://")[1].split(":", maxsplit=1)[0]
    for url, remedy in (
        (f"postgresql://nobody:wrong@{address}/ledger", "check the user"),
        (f"{database_url}_missing", "create the database"),
        ("postgresql://a:b@:x/y", "URL"),
    ):
        with pytest.raises(EventStoreBroken, match=remedy):
            await PostgresEventStore.connect(url)
    await superuser.execute(f"REVOKE ledger_application FROM {role}")
    with pytest.raises(EventStoreBroken, match="GRANT ledger_application"):
        await PostgresEventStore.connect(application_url)


async def test_a_server_that_is_down_is_unavailable() -> None:
    with pytest.raises(EventStoreUnavailable):
        await PostgresEventStore.connect("postgresql://a:b@127.0.0.1:1/x")


async def test_a_standby_is_left_for_the_primary(
    store: PostgresEventStore, superuser: Superuser
) -> None:
    """After a failover the old address may be a standby for a while."""
    name = await superuser.fetchval("SELECT current_database()")
    await superuser.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    same = one_event("a")
    with pytest.raises(EventStoreUnavailable):
        await store.append(same)
    await superuser.execute("SET default_transaction_read_only = off")
    await superuser.execute(f"ALTER DATABASE {name} RESET default_transaction_read_only")
    assert isinstance(await store.append(same), Committed)


@pytest.mark.parametrize(
    "unwritable",
    [
        group(unit(event(type="nul\x00")), a=EMPTY),
        group(unit(event(type="half \ud800")), a=EMPTY),
        group(unit(event(schema_version=2**40)), a=EMPTY),
    ],
)
async def test_data_the_server_can_not_hold_is_the_callers_fault(
    store: PostgresEventStore, unwritable: Append
) -> None:
    with pytest.raises(ValueError, match=r"can't take") as refusal:
        await store.append(unwritable)
    assert "Granted" not in str(refusal.value), "the data itself stays out of messages"
    assert isinstance(await store.append(one_event("a")), Committed)


async def test_calls_at_the_same_time_do_not_share_the_connection(
    store: PostgresEventStore,
) -> None:
    results = await asyncio.gather(*(store.append(one_event(f"s{n}")) for n in range(20)))
    assert sorted(r.first_position for r in results if isinstance(r, Committed)) == [*range(1, 21)]


async def test_a_cancel_while_connecting_leaves_no_connection(
    store: PostgresEventStore, superuser: Superuser, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect, connected = asyncpg.connect, asyncio.Event()

    async def slow(*arguments: Any, **options: Any) -> Any:
        connection = await connect(*arguments, **options)
        connected.set()
        await asyncio.sleep(0.1)
        return connection

    async def writers() -> int:
        query = (
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
            "AND pid <> pg_backend_pid() AND application_name <> 'ledger-reader'"
        )
        return int(await superuser.fetchval(query))

    monkeypatch.setattr(asyncpg, "connect", slow)
    appending = asyncio.create_task(store.append(one_event("a")))
    await connected.wait()
    assert await writers() == 1
    appending.cancel()
    await asyncio.wait([appending])
    async with asyncio.timeout(5):
        while await writers():
            await asyncio.sleep(0.02)
