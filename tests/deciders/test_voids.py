"""Voids: the sale did not happen; its redemptions come back as far as they have not yet."""

from typing import Any

import pytest
from deciders.sales import (
    attached,
    attributed,
    detached,
    linked,
    sell,
    sold,
    unlinked,
    void,
    voided,
)
from deciders.scenario import (
    back,
    carried_on,
    expired,
    give_back,
    lost,
    moved_on,
    redeem,
    redemption,
    returned,
    reversal,
    revoked,
    reward,
)
from deciders.sold import LATER, NOON, PAID, sold_to, spent_five
from deciders.story import Given, given

from ledger.rejections import RedemptionGivenBack, UnknownTransaction

PAID_70 = attributed(70, 50, (1, "3.00"), (2, "2.00"), shares=("3.00", "2.00"))


def paid_for_70() -> Given:
    """The sale 70 was paid with redemption 50, made at noon."""
    return given(
        reward(1, "3.00", expires="2031-01-01"),
        reward(2, "5.00", expires="2031-02-01"),
        redemption(50, (1, "3.00"), (2, "2.00"), at=NOON),
        sold(70),
        PAID_70,
        attached(70),
        linked(70, 50),
    )


@pytest.mark.parametrize("at", [NOON, "2030-06-01 12:10:00"])
def test_inside_the_window_exactly_what_was_taken_goes_back(at: str) -> None:
    paid_for_70().when(void(70), at=at).then(
        voided(70),
        unlinked(70, 50),
        reversal(100, 50, back(1, "3.00"), back(2, "2.00")),
        detached(70),
    ).then_balance("8.00", at=at)


def test_after_the_window_it_is_returned_by_the_policy_of_the_programme() -> None:
    restored = returned(100, 50, back(2, "2.00"), back(1, "3.00"), policy="restore")
    paid_for_70().under(return_policy="restore").when(void(70), at=LATER).then(
        voided(70), unlinked(70, 50), restored, detached(70)
    ).then_balance("8.00", at=LATER)
    fresh: dict[str, Any] = {"redemption": 50, "at": "2030-06-01 12:10:00", "expires": "2030-07-01"}
    paid_for_70().when(void(70), at="2030-06-01 12:10:00.000001").then(
        voided(70),
        unlinked(70, 50),
        returned(102, 50, moved_on(2, "2.00"), moved_on(1, "3.00")),
        carried_on(100, "2.00", lot=2, **fresh),
        carried_on(101, "3.00", lot=1, **fresh),
        detached(70),
    )


def test_inside_the_window_only_what_is_not_given_back_yet_is_restored() -> None:
    """Even where the programme reissues: inside the window value goes where it came from."""
    story = paid_for_70().when(give_back(50, "2.50", "restore"), at=NOON).accepted()
    story.when(void(70), at=NOON).then(
        voided(70),
        unlinked(70, 50),
        returned(200, 50, back(1, "2.50"), policy="restore"),
        detached(70),
    ).then_balance("8.00", at=NOON)


def test_what_was_given_back_before_is_not_given_back_again() -> None:
    story = paid_for_70().when(give_back(50, policy="restore"), at=NOON).accepted()
    story.when(void(70), at=NOON).then(voided(70), unlinked(70, 50), detached(70)).then_balance(
        "8.00", at=NOON
    )


def test_a_void_may_keep_the_redemption() -> None:
    story = paid_for_70().when(void(70, keep_redemption=True), at=NOON)
    story.then(voided(70, keep_redemption=True), unlinked(70, 50), detached(70)).then_balance(
        "3.00", at=NOON
    )


@pytest.mark.parametrize("external_id", ["t-2", None])
def test_a_redemption_that_was_kept_may_pay_for_the_sale_rung_up_again(
    external_id: str | None,
) -> None:
    """It had announced the sale that is void now; that word is spent."""
    announced = spent_five(transaction_external_id="t-1").when(sell(), at=NOON).accepted()
    kept = announced.when(void(100, keep_redemption=True), at=NOON).accepted()
    kept.when(sell(external_id=external_id, redemption_id=50), at=NOON).then(
        sold(300, external_id=external_id),
        attributed(300, 50, (1, "3.00"), (2, "2.00"), shares=("3.00", "2.00")),
        attached(300, external_id=external_id),
        linked(300, 50),
    )


def test_a_void_twice_does_nothing() -> None:
    story = paid_for_70().when(void(70), at=NOON).accepted()
    story.when(void(70), at=NOON).then_nothing()
    story.when(void(70, keep_redemption=True), at=LATER).then_nothing()


def test_every_redemption_of_the_sale_comes_back() -> None:
    story = given(
        reward(1, "8.00"),
        redemption(50, (1, "3.00"), at=NOON),
        redemption(51, (1, "2.00"), at=LATER),
        sold(70),
        attributed(70, 50, (1, "3.00"), shares=("1.80", "1.20")),
        attributed(70, 51, (1, "2.00"), shares=("3.00", "2.00")),
        attached(70),
        linked(70, 50),
        linked(70, 51),
    )
    story.when(void(70), at=LATER).then(
        voided(70),
        unlinked(70, 50),
        returned(101, 50, moved_on(1, "3.00")),
        carried_on(100, "3.00", lot=1, redemption=50, at=LATER),
        unlinked(70, 51),
        reversal(102, 51, back(1, "2.00")),
        detached(70),
    ).then_balance("8.00", at=LATER)


def test_a_sale_of_nobody_is_voided_alone() -> None:
    sold_to(None).when(void(70)).then(voided(70))


def test_a_sale_without_redemptions_is_voided_on_the_account_too() -> None:
    sold_to().when(void(70)).then(voided(70), detached(70))


def test_what_is_due_comes_before_a_void() -> None:
    story = given(
        reward(1, "3.00"),
        reward(2, "5.00", expires="2030-05-31"),
        redemption(50, (1, "3.00"), at=NOON),
        sold(70),
        attributed(70, 50, (1, "3.00"), shares=("1.80", "1.20")),
        attached(70),
        linked(70, 50),
    )
    story.when(void(70), at=NOON).then(
        voided(70),
        expired(2, "5.00", expires="2030-05-31"),
        unlinked(70, 50),
        reversal(100, 50, back(1, "3.00")),
        detached(70),
    )


def test_value_of_a_revoked_reward_is_forfeited() -> None:
    story = Given(
        (
            *paid_for_70().history,
            ("account-p-1", revoked(1)),
        )
    )
    story.when(void(70), at=NOON).then(
        voided(70),
        unlinked(70, 50),
        reversal(100, 50, lost(1, "3.00"), back(2, "2.00"), forfeited="3.00"),
        detached(70),
    )


def test_an_unknown_sale_cannot_be_voided() -> None:
    paid_for_70().when(void(71)).then_refused(UnknownTransaction)
    paid_for_70().when(void(50)).then_refused(UnknownTransaction)


# ── Born void ────────────────────────────────────────────────────────────────────────────────────


def test_a_sale_born_void_gives_back_the_redemption_it_names() -> None:
    spent_five().when(sell(redemption_id=50, is_void=True), at=NOON).then(
        sold(100),
        PAID,
        voided(100),
        attached(100),
        linked(100, 50),
        unlinked(100, 50),
        reversal(101, 50, back(1, "3.00"), back(2, "2.00")),
        detached(100),
    ).then_balance("8.00", at=NOON)


@pytest.mark.parametrize("profile", ["p-1", None])
def test_a_sale_born_void_gives_back_the_redemption_that_announced_it(
    profile: str | None,
) -> None:
    spent_five(transaction_external_id="t-1").when(sell(profile, is_void=True), at=NOON).then(
        sold(100),
        PAID,
        voided(100),
        attached(100),
        linked(100, 50),
        unlinked(100, 50),
        reversal(101, 50, back(1, "3.00"), back(2, "2.00")),
        detached(100),
    )


def test_a_sale_born_void_may_keep_the_redemption() -> None:
    spent_five().when(sell(redemption_id=50, is_void=True, keep_redemption=True), at=NOON).then(
        sold(100),
        PAID,
        voided(100, keep_redemption=True),
        attached(100),
        linked(100, 50),
        unlinked(100, 50),
        detached(100),
    ).then_balance("3.00", at=NOON)


@pytest.mark.parametrize("keep", [True, False])
def test_a_sale_of_nobody_may_be_born_void(keep: bool) -> None:
    given().when(sell(None, is_void=True, keep_redemption=keep)).then(
        sold(100, None), voided(100, keep_redemption=keep)
    )


def test_value_that_came_back_from_a_void_can_be_spent_again_but_not_linked() -> None:
    story = paid_for_70().when(void(70), at=NOON).accepted()
    story.when(redeem("8.00"), at=NOON).then(redemption(200, (1, "3.00"), (2, "5.00"), at=NOON))
    story.when(sell(redemption_id=50, external_id="t-2")).then_refused(RedemptionGivenBack)
