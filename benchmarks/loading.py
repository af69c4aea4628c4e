"""An account of 10,000 events loaded cold, as for its first command after a restart."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime, timedelta
from statistics import median
from uuid import uuid4

import asyncpg

from app.garbage import settle
from benchmarks.deployment import Deployment
from benchmarks.results import Result
from ledger.event_store.port import Append, NewEvent, StreamHead, Unit
from ledger.event_store.postgres import PostgresEventStore
from ledger.event_store.snapshots import PostgresSnapshots, Snapshot
from ledger.snapshot_keeper import SnapshotKeeper
from ledger.snapshots import fingerprint, pack
from ledger.state_cache import StateCache
from schemas.events import Event, encode
from schemas.movements import Book, moved
from schemas.profiles import ProfileRegistered
from schemas.redemptions import RedemptionMade
from schemas.rewards import RewardIssued

PROFILE = "long"
STREAM = f"account-{PROFILE}"
REWARDS = 2_500
REPEATS = 9
GROUP = 1_000
START = datetime(2026, 1, 1, tzinfo=UTC)
_PAYLOADS = "SELECT payload FROM ledger.events WHERE stream_id = $1 ORDER BY stream_version"


def run(at: Deployment, _: float) -> list[Result]:
    """With a snapshot and without, beside reading the payloads alone."""
    return asyncio.run(_run(at))


async def _run(at: Deployment) -> list[Result]:
    store = await PostgresEventStore.connect(at.database_url)
    pool = await asyncpg.create_pool(at.database_url, min_size=1, max_size=2)
    try:
        await _write(store)
        snapshots = PostgresSnapshots(pool)

        async def cold() -> StateCache:
            cache = StateCache(store, SnapshotKeeper(snapshots))
            await cache.load([STREAM])
            return cache

        settle()
        payloads = await _milliseconds(lambda: pool.fetch(_PAYLOADS, STREAM))
        whole = await _milliseconds(cold)
        loaded = (await (await cold()).load([STREAM]))[STREAM]
        await snapshots.keep(Snapshot(STREAM, loaded.head, pack(loaded.state)), fingerprint())
        packed = await _milliseconds(cold)
    finally:
        await pool.close()
        await store.close()
    beside = f"reading its payloads {payloads:.1f} ms"
    return [
        Result("a cold account of 10,000 events", f"{whole:.1f} ms", beside, goal="≤ 100 ms"),
        Result("the same with a snapshot", f"{packed:.1f} ms", beside, goal="≤ 10 ms"),
    ]


async def written(database_url: str) -> None:
    """Write the account."""
    store = await PostgresEventStore.connect(database_url)
    try:
        await _write(store)
    finally:
        await store.close()


async def _milliseconds(work: Callable[[], Awaitable[object]]) -> float:
    took: list[float] = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        await work()
        took.append((time.perf_counter() - start) * 1000)
    return median(took)


async def _write(store: PostgresEventStore) -> None:
    events = list(_events())
    head = StreamHead()
    for first in range(0, len(events), GROUP):
        new = tuple(
            NewEvent(STREAM, first + n, type(e).__name__, e.SCHEMA_VERSION, encode(e), START)
            for n, e in enumerate(events[first : first + GROUP], start=1)
        )
        done = await store.append(Append(uuid4(), (Unit(uuid4(), "bench", new),), {STREAM: head}))
        head = StreamHead(first + len(new), getattr(done, "first_position", 0) + len(new) - 1)


def _events() -> Iterator[Event]:
    """Rewards of 10, each spent by three redemptions."""
    yield ProfileRegistered(profile_id=PROFILE)
    for reward in range(1, REWARDS * 4, 4):
        yield RewardIssued(
            reward_id=reward,
            profile_id=PROFILE,
            definition_id=1,
            definition_version=1,
            period=30,
            period_type="days",
            value_initial_minor=1_000,
            value_remaining_minor=1_000,
            issued_at=START,
            expires_at=START + timedelta(days=3_650),
            timezone="Australia/Melbourne",
            movements=moved(reward, Book.ISSUED, Book.AVAILABLE, 1_000),
        )
        for number, amount in enumerate((300, 300, 400), start=1):
            yield RedemptionMade(
                redemption_id=reward + number,
                profile_id=PROFILE,
                requested_minor=amount,
                total_minor=amount,
                strategies=("rewards",),
                strict=True,
                reversible_until=START,
                movements=moved(reward, Book.AVAILABLE, Book.REDEEMED, amount),
            )
