"""Snapshots on PostgreSQL: used only where the log still has the event they were taken at."""

from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest

from ledger.event_store.port import StreamHead
from ledger.event_store.postgres import PostgresEventStore
from ledger.event_store.snapshots import PostgresSnapshots, Snapshot
from tests.contracts.groups import EMPTY, event, group, unit

MADE_BY = b"this fold"


@pytest.fixture
async def snapshots(application_url: str) -> AsyncIterator[PostgresSnapshots]:
    async with asyncpg.create_pool(application_url, min_size=1, max_size=2) as pool:
        yield PostgresSnapshots(pool)


async def three_events(store: PostgresEventStore) -> None:
    await store.append(group(unit(event("a", 1), event("a", 2), event("b", 1)), a=EMPTY, b=EMPTY))


def of_a(version: int, position: int, state: bytes = b"state") -> Snapshot:
    return Snapshot("a", StreamHead(version, position), state)


async def test_what_is_kept_is_found(
    store: PostgresEventStore, snapshots: PostgresSnapshots
) -> None:
    await three_events(store)
    await snapshots.keep(of_a(2, 2), MADE_BY)
    assert await snapshots.newest(["a", "b"], MADE_BY) == {"a": of_a(2, 2)}
    assert await snapshots.newest(["a"], b"another fold") == {}


async def test_a_newer_one_replaces_an_older_and_never_the_other_way(
    store: PostgresEventStore, snapshots: PostgresSnapshots
) -> None:
    await three_events(store)
    await snapshots.keep(of_a(2, 2, b"new"), MADE_BY)
    await snapshots.keep(of_a(1, 1, b"old"), MADE_BY)
    assert (await snapshots.newest(["a"], MADE_BY))["a"].state == b"new"
    await snapshots.keep(of_a(1, 1, b"of a new release"), b"another fold")
    assert (await snapshots.newest(["a"], b"another fold"))["a"].head == StreamHead(1, 1)


async def test_one_of_an_event_the_log_does_not_have_is_not_kept(
    store: PostgresEventStore, snapshots: PostgresSnapshots
) -> None:
    await three_events(store)
    for wrong in (of_a(3, 3), of_a(2, 1), of_a(9, 9)):
        await snapshots.keep(wrong, MADE_BY)
        assert await snapshots.newest(["a"], MADE_BY) == {}


async def test_one_of_another_history_is_not_used(
    store: PostgresEventStore,
    snapshots: PostgresSnapshots,
    superuser: "asyncpg.Connection[Any]",
) -> None:
    """As after a restore: the same version at the same position, and another event there."""
    await three_events(store)
    await snapshots.keep(of_a(2, 2), MADE_BY)
    await superuser.execute("UPDATE ledger.snapshots SET chain = '\\x00'")
    assert await snapshots.newest(["a"], MADE_BY) == {}


async def test_a_stream_is_read_from_a_version_on(store: PostgresEventStore) -> None:
    await three_events(store)
    found = await store.payloads({"a": 1, "b": 0, "none": 0})
    assert [e.stream_version for e in found["a"]] == [2]
    assert [e.stream_version for e in found["b"]] == [1]
    assert list(found["none"]) == []
    assert list((await store.payloads({"a": 2}))["a"]) == []
