"""The committer without HTTP: 500 commands in flight, beside the store alone and pgbench's way."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime
from decimal import Decimal
from itertools import count
from uuid import uuid4

import asyncpg

from app.garbage import settle
from benchmarks.deployment import Deployment
from benchmarks.results import Result
from ledger.committer import Committer
from ledger.event_store.port import Append, NewEvent, StreamHead, Unit
from ledger.event_store.postgres import PostgresEventStore
from ledger.submission import Submission
from schemas.commands import Command
from schemas.events import encode
from schemas.redemptions import MakeRedemption, RedemptionMade
from schemas.reward_definitions import AddRewardDefinition
from schemas.rewards import IssueReward

IN_FLIGHT = 500
PROFILES = 1_000
INSERT_CLIENTS = 16


def run(at: Deployment, seconds: float) -> list[Result]:
    """Redemptions through the committer; the same number of events straight into the store."""
    return asyncio.run(_run(at, seconds))


async def _run(at: Deployment, seconds: float) -> list[Result]:
    store = await PostgresEventStore.connect(at.database_url)
    committer = Committer(store, clock=lambda: datetime.now(UTC))
    running = asyncio.create_task(committer.run())
    try:
        await _prepare(committer)
        settle()
        spread = await _redeem(committer, PROFILES, seconds)
        one = await _redeem(committer, 1, seconds)
        alone = await _appends(store, seconds)
    finally:
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running
        await store.close()
    single = await _single_rows(at, seconds)
    beside = f"store alone {alone:,.0f}/s"
    return [
        Result("committer, 1,000 profiles", f"{spread:,.0f}/s", beside, spread / alone, "≥ 10,000"),
        Result("committer, one profile", f"{one:,.0f}/s", beside, one / alone, "≥ 10,000"),
        Result(
            "committer, beside single-row inserts",
            f"{spread:,.0f}/s",
            f"{INSERT_CLIENTS} clients {single:,.0f}/s",
            spread / single,
        ),
    ]


async def _prepare(committer: Committer) -> None:
    fields = {"name": "B", "handle": "bench", "value": 1, "type": "bench", "period": 30}
    await _submit(committer, AddRewardDefinition.model_validate(fields))
    rewards = [
        IssueReward(
            profile_id=f"p-{number}",
            reward_definition_handle="bench",
            value_initial=Decimal(10_000_000),
        )
        for number in range(PROFILES)
    ]
    await asyncio.gather(*(_submit(committer, reward) for reward in rewards))


async def _submit(committer: Committer, command: Command) -> None:
    await committer.submit(Submission(command, "bench", "bench"))


async def _redeem(committer: Committer, profiles: int, seconds: float) -> float:
    commands = [
        MakeRedemption(profile_id=f"p-{number}", amount=Decimal("0.01"))
        for number in range(profiles)
    ]
    numbers = count()

    async def redeem_next() -> None:
        await _submit(committer, commands[next(numbers) % profiles])

    return await _rate(redeem_next, IN_FLIGHT, seconds)


async def _appends(store: PostgresEventStore, seconds: float) -> float:
    """Groups of ready-made events: what the store takes when nothing is decided."""
    event = RedemptionMade.model_validate(RedemptionMade.EXAMPLE)
    payload, now = encode(event), datetime.now(UTC)
    heads = dict.fromkeys(range(IN_FLIGHT), StreamHead())

    async def append_group() -> None:
        units = tuple(
            Unit(uuid4(), "bench", (NewEvent(f"bench-{n}", h.version + 1, "X", 1, payload, now),))
            for n, h in heads.items()
        )
        expected = {f"bench-{n}": head for n, head in heads.items()}
        done = await store.append(Append(uuid4(), units, expected))
        first = getattr(done, "first_position")  # noqa: B009 - a conflict would be a fault here
        for index, (number, head) in enumerate(heads.items()):
            heads[number] = StreamHead(head.version + 1, first + index)

    return IN_FLIGHT * await _rate(append_group, 1, seconds)


async def _single_rows(at: Deployment, seconds: float) -> float:
    """A row and a commit each, as a service without groups would."""
    async with asyncpg.create_pool(
        at.owner_database_url, min_size=INSERT_CLIENTS, max_size=INSERT_CLIENTS
    ) as pool:
        await pool.execute("CREATE TABLE bench_rows (id bigserial PRIMARY KEY, payload bytea)")
        payload = encode(RedemptionMade.model_validate(RedemptionMade.EXAMPLE))

        async def insert() -> None:
            await pool.execute("INSERT INTO bench_rows (payload) VALUES ($1)", payload)

        return await _rate(insert, INSERT_CLIENTS, seconds)


async def _rate(step: Callable[[], Awaitable[None]], in_flight: int, seconds: float) -> float:
    done = 0
    start = time.perf_counter()

    async def work() -> None:
        nonlocal done
        while time.perf_counter() - start < seconds:
            await step()
            done += 1

    await asyncio.gather(*(work() for _ in range(in_flight)))
    return done / (time.perf_counter() - start)
