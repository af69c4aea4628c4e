"""Holds and sales: a sale is paid when its redemption is captured, whichever comes first."""

import pytest
from deciders.holding import DEADLINE, NOON, capture, captured, free, held, lapsed, release, taken
from deciders.sales import attached, attributed, link, linked, sell, sold, void
from deciders.scenario import DUE, redeem, registered, reverse, reward
from deciders.sold import sold_to
from deciders.story import Given, elsewhere, given

from ledger.rejections import (
    HoldHasLapsed,
    InvalidTransaction,
    RedemptionAnnouncedElsewhere,
    RedemptionGivenBack,
    RedemptionIsHeld,
    RedemptionIsLinked,
    RedemptionOfAnotherProfile,
    TransactionIsVoid,
)
from schemas.commands import Command


def holding_five(**told: object) -> Given:
    """5.00 of 8.00 are held from noon to a quarter past."""
    return given(
        reward(1, "3.00", expires="2031-01-01"),
        reward(2, "5.00", expires="2031-02-01"),
        held(50, (1, "3.00"), (2, "2.00"), **told),  # type: ignore[arg-type]
    )


CAPTURED = captured(50, taken(1, "3.00"), taken(2, "2.00"))


def test_a_sale_that_names_what_is_only_held_is_refused() -> None:
    story = holding_five()
    story.when(sell(redemption_id=50), at=NOON).then_refused(RedemptionIsHeld)
    story.when(sell(redemption_id=50), at=DEADLINE).then_refused(RedemptionGivenBack)
    sold_first = story.when(sell(), at=NOON).accepted()
    sold_first.when(link(100, 50), at=NOON).then_refused(RedemptionIsHeld)


def test_it_can_be_named_once_it_is_captured() -> None:
    story = holding_five().when(capture(50), at=NOON).then(CAPTURED)
    story.when(sell(redemption_id=50), at=NOON).then(
        sold(200),
        attributed(200, 50, (1, "3.00"), (2, "2.00"), shares=("3.00", "2.00")),
        attached(200),
        linked(200, 50),
    )


@pytest.mark.parametrize("profile", ["p-1", None])
def test_a_sale_that_was_announced_is_linked_at_the_capture(profile: str | None) -> None:
    story = (
        holding_five(transaction_external_id="t-1")
        .when(sell(profile), at=NOON)
        .then(sold(100), attached(100))
    )
    after = story.when(capture(50, "4.00"), at=NOON).then(
        captured(50, taken(1, "3.00"), taken(2, "1.00"), free(2, "1.00")),
        attributed(100, 50, (1, "3.00"), (2, "1.00"), shares=("2.40", "1.60")),
        linked(100, 50),
    )
    from_here = after.when(void(100), at=NOON).accepted()
    from_here.then_balance("8.00", at=NOON)


def test_what_was_captured_before_the_sale_is_linked_when_it_comes() -> None:
    story = holding_five(transaction_external_id="t-1").when(capture(50), at=NOON).then(CAPTURED)
    story.when(sell(None), at=NOON).then(
        sold(200),
        attributed(200, 50, (1, "3.00"), (2, "2.00"), shares=("3.00", "2.00")),
        attached(200),
        linked(200, 50),
    )


def test_a_hold_may_announce_a_sale_that_is_there() -> None:
    story = (
        sold_to(None)
        .when(redeem("5.00", hold="PT15M", transaction_external_id="t-1"), at=NOON)
        .then(held(100, (1, "3.00"), (2, "2.00"), transaction_external_id="t-1"))
    )
    story.when(capture(100), at=NOON).then(
        captured(100, taken(1, "3.00"), taken(2, "2.00")),
        attached(70),
        attributed(70, 100, (1, "3.00"), (2, "2.00"), shares=("3.00", "2.00")),
        linked(70, 100),
    )


def test_a_hold_for_a_sale_that_can_not_be_paid_is_refused_at_once() -> None:
    asked = redeem("5.00", hold="PT15M", transaction_external_id="t-1")
    sold_to().when(void(70)).accepted().when(asked).then_refused(TransactionIsVoid)
    sold_to("p-2").when(asked).then_refused(RedemptionOfAnotherProfile)
    sold_to(total="-1.00").when(asked).then_refused(InvalidTransaction)


def test_a_sale_voided_meanwhile_is_not_paid() -> None:
    story = holding_five(transaction_external_id="t-1").when(sell(), at=NOON).accepted()
    story = story.when(void(100), at=NOON).accepted()
    story.when(capture(50), at=NOON).then_refused(TransactionIsVoid)
    story.when(release(50), at=NOON).accepted().then_balance("8.00", at=NOON)


OTHERS_HOLD = elsewhere(
    "p-2",
    registered("p-2"),
    reward(9, "5.00", profile_id="p-2"),
    held(60, (9, "5.00"), profile_id="p-2", transaction_external_id="t-1"),
)


@pytest.mark.parametrize(
    ("ask", "refusal"),
    [
        (redeem("1.00", transaction_external_id="t-1"), RedemptionAnnouncedElsewhere),
        (redeem("1.00", transaction_external_id="t-1", hold="PT5M"), RedemptionAnnouncedElsewhere),
        (sell("p-1"), RedemptionOfAnotherProfile),
    ],
)
def test_who_holds_for_a_sale_waits_for_it_until_the_deadline(
    ask: Command, refusal: type[RedemptionAnnouncedElsewhere]
) -> None:
    story = given(reward(1, "5.00"), OTHERS_HOLD)
    story.when(ask, at=NOON).then_refused(refusal)
    story.when(ask, at=DEADLINE).accepted()


def test_what_lapsed_is_not_linked_when_the_sale_comes() -> None:
    story = holding_five(transaction_external_id="t-1")
    story.when(sell(), at=DEADLINE).then(
        sold(100), lapsed(50, free(1, "3.00"), free(2, "2.00")), attached(100)
    ).when(capture(50), at=DEADLINE).then_refused(HoldHasLapsed)
    story.when(DUE, at=DEADLINE).accepted().when(sell(None), at=DEADLINE).then(sold(200, None))


def test_what_was_captured_for_a_sale_is_undone_with_it() -> None:
    story = holding_five(transaction_external_id="t-1").when(sell(), at=NOON).accepted()
    story = story.when(capture(50), at=NOON).accepted()
    story.when(reverse(50), at=NOON).then_refused(RedemptionIsLinked)
    story.when(void(100), at=NOON).accepted().then_balance("8.00", at=NOON)
