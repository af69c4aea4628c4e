"""How far a read model is folded: told by what is in it, not by what has come by."""

import re
from collections.abc import Sequence
from dataclasses import replace

import pytest

from projections import progress
from projections.progress import Progress, marked_position, progress_of
from projections.projection import Projection
from projections.read_models import ALL, balances, redemptions, reward_definitions, transactions
from projections.reading import FreshReads
from projections.rebuild import switch
from projections.reconcile import reconcile
from schemas.transactions import TransactionRecorded
from tests.projections.conftest import ReadSide
from tests.projections.histories import Chance, Written, issued

BALANCES = balances.PROJECTION
SALE = TransactionRecorded.model_validate(TransactionRecorded.EXAMPLE)


def on(profile: str, *lots: int) -> list[Written]:
    return [(f"account-{profile}", issued(profile, lot, 500)) for lot in lots]


async def position(read_side: ReadSide, projection: Projection = BALANCES) -> int:
    return (await progress_of(read_side.pool, projection)).position


@pytest.mark.parametrize("projection", ALL, ids=lambda each: each.name)
async def test_an_empty_log_lacks_nothing(read_side: ReadSide, projection: Projection) -> None:
    assert await progress_of(read_side.pool, projection) == Progress(0, is_parked=False)


async def test_what_nobody_has_filled_is_at_nothing(read_side: ReadSide) -> None:
    await read_side.writer.append(*on("p-1", 1, 2))
    assert await position(read_side) == 0
    assert await position(read_side, reward_definitions.PROJECTION) == 2, "none of it is its own"


async def test_a_partition_that_moves_hides_none_that_stands(read_side: ReadSide) -> None:
    """Of three profiles, each in a partition of its own, one waits at its second event."""
    await read_side.writer.append(*on("a", 1), *on("b", 2), *on("c", 3), *on("b", 4), *on("a", 5))
    log = await read_side.log()
    await read_side.apply(BALANCES, *(e for e in log if e.stream_version == 1))
    await read_side.apply(BALANCES, *(e for e in log if e.stream_id == "account-a"))
    assert await position(read_side) == 3
    await read_side.writer.append(*on("a", 6))
    await read_side.apply(BALANCES, *(await read_side.log())[-1:])
    assert await position(read_side) == 3
    await FreshReads(read_side.pool).catch_up(BALANCES, "account-b")
    assert await position(read_side) == 6


async def test_one_that_has_nothing_new_holds_nobody_up(read_side: ReadSide) -> None:
    await read_side.writer.append(*on("quiet", 1), *on("busy", 2, 3, 4))
    await read_side.apply(BALANCES, *await read_side.log())
    assert await position(read_side) == 4
    await read_side.writer.append(*on("busy", 5), ("transaction-900", SALE), *on("quiet", 6))
    assert await position(read_side) == 4
    await read_side.apply(BALANCES, *(await read_side.log())[4:5])
    assert await position(read_side) == 6, "a sale is none of a balance's"
    assert await position(read_side, transactions.PROJECTION) == 5


async def test_a_look_goes_by_position_and_key_whatever_the_planner_knows(
    read_side: ReadSide,
) -> None:
    """Many events and streams nobody has counted yet, and the first event is lacking."""
    await after(read_side, Chance(37, profiles=800).history(4_000))
    first, *log = await read_side.log()
    await read_side.apply(BALANCES, *(e for e in log if e.stream_id != first.stream_id))
    look = progress._sql(progress._LOOK, BALANCES)
    plan = await read_side.pool.fetch(f"EXPLAIN (ANALYZE) {look}", 0, 10_000, "account")
    text = "\n".join(row[0] for row in plan)
    assert await position(read_side) == 0
    for dear in ("Seq Scan", "Bitmap", "Hash", "Merge"):
        assert dear not in text, text
    (looked_at,) = re.findall(r"events_pkey on events events_1 .*rows=1\S* loops=(\d+)", text)
    assert looked_at == "1", text


async def test_a_parked_stream_is_told_and_not_waited_for(read_side: ReadSide) -> None:
    await read_side.writer.append(*on("a", 1), *on("b", 2))
    await read_side.pool.execute(
        f"INSERT INTO {BALANCES.streams.fullname} (stream_id, parked_at_version) "
        "VALUES ('account-a', 1)"
    )
    assert await progress_of(read_side.pool, BALANCES) == Progress(1, is_parked=True)
    await read_side.apply(BALANCES, *await read_side.log())
    assert await progress_of(read_side.pool, BALANCES) == Progress(2, is_parked=True)


@pytest.fixture
def small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "LOOK_EVENTS_MAX", 10)
    monkeypatch.setattr(progress, "REMEMBERED_EVERY_EVENTS", 5)


async def after(read_side: ReadSide, history: Sequence[Written]) -> int:
    await read_side.writer.append_all(history)
    return len(history)


@pytest.mark.usefixtures("small_steps")
async def test_a_look_is_bounded_and_the_next_goes_on(read_side: ReadSide) -> None:
    head = await after(read_side, Chance(31).history(64))
    await read_side.apply(BALANCES, *await read_side.log())
    for reached in (20, 40, 60, head, head):
        found = await progress_of(read_side.pool, BALANCES, looks_max=2)
        assert found.position == reached
    assert head - await marked_position(read_side.pool, BALANCES) < 5


@pytest.mark.usefixtures("small_steps")
async def test_nothing_beyond_the_first_gap_is_written_down(read_side: ReadSide) -> None:
    await after(read_side, [*Chance(32).history(30), *on("late", 90), *on("p-0", 91)])
    log = await read_side.log()
    late = next(e.position for e in log if e.stream_id == "account-late")
    await read_side.apply(BALANCES, *(e for e in log if e.position != late))
    assert await position(read_side) == late - 1
    assert await marked_position(read_side.pool, BALANCES) <= late - 1


@pytest.mark.usefixtures("small_steps")
async def test_a_mark_is_lost_with_the_rows_it_tells_of(read_side: ReadSide) -> None:
    head = await after(read_side, Chance(33).history(30))
    await read_side.apply(BALANCES, *await read_side.log())
    assert await position(read_side) == head
    await read_side.pool.execute(f"TRUNCATE {BALANCES.streams.fullname}")
    assert await position(read_side) == 0


async def test_a_rebuilt_model_says_how_far_it_was_built(read_side: ReadSide) -> None:
    head = await after(read_side, Chance(34).history(40))
    assert await position(read_side) == 0
    await switch(read_side.pool, BALANCES)
    assert await marked_position(read_side.pool, BALANCES) == head
    assert await position(read_side) == head


async def test_what_was_compared_and_repaired_is_looked_at_once(read_side: ReadSide) -> None:
    await after(read_side, Chance(35).history(40))
    await reconcile(read_side.pool, BALANCES, up_to_position=30)
    assert await marked_position(read_side.pool, BALANCES) == 30
    assert await reconcile(read_side.pool, BALANCES, up_to_position=30) == {}
    assert await reconcile(read_side.pool, BALANCES, up_to_position=1_000)
    assert await marked_position(read_side.pool, BALANCES) == 40, "there is no more yet"


async def test_a_new_version_begins_at_nothing(read_side: ReadSide) -> None:
    """It has tables of its own, and so a mark of its own."""
    head = await after(read_side, Chance(36).history(10))
    await read_side.apply(BALANCES, *await read_side.log())
    newer = replace(BALANCES, version=2, table=redemptions.PROJECTION.table)
    assert (await position(read_side), await position(read_side, newer)) == (head, 0)
