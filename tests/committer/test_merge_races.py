"""Two profiles become one while tills go on with both: whoever is first, nothing is spent twice,
nothing is lost, and every number leads to where it is now."""

from collections.abc import AsyncIterator

import pytest
from committer.interleaved import InterleavedStore
from committer.processes import NOW, Process, account_of, defined, redeem, reward

from ledger.rejections import InsufficientBalance, Rejection
from ledger.submission import Accepted, Answer
from schemas.commands import Command
from schemas.movements import Book
from schemas.profiles import MergeProfiles
from schemas.redemptions import ReverseRedemption
from schemas.rewards import ReassignReward

SEEDS = range(60)
MERGE = MergeProfiles(winner="q", loser="p")
Race = tuple[InterleavedStore, Process, Process]


@pytest.fixture(params=SEEDS)
async def race(request: pytest.FixtureRequest) -> AsyncIterator[Race]:
    """Two processes over one store; p and q have 10 each. On odd seeds all caches are cold."""
    store = InterleavedStore(request.param)
    setup = Process(store)
    await defined(setup, is_reassignable=True)
    await setup.issued("p")
    await setup.issued("q")
    processes = (Process(store), Process(store))
    for process in processes if request.param % 2 == 0 else ():
        await process.issued("p", "1")
        await process.issued("q", "1")
    yield store, *processes
    for process in (setup, *processes):
        process.task.cancel()


async def tried(process: Process, command: Command) -> Answer | Rejection:
    try:
        return await process.send(command)
    except Rejection as refusal:
        return refusal


async def totals(store: InterleavedStore) -> tuple[int, int]:
    """What is available on both accounts together, and what is redeemed; each lot balances."""
    accounts = [await account_of(store, name) for name in ("p", "q")]
    lots = [lot for account in accounts for lot in account.lots.values()]
    assert all(sum(lot.books.values()) == lot.issued_minor for lot in lots)
    assert all(amount >= 0 for lot in lots for amount in lot.books.values())
    available = sum(account.available_minor(NOW) for account in accounts)
    return available, sum(lot.amount(Book.REDEEMED) for lot in lots)


async def test_redemptions_of_both_during_a_merge_spend_what_there_is_and_no_more(
    race: Race,
) -> None:
    store, one, other = race
    before, _ = await totals(store)
    amount = "3"
    commands: list[Command] = [redeem(amount, "p"), redeem(amount, "q")] * 4
    answers = await store.at_once(
        tried(one, MERGE),
        *(tried((one, other)[n % 2], command) for n, command in enumerate(commands)),
    )
    accepted = sum(isinstance(answer, Accepted) for answer in answers[1:])
    assert isinstance(answers[0], Accepted)
    assert all(isinstance(a, Accepted | InsufficientBalance) for a in answers)
    available, redeemed = await totals(store)
    assert redeemed == accepted * 300
    assert available == before - redeemed
    loser, winner = await account_of(store, "p"), await account_of(store, "q")
    assert loser.merged_into == "q"
    assert loser.available_minor(NOW) == 0
    assert winner.available_minor(NOW) == available
    assert len(winner.redemptions) == accepted
    # What both have left is less than one more redemption takes.
    assert available < 300 or accepted == len(commands)


async def test_of_two_merges_of_one_loser_one_is_refused(race: Race) -> None:
    store, one, other = race
    await one.issued("r")
    answers = await store.at_once(
        tried(one, MERGE), tried(other, MergeProfiles(winner="r", loser="p"))
    )
    codes = sorted(a.code if isinstance(a, Rejection) else "accepted" for a in answers)
    assert codes == ["accepted", "profile_merged"]


async def test_of_two_that_are_to_become_each_other_one_does(race: Race) -> None:
    store, one, other = race
    answers = await store.at_once(
        tried(one, MERGE), tried(other, MergeProfiles(winner="p", loser="q"))
    )
    codes = sorted(a.code if isinstance(a, Rejection) else "accepted" for a in answers)
    assert codes == ["accepted", "same_profile"]


async def test_a_reversal_during_a_merge_finds_its_redemption(race: Race) -> None:
    store, one, other = race
    number = await one.redeemed("5", "p")
    before, _ = await totals(store)
    merged, reversed_ = await store.at_once(
        tried(one, MERGE), tried(other, ReverseRedemption(redemption_id=number))
    )
    assert isinstance(merged, Accepted)
    assert isinstance(reversed_, Accepted)
    assert await totals(store) == (before + 500, 0)


async def test_a_reward_reassigned_and_spent_at_once_is_spent_once(race: Race) -> None:
    store, one, other = race
    await one.issued("r")
    number = await one.issued("p", "2")
    before, _ = await totals(store)
    await store.at_once(
        tried(one, ReassignReward(reward_id=number, profile_id="q")),
        tried(other, redeem("99", "p", strict=False)),
        tried(one, redeem("99", "q", strict=False)),
        tried(other, MERGE),
        tried(one, reward("p", "1")),
    )
    available, redeemed = await totals(store)
    assert available + redeemed == before + 100
