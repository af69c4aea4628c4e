"""What only a real server shows: rights, tampering, races between processes, killed backends."""

import asyncio

import asyncpg
import pytest

from ledger.event_store import chain
from ledger.event_store.port import Committed, EventStoreUnavailable, StreamHead
from ledger.event_store.postgres import PostgresEventStore
from tests.contracts.groups import one_event


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO ledger.events SELECT * FROM ledger.events",
        "UPDATE ledger.events SET payload = ''",
        "DELETE FROM ledger.commands",
        "TRUNCATE ledger.reservations",
        "UPDATE ledger.reservations SET stream_id = 'mine'",
        "DELETE FROM ledger.reservations",
        "ALTER TABLE ledger.events DISABLE TRIGGER ALL",
    ],
)
async def test_the_application_may_not_touch_the_tables(
    store: PostgresEventStore, superuser: "asyncpg.Connection[asyncpg.Record]", statement: str
) -> None:
    await store.append(one_event("a"))
    await superuser.execute("SET ROLE ledger_application")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await superuser.execute(statement)


async def test_the_application_may_append_and_read(application_url: str) -> None:
    store = await PostgresEventStore.connect(application_url)
    assert isinstance(await store.append(one_event("a")), Committed)
    assert len(await store.read_stream("a")) == 1
    assert len(await store.new_ids(3)) == 3
    await store.close()


@pytest.mark.parametrize("change", ["DELETE FROM", "TRUNCATE", "UPDATE"])
@pytest.mark.parametrize("table", ["events", "commands", "reservations", "appends", "log"])
async def test_even_the_owner_is_refused_a_change_by_mistake(
    superuser: "asyncpg.Connection[asyncpg.Record]", table: str, change: str
) -> None:
    columns = {"log": "one", "appends": "event_count", "reservations": "key", "commands": "key"}
    column = columns.get(table, "payload")
    setting = f" SET {column} = {column}" if change == "UPDATE" else ""
    await superuser.execute("SET session_replication_role = replica")
    with pytest.raises(asyncpg.RaiseError, match="append-only"):
        await superuser.execute(f"{change} ledger.{table}{setting}")


async def test_tampering_by_a_superuser_is_found(
    store: PostgresEventStore, superuser: "asyncpg.Connection[asyncpg.Record]"
) -> None:
    for stream in "abcde":
        await store.append(one_event(stream))
    await superuser.execute("ALTER TABLE ledger.events DISABLE TRIGGER ALL")
    await superuser.execute("UPDATE ledger.events SET payload = '{ }' WHERE position = 3")
    log = await store.read_log(after_position=0, limit=10)
    assert chain.verify(log, await store.incarnation()) == 3


async def test_of_two_conflicting_appends_exactly_one_wins(database_url: str) -> None:
    """Seen to fail when lock and check stood in one statement: both saw the old head."""
    stores = [await PostgresEventStore.connect(database_url) for _ in range(2)]
    for n in range(50):
        results = await asyncio.gather(*(store.append(one_event(f"s{n}")) for store in stores))
        assert sorted(type(r).__name__ for r in results) == ["Committed", "Conflicted"]
    for store in stores:
        await store.close()


async def test_killed_backends_lose_and_double_nothing_acknowledged(
    database_url: str, superuser: "asyncpg.Connection[asyncpg.Record]"
) -> None:
    acknowledged: list[int] = []

    async def writer(stream: str) -> None:
        store = await PostgresEventStore.connect(database_url)
        head = StreamHead()
        for _ in range(60):
            group = one_event(stream, head)
            while True:
                try:
                    result = await store.append(group)
                except EventStoreUnavailable:
                    continue
                assert isinstance(result, Committed), result
                break
            acknowledged.append(result.first_position)
            head = StreamHead(head.version + 1, result.first_position)
        await store.close()

    async def killer() -> None:
        while True:
            await asyncio.sleep(0.01)
            await superuser.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE query LIKE 'CALL ledger.append_batch_tx%' AND pid <> pg_backend_pid() "
                "ORDER BY random() LIMIT 1"
            )

    killing = asyncio.create_task(killer())
    await asyncio.gather(*(writer(f"s{n}") for n in range(6)))
    killing.cancel()
    await asyncio.wait([killing])
    store = await PostgresEventStore.connect(database_url)
    log = await store.read_log(after_position=0, limit=1000)
    assert sorted(acknowledged) == [e.position for e in log] == list(range(1, 361))
    assert chain.verify(log, await store.incarnation()) is None
    await store.close()
