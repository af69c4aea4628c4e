"""A sale and what announces it, decided by two processes at the same moment, in every order the
dice can think of: they always end linked, or one of them is refused."""

from collections.abc import AsyncIterator

import pytest
from committer.interleaved import InterleavedStore
from committer.processes import Process, account_of, defined, redeem, sell, transaction_of

from ledger.rejections import Rejection
from ledger.submission import Accepted, Answer
from schemas.redemptions import RedemptionMade, ReverseRedemption
from schemas.transactions import LinkRedemption, TransactionRecorded, VoidTransaction

SEEDS = range(80)
Race = tuple[InterleavedStore, Process, Process]


@pytest.fixture(params=SEEDS)
async def race(request: pytest.FixtureRequest) -> AsyncIterator[Race]:
    """Two processes over one store; p and q have 10 each. On odd seeds all caches are cold."""
    store = InterleavedStore(request.param)
    setup = Process(store)
    await defined(setup)
    await setup.issued("p")
    await setup.issued("q")
    processes = (Process(store), Process(store))
    for process in processes if request.param % 2 == 0 else ():
        await process.issued("p", "1")
        await process.issued("q", "1")
    yield store, *processes
    for process in (setup, *processes):
        process.task.cancel()


def code(answer: Answer | BaseException) -> str:
    """How a command ended."""
    if isinstance(answer, Rejection):
        return answer.code
    assert isinstance(answer, Accepted), answer
    return "accepted"


def made(answer: Answer) -> int:
    assert isinstance(answer, Accepted)
    return next(e.redemption_id for e in answer.events if isinstance(e, RedemptionMade))


def recorded(answer: Answer) -> int:
    assert isinstance(answer, Accepted)
    return next(e.transaction_id for e in answer.events if isinstance(e, TransactionRecorded))


async def assert_linked(store: InterleavedStore, sold: Answer, *redeemed: Answer) -> None:
    """The sale and all that was redeemed for it know each other."""
    sale = await transaction_of(store, recorded(sold))
    account = await account_of(store, sale.profile_id or "")
    numbers = [made(answer) for answer in redeemed]
    assert sorted(number for number, _ in sale.redemptions) == sorted(numbers)
    assert {account.redemptions[number].transaction_id for number in numbers} == {sale.id}


@pytest.mark.parametrize("profile", ["p", None])
async def test_a_sale_and_its_announcement_end_linked(race: Race, profile: str | None) -> None:
    store, one, other = race
    redeemed, sold = await store.at_once(
        one.send(redeem("5", transaction_external_id="t-1")), other.send(sell(profile))
    )
    await assert_linked(store, sold, redeemed)


async def test_two_announcements_of_one_profile_end_linked(race: Race) -> None:
    store, one, other = race
    first, second, sold = await store.at_once(
        one.send(redeem("5", transaction_external_id="t-1")),
        other.send(redeem("2", transaction_external_id="t-1")),
        one.send(sell(None)),
    )
    await assert_linked(store, sold, first, second)


async def test_a_sale_announced_again_after_a_reversal_ends_linked(race: Race) -> None:
    store, one, other = race
    number = await one.redeemed("5", transaction_external_id="t-1")
    await one.send(ReverseRedemption(redemption_id=number))
    redeemed, sold = await store.at_once(
        one.send(redeem("4", transaction_external_id="t-1")), other.send(sell(None))
    )
    await assert_linked(store, sold, redeemed)


async def test_a_sale_announced_by_another_after_a_reversal_ends_linked(race: Race) -> None:
    store, one, other = race
    number = await one.redeemed("5", "p", transaction_external_id="t-1")
    await one.send(ReverseRedemption(redemption_id=number))
    redeemed, sold = await store.at_once(
        one.send(redeem("4", "q", transaction_external_id="t-1")), other.send(sell(None))
    )
    await assert_linked(store, sold, redeemed)


async def test_a_sale_during_the_reversal_of_its_announcement_is_linked_or_nobodys(
    race: Race,
) -> None:
    store, one, other = race
    number = await one.redeemed("5", transaction_external_id="t-1")
    undone, sold = await store.at_once(
        one.send(ReverseRedemption(redemption_id=number)), other.send(sell(None))
    )
    sale = await transaction_of(store, recorded(sold))
    redemption = (await account_of(store)).redemptions[number]
    if code(undone) == "accepted":
        assert (sale.profile_id, sale.redemptions, redemption.transaction_id) == (None, (), None)
    else:
        assert code(undone) == "redemption_linked"
        assert sale.redemptions == ((number, 500),)
        assert redemption.transaction_id == sale.id


async def test_of_two_profiles_that_announce_one_sale_one_is_refused(race: Race) -> None:
    store, one, other = race
    answers = await store.at_once(
        one.send(redeem("5", "p", transaction_external_id="t-1")),
        other.send(redeem("5", "q", transaction_external_id="t-1")),
    )
    assert sorted(map(code, answers)) == ["accepted", "redemption_announced_elsewhere"]
    (winner,) = (answer for answer in answers if isinstance(answer, Accepted))
    await assert_linked(store, await one.send(sell(None)), winner)


async def test_a_sale_of_one_and_the_announcement_of_another_are_not_both_accepted(
    race: Race,
) -> None:
    store, one, other = race
    answers = await store.at_once(
        one.send(redeem("5", "p", transaction_external_id="t-1")), other.send(sell("q"))
    )
    assert sorted(map(code, answers)) == ["accepted", "redemption_profile_mismatch"]


async def test_two_announcements_and_a_sale_of_nobody(race: Race) -> None:
    """Whoever comes first has the sale; the other one has redeemed nothing."""
    store, one, other = race
    first, second, sold = await store.at_once(
        one.send(redeem("5", "p", transaction_external_id="t-1")),
        other.send(redeem("5", "q", transaction_external_id="t-1")),
        other.send(sell(None)),
    )
    accepted = [answer for answer in (first, second) if isinstance(answer, Accepted)]
    assert len(accepted) == 1
    await assert_linked(store, sold, *accepted)


async def test_a_redemption_is_linked_with_one_of_two_sales(race: Race) -> None:
    store, one, other = race
    number = await one.redeemed("5")
    sales = await store.at_once(
        one.send(sell("p", external_id="t-1", redemption_id=number)),
        other.send(sell(None, external_id="t-2", redemption_id=number)),
    )
    assert sorted(map(code, sales)) == ["accepted", "redemption_already_linked"]


async def test_a_link_and_a_void_end_with_the_value_given_back_or_never_linked(race: Race) -> None:
    store, one, other = race
    number = await one.redeemed("5")
    sold = await other.sold(None)
    link, void = await store.at_once(
        one.send(LinkRedemption(transaction_id=sold, redemption_id=number)),
        other.send(VoidTransaction(transaction_id=sold)),
    )
    assert code(void) == "accepted"
    redemption = (await account_of(store)).redemptions[number]
    assert redemption.transaction_id is None
    assert redemption.reversed == (code(link) == "accepted")
    assert code(link) in ("accepted", "transaction_void")
