"""What was seen to go wrong with a log on PostgreSQL while this one was designed, one by one."""

import asyncio
import random
import re
from typing import TypeAlias
from uuid import uuid4

import asyncpg
import psycopg
import pytest

from ledger.event_store import chain
from ledger.event_store.port import CommandRecord, Committed, Conflicted, StreamHead
from ledger.event_store.postgres import PostgresEventStore
from tests.contracts.groups import EMPTY, event, group, one_event, unit

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"

LOCK = "SELECT pg_advisory_xact_lock(7236452, 1)"
TABLES = ("events", "commands", "reservations", "appends")
HEAD_PAGES_MAX = 6
"""Root, branch and leaf of the index, the last page of the table, and some room."""

WAITING = """
SELECT pid FROM pg_stat_activity WHERE datname = current_database()
AND application_name = 'ledger-writer' AND wait_event_type = 'Lock' AND state = 'active'"""


async def waiting(watcher: Connection, count: int) -> set[int]:
    """The backends of appends that wait for the lock, once there are so many."""
    async with asyncio.timeout(10):
        while len(pids := {row["pid"] for row in await watcher.fetch(WAITING)}) < count:
            await asyncio.sleep(0.01)
    return pids


# ── A long snapshot ──────────────────────────────────────────────────────────────────────────────


async def test_a_long_snapshot_makes_no_append_dearer(
    store: PostgresEventStore, database_url: str, superuser: Connection
) -> None:
    """A row that is updated leaves its former versions, and whoever holds a snapshot makes every
    append walk past all of them. So nothing an append reads or writes is ever updated."""
    holder = await asyncpg.connect(database_url)
    await holder.execute(
        "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM ledger.events"
    )
    for n in range(400):
        record = CommandRecord("till", f"k-{n}", b"f", b"{}")
        assert isinstance(
            await store.append(group(unit(event(f"s{n}"), record=record), **{f"s{n}": EMPTY})),
            Committed,
        )
    await store.close()  # with its end the connection hands in what it counted
    counted = "SELECT n_tup_ins, n_tup_upd + n_tup_del AS changed FROM pg_stat_user_tables "
    async with asyncio.timeout(20):
        while await superuser.fetchval(f"{counted} WHERE relname = 'events'") != 400:
            await asyncio.sleep(0.1)
    for table in TABLES:
        row = await superuser.fetchrow(
            f"{counted} WHERE schemaname = 'ledger' AND relname = $1", table
        )
        assert row is not None
        assert row["changed"] == 0, table
    assert await pages_of_the_head(superuser) <= HEAD_PAGES_MAX
    await holder.execute("COMMIT")
    await holder.close()


async def test_appends_that_were_rolled_back_make_the_head_no_dearer(
    store: PostgresEventStore, database_url: str, superuser: Connection
) -> None:
    """What they wrote lies behind the head until it is swept up."""
    assert isinstance(await store.append(one_event("a")), Committed)
    holder = await asyncpg.connect(database_url)
    await holder.execute(
        "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM ledger.events"
    )
    columns = "position + 1, gen_random_uuid()::text, 1, type, 1, payload, command_id, NULL, NULL"
    for _ in range(200):
        await superuser.execute("BEGIN")
        await superuser.execute(
            f"INSERT INTO ledger.events SELECT {columns}, now(), now(), '', 0, 1, '' "
            "FROM ledger.events ORDER BY position DESC LIMIT 1"
        )
        await superuser.execute("ROLLBACK")
    first_look, second_look = [await pages_of_the_head(superuser) for _ in range(2)]
    assert first_look <= 200 + HEAD_PAGES_MAX
    assert second_look <= HEAD_PAGES_MAX
    await holder.close()


async def pages_of_the_head(superuser: Connection) -> int:
    """How many pages the append's look at the last event touches, the way it looks."""
    source = await superuser.fetchval("SELECT prosrc FROM pg_proc WHERE proname = 'append_batch'")
    found = re.search(
        r"SELECT position, recorded_at, chain INTO [\w, ]+\s+(FROM ledger\.events .*?);", source
    )
    assert found is not None, "the append looks at the head otherwise now"
    await superuser.execute("SET enable_seqscan = off; SET enable_bitmapscan = off")
    plan = await superuser.fetchval(
        f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) SELECT position, recorded_at, chain {found[1]}"
    )
    counts = re.findall(r'"Shared (?:Hit|Read) Blocks": (\d+)', plan.partition('"Planning"')[0])
    return sum(map(int, counts[:2]))


# ── Isolation ────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("level", ["REPEATABLE READ", "SERIALIZABLE"])
async def test_an_append_that_could_see_an_old_snapshot_is_refused(
    store: PostgresEventStore, superuser: Connection, level: str
) -> None:
    arrays = ", ".join(["'{}'"] * 28)
    await superuser.execute(f"BEGIN ISOLATION LEVEL {level}")
    with pytest.raises(asyncpg.RaiseError, match="READ COMMITTED"):
        await superuser.execute(f"SELECT ledger.append_batch('{uuid4()}', {arrays})")
    await superuser.execute(f"ROLLBACK; SET default_transaction_isolation = '{level.lower()}'")
    with pytest.raises(asyncpg.RaiseError, match="READ COMMITTED"):
        await superuser.execute(
            f"CALL ledger.append_batch_tx('{uuid4()}', {arrays}, NULL, NULL, NULL, NULL)"
        )
    assert await store.head() == 0


async def test_a_database_with_another_default_changes_nothing(
    database_url: str, superuser: Connection
) -> None:
    name = database_url.rpartition("/")[2]
    await superuser.execute(
        f"ALTER DATABASE {name} SET default_transaction_isolation = 'serializable'"
    )
    store = await PostgresEventStore.connect(database_url)
    assert isinstance(await store.append(one_event("a")), Committed)
    await store.close()


async def test_two_that_wait_for_the_lock_each_check_what_is_true_after_it(
    database_url: str, superuser: Connection
) -> None:
    """A check in the lock's own statement sees what was before the wait: both would win."""
    holder = await asyncpg.connect(database_url)
    stores = [await PostgresEventStore.connect(database_url) for _ in range(2)]
    for stream in ("a", "b", "c"):
        await holder.execute(f"BEGIN; {LOCK}")
        appends = [asyncio.create_task(store.append(one_event(stream))) for store in stores]
        await waiting(superuser, 2)
        await holder.execute("COMMIT")
        first, second = sorted(await asyncio.gather(*appends), key=lambda r: type(r).__name__)
        assert isinstance(first, Committed)
        assert second == Conflicted(streams={stream: StreamHead(1, first.first_position)})
    for store in stores:
        await store.close()
    await holder.close()


# ── Settings of a session ────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("encoding", ["LATIN1", "WIN1252", "UTF8"])
async def test_a_session_of_another_encoding_chains_the_same_bytes(
    store: PostgresEventStore, database_url: str, encoding: str
) -> None:
    """Text as such is hashed in UTF-8, whatever a client reads and writes."""
    arrays: list[list[object]] = [
        ["account-Zo\u00eb"], [0], [0],
        ["account-Zo\u00eb"], [1], ["Gr\u00fc\u00dfte"], [1], [b"\xc3\xbc\x00\xff"],
        [uuid4()], [None], [None],
        ["2031-01-01 12:30:15.123456+00"], ["J\u00f6rg"], [0], [1],
        ["till"], ["k"], [b"f"], [b"{}"], [1], [1], [], [], [], [], [], [], [],
    ]  # fmt: skip
    with psycopg.connect(database_url, autocommit=True, client_encoding=encoding) as session:
        types = (
            "text int bigint text int text int bytea uuid uuid uuid timestamptz text int int "
            "text text bytea bytea int int text text text bytea text text text"
        )
        given = ", ".join(f"%s::{name}[]" for name in types.split())
        session.execute("SET bytea_output = 'escape'; SET DateStyle = 'SQL, DMY'")
        session.execute(
            f"CALL ledger.append_batch_tx(%s, {given}, NULL, NULL, NULL, NULL)",  # type: ignore[arg-type]
            [uuid4(), *arrays],
        )
    (recorded,) = await store.read_log(after_position=0, limit=10)
    assert (recorded.stream_id, recorded.actor) == ("account-Zo\u00eb", "J\u00f6rg")
    assert chain.verify([recorded], await store.incarnation()) is None


# ── Late cancels ─────────────────────────────────────────────────────────────────────────────────


async def test_a_cancelled_append_leaves_its_connection_behind(
    store: PostgresEventStore, database_url: str, superuser: Connection
) -> None:
    """Its cancel may reach the server late, and would hit whatever runs there by then."""
    holder = await asyncpg.connect(database_url)
    await holder.execute(f"BEGIN; {LOCK}")
    cancelled = asyncio.create_task(store.append(one_event("a")))
    first = await waiting(superuser, 1)
    cancelled.cancel()
    await asyncio.wait([cancelled])
    following = asyncio.create_task(store.append(one_event("b")))
    async with asyncio.timeout(10):
        while not await waiting(superuser, 1) - first:
            await asyncio.sleep(0.01)
    await holder.execute("COMMIT")
    assert isinstance(await following, Committed)
    await holder.close()


async def test_however_late_a_cancel_comes_the_next_append_is_not_hit(
    store: PostgresEventStore,
) -> None:
    chance = random.Random(11)
    for n in range(60):
        cancelled = asyncio.create_task(store.append(one_event(f"cancelled-{n}")))
        await asyncio.sleep(chance.random() * 0.004)
        cancelled.cancel()
        await asyncio.wait([cancelled])
        assert isinstance(await store.append(one_event(f"kept-{n}")), Committed)
    log = await store.read_log(after_position=0, limit=1_000)
    assert [each.position for each in log] == list(range(1, len(log) + 1))
