"""What only a real server shows: rights, tampering, races between processes, killed backends."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from uuid import uuid4

import asyncpg
import pytest

from ledger.committer import Committer
from ledger.event_store import chain
from ledger.event_store.port import (
    Append,
    Committed,
    EventStoreUnavailable,
    NewEvent,
    StreamHead,
    Unit,
)
from ledger.event_store.postgres import PostgresEventStore
from ledger.rejections import Rejection
from ledger.submission import Accepted, Submission
from schemas.redemptions import MakeRedemption
from schemas.reward_definitions import AddRewardDefinition
from schemas.rewards import IssueReward

NOW = datetime(2031, 1, 1, tzinfo=UTC)


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


def one_event(stream: str, head: StreamHead) -> Append:
    event = NewEvent(stream, head.version + 1, "Granted", 1, b"{}", NOW)
    return Append(uuid4(), (Unit(uuid4(), "test", (event,)),), {stream: head})


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO ledger.events SELECT * FROM ledger.events",
        "UPDATE ledger.events SET payload = ''",
        "DELETE FROM ledger.commands",
        "TRUNCATE ledger.reservations",
        "ALTER TABLE ledger.events DISABLE TRIGGER ALL",
    ],
)
async def test_the_application_may_not_touch_the_tables(
    store: PostgresEventStore, superuser: "asyncpg.Connection[asyncpg.Record]", statement: str
) -> None:
    await store.append(one_event("a", StreamHead()))
    await superuser.execute("SET ROLE ledger_application")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await superuser.execute(statement)


async def test_the_application_may_append_and_read(database_url: str) -> None:
    role = f"app_{uuid4().hex[:8]}"
    superuser = await asyncpg.connect(database_url)
    await superuser.execute(f"CREATE ROLE {role} LOGIN PASSWORD 'word' IN ROLE ledger_application")
    url = f"postgresql://{role}:word@{database_url.rpartition('@')[2]}"
    store = await PostgresEventStore.connect(url)
    assert isinstance(await store.append(one_event("a", StreamHead())), Committed)
    assert len(await store.read_stream("a")) == 1
    assert len(await store.new_ids(3)) == 3
    await store.close()
    await superuser.execute(f"DROP ROLE {role}")
    await superuser.close()


async def test_even_the_owner_is_refused_a_change_by_mistake(
    store: PostgresEventStore, superuser: "asyncpg.Connection[asyncpg.Record]"
) -> None:
    await store.append(one_event("a", StreamHead()))
    await superuser.execute("SET session_replication_role = replica")
    with pytest.raises(asyncpg.RaiseError, match="append-only"):
        await superuser.execute("DELETE FROM ledger.events")


async def test_tampering_by_a_superuser_is_found(
    store: PostgresEventStore, superuser: "asyncpg.Connection[asyncpg.Record]"
) -> None:
    for stream in "abcde":
        await store.append(one_event(stream, StreamHead()))
    await superuser.execute("ALTER TABLE ledger.events DISABLE TRIGGER ALL")
    await superuser.execute("UPDATE ledger.events SET payload = '{ }' WHERE position = 3")
    log = await store.read_log(after_position=0, limit=10)
    assert chain.verify(log, await store.incarnation()) == 3


async def test_of_two_conflicting_appends_exactly_one_wins(database_url: str) -> None:
    """Seen to fail when lock and check stood in one statement: both saw the old head."""
    stores = [await PostgresEventStore.connect(database_url) for _ in range(2)]
    for n in range(50):
        results = await asyncio.gather(
            *(store.append(one_event(f"s{n}", StreamHead())) for store in stores)
        )
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


async def test_200_redemptions_through_two_processes_spend_a_balance_good_for_one_once(
    database_url: str,
) -> None:
    stores = [await PostgresEventStore.connect(database_url) for _ in range(2)]
    committers = [Committer(store, clock=lambda: NOW) for store in stores]
    tasks = [asyncio.create_task(committer.run()) for committer in committers]
    define = AddRewardDefinition.model_validate(
        {"name": "B", "handle": "b", "value": "10", "type": "birthday", "period": "30"}
    )
    issue = IssueReward.model_validate({"profile_id": "p", "reward_definition_handle": "b"})
    redeem = MakeRedemption.model_validate({"profile_id": "p", "amount": "10"})
    for command in (define, issue):
        await committers[0].submit(Submission(command, "test", "test"))
    answers = await asyncio.gather(
        *(committers[n % 2].submit(Submission(redeem, "till", "till")) for n in range(200)),
        return_exceptions=True,
    )
    assert sum(isinstance(answer, Accepted) for answer in answers) == 1
    assert sum(isinstance(answer, Rejection) for answer in answers) == 199
    for task in tasks:
        task.cancel()
    for store in stores:
        await store.close()
