"""Each event exactly once, in order, whatever comes twice, late, early or broken."""

import random

import pytest

from projections.applying import NotInTheLog, ValuesRefused, apply, unpark
from projections.projection import Projection
from projections.read_models import ALL, balances, journal, redemptions
from schemas.envelope import Recorded
from schemas.identities import IdentityAttached
from schemas.movements import Book, moved
from schemas.programme import ProgrammeSettingsChanged
from schemas.reward_definitions import RewardDefinitionAdded
from schemas.rewards import RewardActivated
from schemas.transaction_claims import TransactionClaimOpened
from schemas.transactions import RedemptionAttributed, TransactionRecorded, TransactionVoided
from tests.projections.conftest import ReadSide
from tests.projections.histories import Chance, Written, issued, redeemed

OTHERS: list[Written] = [
    ("programme", RewardDefinitionAdded.model_validate(RewardDefinitionAdded.EXAMPLE)),
    ("programme", ProgrammeSettingsChanged.model_validate(ProgrammeSettingsChanged.EXAMPLE)),
    ("transaction-900", TransactionRecorded.model_validate(TransactionRecorded.EXAMPLE)),
    ("transaction-900", RedemptionAttributed.model_validate(RedemptionAttributed.EXAMPLE)),
    ("transaction-900", TransactionVoided.model_validate(TransactionVoided.EXAMPLE)),
    ("account-p-1", IdentityAttached(identity_id=40, handle="card", is_primary=True)),
    ("account-p-1", TransactionClaimOpened.model_validate(TransactionClaimOpened.EXAMPLE)),
]

every_projection = pytest.mark.parametrize("projection", ALL, ids=lambda each: each.name)


@every_projection
async def test_delivered_twice_is_delivered_once(
    read_side: ReadSide, projection: Projection
) -> None:
    await read_side.writer.append_all([*Chance(1).history(60), *OTHERS])
    log = await read_side.log()
    first = await read_side.apply(projection, *log)
    assert first.events
    rows = await read_side.rows(projection)
    assert rows
    again = await read_side.apply(projection, *log, *log)
    assert (again.events, again.gaps_filled) == (0, 0)
    assert await read_side.rows(projection) == rows


@every_projection
@pytest.mark.parametrize("seed", range(3))
async def test_any_delivery_ends_as_the_log_in_order(
    read_side: ReadSide, projection: Projection, seed: int
) -> None:
    await read_side.writer.append_all([*Chance(seed).history(120), *OTHERS])
    log = await read_side.log()
    await read_side.apply(projection, *log)
    expected = await read_side.rows(projection)
    await _empty(read_side, projection)
    chance = random.Random(seed)
    for batch in _shuffled(log, chance):
        await read_side.apply(projection, *batch)
    # The last event of each stream has come at least once, so nothing is missing.
    await read_side.apply(projection, *{each.stream_id: each for each in log}.values())
    assert await read_side.rows(projection) == expected


async def test_a_gap_is_filled_from_the_log(read_side: ReadSide) -> None:
    await read_side.writer.append_all(Chance(5, profiles=1).history(40))
    log = await read_side.log()
    applied = await read_side.apply(balances.PROJECTION, log[-1])
    assert (applied.events, applied.gaps_filled) == (40, 40)


async def test_an_event_the_log_does_not_have_is_refused(read_side: ReadSide) -> None:
    await read_side.writer.append_all(Chance(5, profiles=1).history(4))
    last = (await read_side.log())[-1]
    foreign = _changed(last, stream_version=9, position=9)
    for projection in (balances.PROJECTION, journal.PROJECTION):
        with pytest.raises(NotInTheLog):
            await read_side.apply(projection, foreign)


async def test_poison_parks_its_profile_alone_and_unpark_heals(read_side: ReadSide) -> None:
    projection = redemptions.PROJECTION
    await read_side.writer.append(
        ("account-p-1", issued("p-1", 1, 500)),
        ("account-p-1", redeemed("p-1", 2, (1, 100))),
        ("account-p-2", issued("p-2", 3, 500)),
        ("account-p-1", redeemed("p-1", 4, (1, 100))),
        ("account-p-2", redeemed("p-2", 5, (3, 100))),
    )
    log = await read_side.log()
    poisoned = [_changed(log[3], payload=b"{"), *log[4:]]
    applied = await read_side.apply(projection, *log[:3], *poisoned)
    assert set(applied.parked) == {"account-p-1"}
    assert await read_side.parked(projection) == {"account-p-1": 3}
    assert [row[0] for row in await read_side.rows(projection)] == [2, 5]

    await read_side.writer.append(("account-p-1", redeemed("p-1", 6, (1, 100))))
    later = await read_side.apply(projection, *(await read_side.log())[5:])
    assert (later.events, later.skipped) == (0, 1)

    async with read_side.pool.acquire() as connection, connection.transaction():
        healed = await unpark(connection, projection, "account-p-1")
    assert (healed.events, healed.parked) == (2, {})
    assert await read_side.parked(projection) == {}
    assert [row[0] for row in await read_side.rows(projection)] == [2, 4, 5, 6]


async def test_a_fold_that_raises_parks_too(read_side: ReadSide) -> None:
    never_issued = RewardActivated(reward_id=9, movements=moved(9, Book.PENDING, Book.AVAILABLE, 5))
    await read_side.writer.append(
        ("account-p-1", never_issued), ("account-p-2", issued("p-2", 3, 500))
    )
    applied = await read_side.apply(balances.PROJECTION, *await read_side.log())
    assert set(applied.parked) == {"account-p-1"}
    assert "Overdrawn" in applied.parked["account-p-1"]
    assert [row[0] for row in await read_side.rows(balances.PROJECTION)] == ["p-2"]


async def test_a_value_postgres_refuses_parks_only_its_own_stream(read_side: ReadSide) -> None:
    written: list[Written] = []
    for n in range(20):
        amount = 2**63 + 5 if n == 7 else 100
        written += [(f"account-p-{n}", issued(f"p-{n}", n, 100))]
        written += [(f"account-p-{n}", issued(f"p-{n}", 100 + n, amount))]
    await read_side.writer.append_all(written)
    log = await read_side.log()
    applied = await read_side.apply(balances.PROJECTION, *log)
    assert await read_side.parked(balances.PROJECTION) == {"account-p-7": 2}
    assert (applied.events, list(applied.parked)) == (39, ["account-p-7"])
    rows = {row[0]: row[1] for row in await read_side.rows(balances.PROJECTION)}
    assert rows["p-7"] == 100
    assert set(rows.values()) == {100, 200}
    assert len(rows) == 20


async def test_without_narrowing_a_refused_value_is_only_told(read_side: ReadSide) -> None:
    await read_side.writer.append(("account-p-1", issued("p-1", 1, 2**63)))
    log = await read_side.log()
    with pytest.raises(ValuesRefused):
        async with read_side.pool.acquire() as connection, connection.transaction():
            await apply(connection, balances.PROJECTION, log, narrowing=False)
    assert await read_side.rows(balances.PROJECTION) == []


def _shuffled(log: list[Recorded], chance: random.Random) -> list[list[Recorded]]:
    """The log in batches: out of order, with repeats, and with some left out at first."""
    delivered = [each for each in log for _ in range(chance.choice([0, 1, 1, 2]))]
    near = sorted(delivered, key=lambda each: each.position + chance.randint(0, 12))
    batches, start = [], 0
    while start < len(near):
        size = chance.randint(1, 25)
        batches.append(near[start : start + size])
        start += size
    return batches


async def _empty(read_side: ReadSide, projection: Projection) -> None:
    for table in (projection.table, projection.notes, projection.streams):
        await read_side.pool.execute(f"TRUNCATE {table.fullname}")


def _changed(record: Recorded, **changes: object) -> Recorded:
    fields = {name: getattr(record, name) for name in Recorded.__slots__}
    return Recorded(**(fields | changes))


async def test_a_parked_reason_never_quotes_what_stood_there(read_side: ReadSide) -> None:
    await read_side.writer.append(("account-p-1", issued("p-1", 1, 500)))
    (event,) = await read_side.log()
    secret = _changed(event, payload=b'{"reward_id": "ada@example.org", "meta": "ada@example.org"}')
    applied = await read_side.apply(balances.PROJECTION, secret)
    reason = applied.parked["account-p-1"]
    assert "ada@" not in reason
    assert "reward_id: int_parsing" in reason
