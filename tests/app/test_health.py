"""/readyz: what it says of each dependency, and that it never hangs or raises."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import asyncpg
import pytest

from app.health import Asked, Health
from ledger.event_store.port import Append, NewEvent, StreamHead, Unit
from ledger.event_store.postgres import PostgresEventStore
from projections.read_models import ALL

ASKED = Asked("events", 10, 30.0, None, {})


@pytest.fixture
async def pool(database_url: str) -> AsyncIterator["asyncpg.Pool[Any]"]:
    async with asyncpg.create_pool(database_url, min_size=1, max_size=3) as opened:
        yield opened


@pytest.fixture
async def led(pool: "asyncpg.Pool[Any]") -> AsyncIterator[None]:
    """A relay leads somewhere."""
    async with pool.acquire() as connection:
        lock = "SELECT pg_advisory_lock(hashtextextended('relay_checkpoint:events', 0))"
        await connection.execute(lock)
        yield


async def write_events(database_url: str, count: int) -> None:
    store = await PostgresEventStore.connect(database_url)
    now = datetime.now(UTC)
    events = tuple(
        NewEvent("account-p", version, "ProfileRegistered", 1, b"{}", now)
        for version in range(1, count + 1)
    )
    unit = Unit(uuid4(), "test", events)
    await store.append(Append(uuid4(), (unit,), {"account-p": StreamHead()}))
    await store.close()


@pytest.mark.usefixtures("led")
async def test_all_is_well_on_an_empty_log(pool: "asyncpg.Pool[Any]") -> None:
    report = await Health(pool, ASKED)()
    assert (report.status, report.lag_events, report.lag_seconds) == ("ok", 0, 0.0)


@pytest.mark.usefixtures("led")
async def test_what_is_not_published_is_lag(database_url: str, pool: "asyncpg.Pool[Any]") -> None:
    await write_events(database_url, 5)
    report = await Health(pool, ASKED)()
    assert report.lag_events == 5
    assert report.lag_seconds is not None
    assert 0 < report.lag_seconds < 30
    assert report.status == "ok"


@pytest.mark.usefixtures("led")
async def test_one_read_model_that_stands_is_lag_though_all_others_move(
    database_url: str, pool: "asyncpg.Pool[Any]"
) -> None:
    """Nor does it help that a partition of it has moved on: a checkpoint says so here."""
    await write_events(database_url, 5)
    for projection in ALL:
        version = 2 if projection.name == "journal" else 5
        await pool.execute(
            f"INSERT INTO {projection.streams.fullname} (stream_id, stream_version) "
            "VALUES ('account-p', $1)",
            version,
        )
        await pool.execute(
            "INSERT INTO projections.checkpoints (projection, version, incarnation, topic, "
            "partition, next_offset, position) VALUES ($1, $2, gen_random_uuid(), 't', 0, 5, 5)",
            projection.name,
            projection.version,
        )
    report = await Health(pool, replace(ASKED, lag_events_max=2))()
    assert report.lag_events == 3
    (cause,) = (c.detail for c in report.components if c.name == "read models")
    assert cause.startswith("3 events of the log follow on what is folded into journal")
    await pool.execute("UPDATE projections.journal_v1_streams SET stream_version = 5")
    assert (await Health(pool, ASKED)()).lag_events == 0


@pytest.mark.parametrize("limit", [{"lag_events_max": 4}, {"lag_seconds_max": 0.000001}])
@pytest.mark.usefixtures("led")
async def test_too_much_lag_is_degraded_and_commands_go_on(
    limit: dict[str, Any], database_url: str, pool: "asyncpg.Pool[Any]"
) -> None:
    await write_events(database_url, 5)
    report = await Health(pool, replace(ASKED, **limit))()
    assert report.status == "degraded"
    assert report.accepting
    assert {c.name for c in report.components if not c.ok} == {"relay", "read models"}


@pytest.mark.usefixtures("led")
async def test_kafka_away_is_degraded_and_commands_go_on(pool: "asyncpg.Pool[Any]") -> None:
    report = await Health(pool, replace(ASKED, kafka_bootstrap_servers="127.0.0.1:1"))()
    assert report.status == "degraded"
    assert report.accepting
    assert [c.name for c in report.components if not c.ok] == ["kafka"]


async def test_without_a_relay_it_is_degraded(pool: "asyncpg.Pool[Any]") -> None:
    report = await Health(pool, ASKED)()
    assert report.status == "degraded"
    assert [(c.name, c.detail) for c in report.components if not c.ok] == [
        ("relay", "no relay is running")
    ]


@pytest.mark.usefixtures("led")
async def test_a_parked_stream_is_told(pool: "asyncpg.Pool[Any]") -> None:
    await pool.execute(
        "INSERT INTO projections.balances_v1_streams (stream_id, parked_at_version) "
        "VALUES ('account-p', 1)"
    )
    report = await Health(pool, ASKED)()
    assert [(c.name, c.detail) for c in report.components if not c.ok] == [
        ("parked streams", "balances: 1")
    ]


async def test_postgresql_away_is_unavailable(
    pool: "asyncpg.Pool[Any]", server_url: str, database_url: str
) -> None:
    name = database_url.rpartition("/")[2]
    admin = await asyncpg.connect(server_url)
    await admin.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
    await admin.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1", name
    )
    await admin.close()
    report = await Health(pool, ASKED)()
    assert report.status == "unavailable"
    assert not report.accepting
    assert report.lag_events is None


@pytest.mark.usefixtures("led")
async def test_a_kafka_is_there(pool: "asyncpg.Pool[Any]", kafka: str) -> None:
    report = await Health(pool, replace(ASKED, kafka_bootstrap_servers=kafka))()
    assert report.status == "ok"
