"""The projector: events a second into a read model, from memory and through Kafka."""

import asyncio
import gc
import time
from datetime import UTC, datetime
from uuid import uuid4

import asyncpg

from app.garbage import settle
from benchmarks.deployment import Deployment, caught_up, until
from benchmarks.results import Result
from ledger.event_store.port import Append, NewEvent, StreamHead, Unit
from ledger.event_store.postgres import PostgresEventStore
from projections.applying import apply
from projections.read_models import balances
from schemas.envelope import Recorded
from schemas.events import Event, encode
from schemas.movements import Book, moved
from schemas.redemptions import RedemptionMade
from schemas.rewards import RewardIssued

PROFILES = 1_000
EVENTS_EACH = 40
BATCH = 1_000
CATCH_UP_SECONDS_MAX = 600.0


def run(at: Deployment, _: float) -> list[Result]:
    """Fill the log, fold it batch by batch, then let relay and projectors do it once more."""
    found = asyncio.run(_folded(at))
    with at.serving("relay"):
        relayed = until(lambda: asyncio.run(_published(at)), "the relay", CATCH_UP_SECONDS_MAX)
    asyncio.run(_emptied(at))
    with at.serving("projector"):
        all_of_them = until(lambda: caught_up(at), "the projectors", CATCH_UP_SECONDS_MAX)
    events = PROFILES * EVENTS_EACH
    return [
        *found,
        Result("relay, log to Kafka", f"{events / relayed:,.0f} events/s", "start included"),
        Result(
            "projectors of all read models in one process",
            f"{events / all_of_them:,.0f} events/s",
            "start included",
        ),
    ]


async def _folded(at: Deployment) -> list[Result]:
    store = await PostgresEventStore.connect(at.database_url)
    await _fill(store)
    log: list[Recorded] = []
    while page := await store.read_log(after_position=len(log), limit=10_000):
        log.extend(page)
    await store.close()
    settle()
    connection = await asyncpg.connect(at.database_url)
    start = time.perf_counter()
    for first in range(0, len(log), BATCH):
        async with connection.transaction():
            await connection.execute("SET LOCAL synchronous_commit = off")
            await apply(connection, balances.PROJECTION, log[first : first + BATCH])
    folded = len(log) / (time.perf_counter() - start)
    await connection.execute("CREATE TEMPORARY TABLE bare (LIKE projections.balances_v1)")
    found = await connection.fetch("SELECT * FROM projections.balances_v1")
    rows = [tuple(row) for row in found]
    start = time.perf_counter()
    for _ in range(len(log) // BATCH):
        await connection.copy_records_to_table("bare", records=rows)
    copied = len(rows) * (len(log) // BATCH) / (time.perf_counter() - start)
    await connection.close()
    gc.unfreeze()
    return [
        Result(
            "projector (balances): decode, fold, upsert",
            f"{folded:,.0f} events/s",
            f"COPY of its rows {copied:,.0f}/s",
            folded / copied,
            "≥ 30,000",
        )
    ]


async def _fill(store: PostgresEventStore) -> None:
    """Rounds over all profiles, as a busy shop writes them."""
    heads = {number: StreamHead() for number in range(PROFILES)}
    now = datetime.now(UTC)
    for round_number in range(EVENTS_EACH):
        for first in range(0, PROFILES, BATCH // 2):
            chosen = range(first, first + BATCH // 2)
            units = tuple(
                Unit(
                    command_id=uuid4(),
                    actor="bench",
                    events=(_new(round_number, number, heads[number].version + 1, now),),
                )
                for number in chosen
            )
            expected = {f"account-p-{number}": heads[number] for number in chosen}
            done = await store.append(Append(uuid4(), units, expected))
            position = getattr(done, "first_position")  # noqa: B009 - nobody else writes here
            for index, number in enumerate(chosen):
                heads[number] = StreamHead(heads[number].version + 1, position + index)


def _new(round_number: int, number: int, version: int, now: datetime) -> NewEvent:
    event = _event(round_number, number)
    payload = encode(event)
    return NewEvent(f"account-p-{number}", version, type(event).__name__, 1, payload, now)


def _event(round_number: int, number: int) -> Event:
    lot = 1 + number
    if round_number == 0:
        return RewardIssued.model_validate(
            RewardIssued.EXAMPLE
            | {
                "reward_id": lot,
                "profile_id": f"p-{number}",
                "movements": moved(lot, Book.ISSUED, Book.AVAILABLE, 100_000),
            }
        )
    return RedemptionMade.model_validate(
        RedemptionMade.EXAMPLE
        | {
            "redemption_id": 10_000 + round_number * PROFILES + number,
            "profile_id": f"p-{number}",
            "movements": moved(lot, Book.AVAILABLE, Book.REDEEMED, 1),
        }
    )


async def _published(at: Deployment) -> bool:
    connection = await asyncpg.connect(at.database_url)
    try:
        return bool(
            await connection.fetchval(
                "SELECT EXISTS (SELECT FROM ledger.relay_checkpoint WHERE published_position = "
                "(SELECT max(position) FROM ledger.events))"
            )
        )
    finally:
        await connection.close()


async def _emptied(at: Deployment) -> None:
    connection = await asyncpg.connect(at.owner_database_url)
    for suffix in ("", "_streams", "_notes"):
        await connection.execute(f"TRUNCATE projections.balances_v1{suffix}")
    await connection.close()
