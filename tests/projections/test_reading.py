"""A read right after a command is right, whether or not any projector runs."""

import asyncio
from typing import Any

import asyncpg
import pytest

from projections.projection import Projection
from projections.read_models import ALL, balances, redemptions, rewards, transactions
from projections.reading import PARKED, FreshReads
from schemas.transactions import (
    AttachedTransactionVoided,
    TransactionAttached,
    TransactionRecorded,
    TransactionVoided,
)
from tests.projections.conftest import ReadSide
from tests.projections.histories import Chance, Written, issued, redeemed

RECORDED = TransactionRecorded.model_validate(TransactionRecorded.EXAMPLE)
ATTACHED = TransactionAttached.model_validate(TransactionAttached.EXAMPLE)


async def test_a_read_right_after_an_append_sees_it(read_side: ReadSide) -> None:
    reads = FreshReads(read_side.pool)
    nothing = await reads.catch_up(balances.PROJECTION, "account-p-1")
    assert (nothing.position, nothing.stale_code) == (0, None)
    await read_side.writer.append(("account-p-1", issued("p-1", 1, 500)))
    assert (await reads.catch_up(balances.PROJECTION, "account-p-1")).position == 1
    await read_side.writer.append(("account-p-1", redeemed("p-1", 2, (1, 120))))
    assert (await reads.catch_up(balances.PROJECTION, "account-p-1")).position == 2
    (row, *_) = await read_side.rows(balances.PROJECTION)
    assert row[3] == 380
    # What the projector brings later is done already.
    late = await read_side.apply(balances.PROJECTION, *await read_side.log())
    assert late.events == 0


async def test_a_long_tail_is_folded_in_pages(read_side: ReadSide) -> None:
    history = Chance(21, profiles=1).history(1_234)
    await read_side.writer.append_all(history)
    fresh = await FreshReads(read_side.pool).catch_up(rewards.PROJECTION, "account-p-0")
    assert fresh.position == len(history)


async def test_many_at_once_and_many_readers(read_side: ReadSide) -> None:
    streams = [f"account-p-{n}" for n in range(50)]
    await read_side.writer.append_all(Chance(22, profiles=50).history(600))
    reads = FreshReads(read_side.pool)
    found = await asyncio.gather(
        *(reads.catch_up_many(redemptions.PROJECTION, streams[n:]) for n in range(8))
    )
    assert all(not fresh.stale_code for each in found for fresh in each.values())
    rows = await read_side.rows(redemptions.PROJECTION)
    await read_side.apply(redemptions.PROJECTION, *await read_side.log())
    assert await read_side.rows(redemptions.PROJECTION) == rows


async def test_new_and_known_streams_locked_by_many_never_deadlock(read_side: ReadSide) -> None:
    projection = redemptions.PROJECTION
    streams = [f"account-p-{n}" for n in range(40)]
    await read_side.writer.append_all(Chance(23, profiles=40).history(200))
    log = await read_side.log()

    async def apply_from(start: int) -> None:
        for first in range(start, len(streams), 10):
            some = set(streams[first : first + 10])
            await read_side.apply(projection, *(r for r in log if r.stream_id in some))

    for _ in range(20):
        for table in (projection.table, projection.streams):
            await read_side.pool.execute(f"TRUNCATE {table.fullname}")
        # No retry here: a deadlock would come out.
        await asyncio.gather(*map(apply_from, range(8)))


@pytest.mark.parametrize(
    "projection", [balances.PROJECTION, redemptions.PROJECTION], ids=lambda each: each.name
)
async def test_a_parked_stream_is_stale_and_no_error(
    read_side: ReadSide, projection: Projection
) -> None:
    await read_side.writer.append(
        ("account-p-1", issued("p-1", 1, 500)),
        ("account-p-1", redeemed("p-1", 2, (1, 100))),
    )
    await read_side.pool.execute(
        f"INSERT INTO {projection.streams.fullname} VALUES ('account-p-1', 0, 0, 1, 'x', now())"
    )
    fresh = await FreshReads(read_side.pool).catch_up(projection, "account-p-1")
    assert (fresh.position, fresh.stale_code) == (0, PARKED)


async def test_a_deadlock_is_tried_once_more(
    read_side: ReadSide, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads = FreshReads(read_side.pool)
    await read_side.writer.append(("account-p-1", issued("p-1", 1, 500)))
    fold, failures = reads._fold_tails, [asyncpg.DeadlockDetectedError("x")]

    async def fails_once(*arguments: object) -> None:
        if failures:
            raise failures.pop()
        await fold(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(reads, "_fold_tails", fails_once)
    assert (await reads.catch_up(balances.PROJECTION, "account-p-1")).position == 1


def _sale(number: int) -> list[Written]:
    return [
        (f"transaction-{number}", RECORDED.model_copy(update={"transaction_id": number})),
        ("account-p-1", ATTACHED.model_copy(update={"transaction_id": number})),
    ]


async def test_a_profiles_transactions_are_fresh(read_side: ReadSide) -> None:
    reads = FreshReads(read_side.pool)
    await read_side.writer.append(*_sale(900), *_sale(901))
    await reads.catch_up_profile_transactions("p-1")
    assert [row[0] for row in await read_side.rows(transactions.PROJECTION)] == [900, 901]
    await read_side.writer.append(
        ("transaction-901", TransactionVoided(transaction_id=901)),
        ("account-p-1", AttachedTransactionVoided(transaction_id=901)),
        *_sale(902),
    )
    fresh = await reads.catch_up_profile_transactions("p-1")
    assert (fresh.position, fresh.stale_code) == (8, None)
    rows = await read_side.rows(transactions.PROJECTION)
    assert [(row[0], row[6]) for row in rows] == [(900, False), (901, True), (902, False)]
    again = await reads.catch_up_profile_transactions("p-1")
    assert again == fresh


async def test_a_parked_transaction_stays_stale_until_it_heals(read_side: ReadSide) -> None:
    reads = FreshReads(read_side.pool)
    await read_side.writer.append(*_sale(900), *_sale(901))
    streams = transactions.PROJECTION.streams.fullname
    await read_side.pool.execute(
        f"INSERT INTO {streams} VALUES ('transaction-900', 0, 0, 1, 'x', now())"
    )
    for _ in range(2):
        fresh = await reads.catch_up_profile_transactions("p-1")
        assert fresh.stale_code == PARKED
    await read_side.pool.execute(f"DELETE FROM {streams} WHERE stream_id = 'transaction-900'")
    assert (await reads.catch_up_profile_transactions("p-1")).stale_code is None
    assert [row[0] for row in await read_side.rows(transactions.PROJECTION)] == [900, 901]


async def test_the_applications_role_may_do_all_this(read_side: ReadSide) -> None:
    await read_side.writer.append(("account-p-1", issued("p-1", 1, 500)), *_sale(900))

    async def as_application(connection: "asyncpg.Connection[Any]") -> None:
        await connection.execute("SET ROLE ledger_application")

    async with asyncpg.create_pool(read_side.url, min_size=1, setup=as_application) as pool:
        reads = FreshReads(pool)
        for projection in ALL:
            for stream_id in ("account-p-1", "transaction-900", "programme"):
                assert (await reads.catch_up(projection, stream_id)).stale_code is None
        assert (await reads.catch_up_profile_transactions("p-1")).position == 3
        assert await pool.fetchval("SELECT count(*) FROM projections.balances_v1") == 1
        await pool.execute("DELETE FROM projections.dead_letters")
