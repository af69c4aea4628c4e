"""Links: a redemption that announces its sale, in either order, and one that is linked later."""

from typing import Any

import pytest
from deciders.sales import (
    attached,
    attributed,
    link,
    linked,
    sell,
    sold,
    void,
    voided,
)
from deciders.scenario import (
    back,
    expired,
    give_back,
    redeem,
    redemption,
    registered,
    returned,
    reversal,
    reverse,
    reward,
)
from deciders.sold import (
    LATER,
    NOON,
    OTHERS_ANNOUNCED,
    PAID,
    PAID_FOR_70,
    paid_later,
    sold_to,
    spent_five,
)
from deciders.story import Given, elsewhere, given
from pydantic import ValidationError

from ledger.rejections import (
    InsufficientBalance,
    InvalidTransaction,
    RedemptionAnnouncedElsewhere,
    RedemptionGivenBack,
    RedemptionIsLinked,
    RedemptionLinkedElsewhere,
    RedemptionOfAnotherProfile,
    TransactionIsVoid,
    UnknownLinkedRedemption,
    UnknownTransaction,
)
from schemas.transactions import LinkRedemption

# ── The redemption has announced the sale ────────────────────────────────────────────────────────


@pytest.mark.parametrize("profile", ["p-1", None])
def test_a_sale_is_linked_with_the_redemption_that_announced_it(profile: str | None) -> None:
    spent_five(transaction_external_id="t-1").when(sell(profile)).then(
        sold(100), PAID, attached(100), linked(100, 50)
    )


def test_a_redemption_is_linked_with_the_sale_it_announces() -> None:
    sold_to().when(redeem("5.00", transaction_external_id="t-1"), at=NOON).then(
        redemption(100, (1, "3.00"), (2, "2.00"), at=NOON, transaction_external_id="t-1"),
        attributed(70, 100, (1, "3.00"), (2, "2.00"), shares=("3.00", "2.00")),
        linked(70, 100),
    )


def test_a_sale_of_nobody_becomes_that_of_the_redemption_announcing_it() -> None:
    sold_to(None).when(redeem("5.00", transaction_external_id="t-1"), at=NOON).then(
        redemption(100, (1, "3.00"), (2, "2.00"), at=NOON, transaction_external_id="t-1"),
        attached(70),
        attributed(70, 100, (1, "3.00"), (2, "2.00"), shares=("3.00", "2.00")),
        linked(70, 100),
    )


def test_a_sale_announced_twice_by_one_profile_has_two_redemptions() -> None:
    story = given(
        reward(1, "8.00"),
        redemption(50, (1, "3.00"), transaction_external_id="t-1"),
        redemption(51, (1, "2.01"), transaction_external_id="t-1"),
    )
    story.when(sell()).then(
        sold(100),
        attributed(100, 50, (1, "3.00"), shares=("1.80", "1.20")),
        attributed(100, 51, (1, "2.01"), shares=("3.01", "2.00")),
        attached(100),
        linked(100, 50),
        linked(100, 51),
    )


def test_what_is_named_comes_before_what_is_announced() -> None:
    story = given(
        reward(1, "8.00"),
        redemption(50, (1, "3.00"), transaction_external_id="t-1"),
        redemption(51, (1, "2.00")),
    )
    story.when(sell(redemption_id=51)).then(
        sold(100),
        attributed(100, 51, (1, "2.00"), shares=("1.20", "0.80")),
        attributed(100, 50, (1, "3.00"), shares=("3.00", "2.00")),
        attached(100),
        linked(100, 51),
        linked(100, 50),
    )


def test_what_is_both_named_and_announced_is_linked_once() -> None:
    spent_five(transaction_external_id="t-1").when(sell(redemption_id=50)).then(
        sold(100), PAID, attached(100), linked(100, 50)
    )


def test_an_announced_redemption_given_back_before_the_sale_is_forgotten() -> None:
    story = (
        spent_five(transaction_external_id="t-1")
        .when(reverse(50), at=NOON)
        .then(reversal(100, 50, back(1, "3.00"), back(2, "2.00")))
    )
    story.when(sell()).then(sold(200), attached(200))
    story.when(sell(None)).then(sold(200, None))


def test_a_sale_another_profile_has_announced_is_refused() -> None:
    given(registered(), OTHERS_ANNOUNCED).when(sell()).then_refused(RedemptionOfAnotherProfile)


def test_named_and_announced_by_two_profiles_is_refused() -> None:
    story = spent_five()
    both = given(*(event for _, event in story.history), OTHERS_ANNOUNCED)
    both.when(sell(None, redemption_id=50)).then_refused(RedemptionOfAnotherProfile)


def test_a_sale_is_announced_by_one_profile_at_a_time() -> None:
    given(reward(1, "5.00"), OTHERS_ANNOUNCED).when(
        redeem("1.00", transaction_external_id="t-1")
    ).then_refused(RedemptionAnnouncedElsewhere)


def test_after_the_first_was_reversed_another_profile_may_announce_the_sale() -> None:
    """The wrong card was scanned: undo it, scan the right one."""
    undone = elsewhere(
        "p-2",
        *OTHERS_ANNOUNCED.events,
        reversal(61, 60, back(9, "5.00")),
    )
    (
        given(reward(1, "5.00"), undone)
        .when(redeem("5.00", transaction_external_id="t-1"), at=NOON)
        .then(redemption(100, (1, "5.00"), at=NOON, transaction_external_id="t-1"))
        .when(sell(None))
        .then(
            sold(200),
            attributed(200, 100, (1, "5.00"), shares=("3.00", "2.00")),
            attached(200),
            linked(200, 100),
        )
    )


def test_the_sale_announced_belongs_to_another_profile() -> None:
    given(reward(1, "5.00"), sold(70, "p-2")).when(
        redeem("1.00", transaction_external_id="t-1")
    ).then_refused(RedemptionOfAnotherProfile)


def test_a_void_sale_takes_no_redemption() -> None:
    given(reward(1, "5.00"), sold(70), attached(70), voided(70)).when(
        redeem("1.00", transaction_external_id="t-1")
    ).then_refused(TransactionIsVoid)


def test_a_return_of_goods_is_not_paid_by_what_announces_it() -> None:
    """In either order: no link, and afterwards nothing leaves the balance for it."""
    spent_five(transaction_external_id="t-1").when(sell(total="-10.00")).then(
        sold(100, total="-10.00"), attached(100, "-10.00")
    )
    sold_to(total="-10.00").when(redeem("1.00", transaction_external_id="t-1")).then_refused(
        InvalidTransaction
    )


def test_a_return_of_goods_of_nobody_stays_nobodys() -> None:
    spent_five(transaction_external_id="t-1").when(sell(None, total="-10.00")).then(
        sold(100, None, total="-10.00")
    )


def test_a_redemption_refused_links_nothing() -> None:
    sold_to().when(redeem("8.01", transaction_external_id="t-1")).then_refused(
        InsufficientBalance, available=8
    )


# ── Linked later ─────────────────────────────────────────────────────────────────────────────────


def test_a_redemption_is_linked_later() -> None:
    paid_later().when(link(70, 50)).then(PAID_FOR_70, linked(70, 50))


def test_a_link_twice_does_nothing() -> None:
    story = paid_later().when(link(70, 50)).then(PAID_FOR_70, linked(70, 50))
    story.when(link(70, 50)).then_nothing()


def test_a_later_link_attaches_a_sale_of_nobody() -> None:
    paid_later(profile=None).when(link(70, 50)).then(PAID_FOR_70, attached(70), linked(70, 50))


def test_a_redemption_announced_for_this_sale_may_be_linked_with_it() -> None:
    """The sale came by while the redemption was still unknown to it."""
    story = sold_to()
    made = redemption(50, (1, "3.00"), (2, "2.00"), at=NOON, transaction_external_id="t-1")
    story = Given((*story.history, ("account-p-1", made)))
    story.when(link(70, 50)).then(PAID_FOR_70, linked(70, 50))


def test_both_may_be_named_as_their_senders_name_them() -> None:
    story = sold_to()
    made = redemption(50, (1, "3.00"), (2, "2.00"), at=NOON, external_id="r-1")
    story = Given((*story.history, ("account-p-1", made)))
    by_names = LinkRedemption(transaction_external_id="t-1", redemption_external_id="r-1")
    story.when(by_names).then(PAID_FOR_70, linked(70, 50))
    unknown = LinkRedemption(transaction_external_id="t-9", redemption_external_id="r-1")
    story.when(unknown).then_refused(UnknownTransaction)
    unknown = LinkRedemption(transaction_id=70, redemption_external_id="r-9")
    story.when(unknown).then_refused(UnknownLinkedRedemption)


@pytest.mark.parametrize(
    "names",
    [
        {"transaction_id": 70},
        {"redemption_id": 50},
        {"transaction_id": 70, "redemption_id": 50, "redemption_external_id": "r-1"},
        {"transaction_id": 70, "transaction_external_id": "t-1", "redemption_id": 50},
    ],
)
def test_a_link_names_each_of_them_once(names: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        LinkRedemption.model_validate(names)


def test_what_is_due_comes_before_a_link() -> None:
    story = given(
        reward(1, "5.00"),
        reward(3, "1.00", expires="2030-05-31"),
        sold(70),
        attached(70),
        redemption(50, (1, "5.00")),
    )
    story.when(link(70, 50)).then(
        attributed(70, 50, (1, "5.00"), shares=("3.00", "2.00")),
        expired(3, "1.00", expires="2030-05-31"),
        linked(70, 50),
    )


def test_a_later_link_is_refused_for_the_same_reasons() -> None:
    story = paid_later()
    story.when(link(71, 50)).then_refused(UnknownTransaction)
    story.when(link(70, 51)).then_refused(UnknownLinkedRedemption)
    Given((*story.history, ("transaction-70", voided(70)))).when(link(70, 50)).then_refused(
        TransactionIsVoid
    )
    paid_later(profile="p-2").when(link(70, 50)).then_refused(RedemptionOfAnotherProfile)
    paid_later(total="-10.00").when(link(70, 50)).then_refused(InvalidTransaction)


def test_a_later_link_needs_a_redemption_that_is_free() -> None:
    story = paid_later()
    paid = story.when(sell(redemption_id=50, external_id="t-2")).accepted()
    paid.when(link(70, 50)).then_refused(RedemptionLinkedElsewhere, transaction_id=100)
    gone = story.when(give_back(50, policy="restore")).accepted()
    gone.when(link(70, 50)).then_refused(RedemptionGivenBack)


def test_a_later_link_respects_what_was_announced() -> None:
    story = sold_to()
    made = redemption(50, (1, "3.00"), at=NOON, transaction_external_id="t-2")
    Given((*story.history, ("account-p-1", made))).when(link(70, 50)).then_refused(
        RedemptionAnnouncedElsewhere
    )


def test_a_reversal_of_what_paid_for_a_sale_is_refused() -> None:
    paid = paid_later().when(link(70, 50), at=NOON).accepted()
    paid.when(reverse(50), at=NOON).then_refused(RedemptionIsLinked)
    paid.when(void(70, keep_redemption=True), at=NOON).accepted().when(reverse(50), at=NOON).then(
        reversal(300, 50, back(1, "3.00"), back(2, "2.00"))
    )


def test_what_paid_for_a_sale_can_be_returned() -> None:
    paid = paid_later().when(link(70, 50), at=NOON).accepted()
    paid.when(give_back(50, "2.00", "restore"), at=LATER).then(
        returned(200, 50, back(2, "2.00"), policy="restore")
    )
