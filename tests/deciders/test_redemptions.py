"""Redemptions: nearest expiry first, never below zero; undone exactly, or given back by policy."""

from datetime import timedelta
from typing import Any

import pytest
from deciders.scenario import (
    Given,
    activated,
    back,
    carried_on,
    definition,
    expired,
    give_back,
    given,
    issue,
    lost,
    moment,
    moved_on,
    pending,
    redeem,
    redemption,
    registered,
    returned,
    reversal,
    reverse,
    revoked,
    reward,
)
from pydantic import ValidationError

from ledger.rejections import (
    AlreadyReversed,
    InsufficientBalance,
    NotReversible,
    RedemptionPartlyReturned,
    ReturnExceedsRedemption,
    ReversalWindowClosed,
    UnknownProfile,
    UnknownRedemption,
)

NOON = "2030-06-01 12:00:00"
LATER = "2030-06-20 12:00:00"
MONTH_AFTER_LATER = "2030-07-20"
GRACE_AFTER_NOON = "2030-06-15"
GRACE_AFTER_LATER = "2030-07-04"


# ── Redeem ───────────────────────────────────────────────────────────────────────────────────────


def test_takes_the_nearest_expiry_first() -> None:
    story = given(reward(1, "5.00", expires="2031-02-01"), reward(2, "5.00", expires="2031-01-01"))
    story.when(redeem("7.00")).then(redemption(100, (2, "5.00"), (1, "2.00"))).then_balance("3.00")


def test_takes_what_never_expires_last() -> None:
    story = given(reward(1, "5.00"), reward(2, "5.00", expires="2099-01-01"))
    story.when(redeem("7.00")).then(redemption(100, (2, "5.00"), (1, "2.00")))


def test_takes_the_earlier_issued_of_two_that_expire_together() -> None:
    story = given(
        reward(1, "5.00", expires="2031-01-01", issued="2030-02-02"),
        reward(2, "5.00", expires="2031-01-01", issued="2030-02-01"),
    )
    story.when(redeem("7.00")).then(redemption(100, (2, "5.00"), (1, "2.00")))


def test_takes_the_lower_id_of_two_that_are_alike() -> None:
    story = given(reward(12, "5.00", expires="2031-01-01"), reward(9, "5.00", expires="2031-01-01"))
    story.when(redeem("7.00")).then(redemption(100, (9, "5.00"), (12, "2.00")))


def test_ties_between_rewards_that_never_expire_go_by_issue_too() -> None:
    story = given(reward(1, "5.00", issued="2030-02-02"), reward(2, "5.00", issued="2030-02-01"))
    story.when(redeem("6.00")).then(redemption(100, (2, "5.00"), (1, "1.00")))


def test_a_lot_that_is_used_up_is_passed_over() -> None:
    story = given(
        reward(1, "5.00", expires="2031-01-01"), reward(2, "5.00"), redemption(50, (1, "5.00"))
    )
    story.when(redeem("1.00")).then(redemption(100, (2, "1.00")))


def test_exactly_the_whole_balance_can_be_redeemed() -> None:
    story = given(reward(1, "5.00"), reward(2, "0.01"))
    story.when(redeem("5.01")).then(redemption(100, (1, "5.00"), (2, "0.01"))).then_balance("0.00")


def test_a_short_balance_is_refused_with_what_there_is() -> None:
    story = given(reward(1, "5.00"), reward(2, "1.99"))
    story.when(redeem("7.00")).then_refused(InsufficientBalance, available_minor=699)
    story.then_balance("6.99")


def test_what_is_not_strict_takes_what_there_is_and_says_so() -> None:
    story = given(reward(1, "5.00"))
    story.when(redeem("7.00", strict=False)).then(
        redemption(100, (1, "5.00"), requested="7.00", strict=False)
    )


def test_what_is_not_strict_takes_no_more_than_was_asked_for() -> None:
    given(reward(1, "5.00")).when(redeem("2.00", strict=False)).then(
        redemption(100, (1, "2.00"), strict=False)
    )


@pytest.mark.parametrize("strict", [True, False])
def test_an_empty_balance_is_refused_either_way(strict: bool) -> None:
    given(registered()).when(redeem("1.00", strict=strict)).then_refused(
        InsufficientBalance, available_minor=0
    )


def test_an_unknown_profile_has_nothing_to_redeem() -> None:
    given().when(redeem("1.00")).then_refused(UnknownProfile)


@pytest.mark.parametrize("amount", ["0", "-1", "0.001"])
def test_an_amount_is_a_positive_number_of_cents(amount: str) -> None:
    with pytest.raises(ValidationError):
        redeem(amount)


@pytest.mark.parametrize("strategies", [[], ["rewards", "rewards"], ["gold"]])
def test_strategies_are_known_and_named_once(strategies: list[str]) -> None:
    with pytest.raises(ValidationError):
        redeem("1.00", strategies=strategies)


def test_what_the_sender_tells_is_kept() -> None:
    told: dict[str, Any] = {
        "external_id": "r-1",
        "transaction_external_id": "t-1",
        "transaction_receipt_ref": "0042",
        "location_id": "shop-3",
        "meta": {"till": 7, "note": None},
    }
    given(reward(1, "5.00")).when(redeem("1.00", **told)).then(redemption(100, (1, "1.00"), **told))


def test_what_is_due_comes_before_a_redemption() -> None:
    story = given(
        reward(1, "5.00", expires="2030-05-31"),
        pending(2, "4.00", issued="2030-06-01", expires="2031-01-01"),
        reward(3, "4.00", expires="2031-01-02"),
    )
    story.when(redeem("6.00"), at=NOON).then(
        expired(1, "5.00", expires="2030-05-31"),
        activated(2, "4.00"),
        redemption(100, (2, "4.00"), (3, "2.00"), at=NOON),
    )


def test_a_refusal_does_not_count_what_has_expired() -> None:
    story = given(reward(1, "5.00", expires="2030-05-31"), reward(2, "1.00"))
    story.when(redeem("2.00"), at=NOON).then_refused(InsufficientBalance, available_minor=100)


def test_the_case_of_the_article() -> None:
    """Its printed dates, under a clock fixed at 2021-02-10."""
    today = "2021-02-10 00:00:00"
    command = issue(
        value_initial="10",
        issued_at="2021-02-10 10:00:00",
        expires_at="2022-02-10 12:59:59",
        timezone="Australia/Melbourne",
    )
    (
        given(definition())
        .when(command, at=today)
        .then(
            registered(),
            reward(
                100,
                "10.00",
                issued="2021-02-09 23:00:00",
                expires="2022-02-10 01:59:59",
                timezone="Australia/Melbourne",
            ),
        )
        .then_balance("10.00", at=today)
        .when(redeem("10"), at=today)
        .then(redemption(200, (100, "10.00"), at=today))
        .then_balance("0.00", at=today)
    )


# ── Reverse ──────────────────────────────────────────────────────────────────────────────────────


def spent_seven() -> Given:
    """7.00 were spent at noon: all of lot 2, then a part of lot 1."""
    return given(
        reward(1, "5.00", expires="2031-02-01"),
        reward(2, "5.00", expires="2031-01-01"),
        redemption(50, (2, "5.00"), (1, "2.00"), at=NOON),
    )


@pytest.mark.parametrize("at", [NOON, "2030-06-01 12:09:59.999999", "2030-06-01 12:10:00"])
def test_a_reversal_inside_the_window_gives_back_exactly_what_was_taken(at: str) -> None:
    spent_seven().when(reverse(50), at=at).then(
        reversal(100, 50, back(2, "5.00"), back(1, "2.00"))
    ).then_balance("10.00", at=at)


@pytest.mark.parametrize("at", ["2030-06-01 12:10:00.000001", LATER])
def test_a_reversal_after_the_window_is_refused(at: str) -> None:
    spent_seven().when(reverse(50), at=at).then_refused(ReversalWindowClosed)


def test_the_window_is_the_one_that_held_at_the_redemption() -> None:
    (
        given(reward(1, "5.00"))
        .under(reversal_window=timedelta(minutes=60))
        .when(redeem("5.00"), at=NOON)
        .then(redemption(100, (1, "5.00"), reversible_until=moment("2030-06-01 13:00:00")))
        .under(reversal_window=timedelta(minutes=10))
        .when(reverse(100), at="2030-06-01 13:00:00")
        .then(reversal(200, 100, back(1, "5.00")))
    )


def test_a_redemption_is_reversed_once() -> None:
    (
        spent_seven()
        .when(reverse(50), at=NOON)
        .then(reversal(100, 50, back(2, "5.00"), back(1, "2.00")))
        .when(reverse(50), at=NOON)
        .then_refused(AlreadyReversed)
        .when(reverse(50), at=LATER)
        .then_refused(AlreadyReversed)
    )


def test_a_redemption_partly_returned_cannot_be_reversed() -> None:
    (
        spent_seven()
        .when(give_back(50, "0.01", "restore"), at=NOON)
        .then(returned(100, 50, back(1, "0.01"), policy="restore"))
        .when(reverse(50), at=NOON)
        .then_refused(RedemptionPartlyReturned)
    )


def test_a_redemption_wholly_returned_cannot_be_reversed_either() -> None:
    (
        spent_seven()
        .when(give_back(50, policy="restore"), at=NOON)
        .then(returned(100, 50, back(1, "2.00"), back(2, "5.00"), policy="restore"))
        .when(reverse(50), at=NOON)
        .then_refused(RedemptionPartlyReturned)
    )


def test_a_return_is_final() -> None:
    story = (
        spent_seven()
        .when(give_back(50, "1.00", "restore"), at=NOON)
        .then(returned(100, 50, back(1, "1.00"), policy="restore"))
    )
    story.when(reverse(100), at=NOON).then_refused(NotReversible)
    story.when(give_back(100), at=NOON).then_refused(NotReversible)


def test_a_reversal_is_final() -> None:
    story = (
        spent_seven()
        .when(reverse(50), at=NOON)
        .then(reversal(100, 50, back(2, "5.00"), back(1, "2.00")))
    )
    story.when(reverse(100), at=NOON).then_refused(NotReversible)
    story.when(give_back(100), at=NOON).then_refused(NotReversible)


def test_an_unknown_redemption_cannot_be_reversed() -> None:
    spent_seven().when(reverse(51)).then_refused(UnknownRedemption)


def test_a_reward_is_no_redemption() -> None:
    spent_seven().when(reverse(1)).then_refused(UnknownRedemption)


def test_value_whose_reward_has_expired_meanwhile_comes_back_with_grace() -> None:
    story = given(
        reward(1, "5.00", expires="2030-06-01 12:00:00"),
        reward(2, "5.00", expires="2031-01-01"),
        redemption(50, (1, "4.00"), (2, "2.00"), at=NOON),
    )
    story.when(reverse(50), at="2030-06-01 12:00:01").then(
        expired(1, "1.00", expires="2030-06-01 12:00:00"),
        reversal(101, 50, moved_on(1, "4.00"), back(2, "2.00")),
        carried_on(
            100,
            "4.00",
            lot=1,
            redemption=50,
            at="2030-06-01 12:00:01",
            expires=GRACE_AFTER_NOON,
            graced=True,
        ),
    ).then_balance("9.00", at="2030-06-01 12:00:01")


def test_value_comes_back_to_its_own_reward_in_the_last_moment_of_it() -> None:
    story = given(
        reward(1, "5.00", expires="2030-06-01 12:00:00"), redemption(50, (1, "4.00"), at=NOON)
    )
    story.when(reverse(50), at="2030-06-01 12:00:00.999999").then(
        reversal(100, 50, back(1, "4.00"))
    )


def test_without_grace_days_value_comes_back_and_expires() -> None:
    story = given(
        reward(1, "5.00", expires="2030-06-01 12:00:00"), redemption(50, (1, "5.00"), at=NOON)
    ).under(grace_days=0)
    story.when(reverse(50), at="2030-06-01 12:00:01").then(
        reversal(101, 50, moved_on(1, "5.00")),
        carried_on(
            100,
            "5.00",
            lot=1,
            redemption=50,
            at="2030-06-01 12:00:01",
            expires="2030-06-01 12:00:00",
            graced=True,
        ),
        expired(100, "5.00", expires="2030-06-01 12:00:00"),
    ).then_balance("0.00", at="2030-06-01 12:00:01")


def test_grace_days_end_with_the_day_in_the_zone_of_the_reward() -> None:
    """Noon in UTC is 22:00 in Brisbane, so day 14 ends there at 13:59:59 UTC of the 15th."""
    story = given(
        reward(1, "5.00", expires="2030-06-01 12:00:00", timezone="Australia/Brisbane"),
        redemption(50, (1, "5.00"), at=NOON),
    )
    story.when(reverse(50), at="2030-06-01 12:00:01").then(
        reversal(101, 50, moved_on(1, "5.00")),
        carried_on(
            100,
            "5.00",
            lot=1,
            redemption=50,
            at="2030-06-01 12:00:01",
            expires="2030-06-15 13:59:59",
            timezone="Australia/Brisbane",
            graced=True,
        ),
    )


def test_grace_is_given_once() -> None:
    """Value on grace days that is spent and comes back after them is as expired as it was."""
    story = given(
        reward(1, "5.00", expires="2030-05-31", restored_from=9, redemption_id=8, graced=True),
        redemption(50, (1, "5.00"), at="2030-05-31 23:59:00"),
    )
    story.when(reverse(50), at="2030-06-01 00:01:00").then(
        reversal(101, 50, moved_on(1, "5.00")),
        carried_on(
            100,
            "5.00",
            lot=1,
            redemption=50,
            at="2030-06-01 00:01:00",
            expires="2030-05-31",
            graced=True,
        ),
        expired(100, "5.00", expires="2030-05-31"),
    )


def test_value_whose_reward_was_revoked_meanwhile_is_forfeited() -> None:
    story = given(
        reward(1, "5.00", expires="2031-01-01"),
        reward(2, "5.00", expires="2031-02-01"),
        redemption(50, (1, "5.00"), (2, "1.00"), at=NOON),
        revoked(1),
    )
    story.when(reverse(50), at=NOON).then(
        reversal(100, 50, lost(1, "5.00"), back(2, "1.00"), forfeited="5.00")
    ).then_balance("5.00", at=NOON)


def test_a_revoked_reward_forfeits_even_when_it_has_expired_too() -> None:
    story = given(
        reward(1, "5.00", expires="2030-06-01 12:00:00"),
        redemption(50, (1, "5.00"), at=NOON),
        revoked(1),
    )
    story.when(reverse(50), at="2030-06-01 12:00:01").then(
        reversal(100, 50, lost(1, "5.00"), forfeited="5.00")
    )


def test_what_is_due_comes_before_a_reversal() -> None:
    story = given(
        reward(1, "5.00"), reward(2, "3.00", expires="2030-05-31"), redemption(50, (1, "5.00"))
    )
    story.when(reverse(50), at=NOON).then(
        expired(2, "3.00", expires="2030-05-31"), reversal(100, 50, back(1, "5.00"))
    )


# ── Return ───────────────────────────────────────────────────────────────────────────────────────


def test_the_rest_is_restored_in_reverse_order_of_consumption() -> None:
    spent_seven().when(give_back(50, policy="restore"), at=LATER).then(
        returned(100, 50, back(1, "2.00"), back(2, "5.00"), policy="restore")
    ).then_balance("10.00", at=LATER)


def test_parts_come_back_from_the_end_until_nothing_is_left() -> None:
    (
        spent_seven()
        .when(give_back(50, "1.50", "restore"), at=LATER)
        .then(returned(100, 50, back(1, "1.50"), policy="restore"))
        .when(give_back(50, "1.50", "restore"), at=LATER)
        .then(returned(200, 50, back(1, "0.50"), back(2, "1.00"), policy="restore"))
        .when(give_back(50, policy="restore"), at=LATER)
        .then(returned(300, 50, back(2, "4.00"), policy="restore"))
        .then_balance("10.00", at=LATER)
        .when(give_back(50), at=LATER)
        .then_refused(ReturnExceedsRedemption, returnable_minor=0)
    )


def test_a_reissue_makes_one_new_reward_for_each_source_with_a_fresh_expiry() -> None:
    spent_seven().when(give_back(50), at=LATER).then(
        returned(102, 50, moved_on(1, "2.00"), moved_on(2, "5.00")),
        carried_on(100, "2.00", lot=1, redemption=50, at=LATER, expires=MONTH_AFTER_LATER),
        carried_on(101, "5.00", lot=2, redemption=50, at=LATER, expires=MONTH_AFTER_LATER),
    ).then_balance("10.00", at=LATER)


def test_a_reissue_of_a_part_takes_the_end_first() -> None:
    spent_seven().when(give_back(50, "3.00"), at=LATER).then(
        returned(102, 50, moved_on(1, "2.00"), moved_on(2, "1.00")),
        carried_on(100, "2.00", lot=1, redemption=50, at=LATER, expires=MONTH_AFTER_LATER),
        carried_on(101, "1.00", lot=2, redemption=50, at=LATER, expires=MONTH_AFTER_LATER),
    )


def test_the_policies_may_take_turns() -> None:
    (
        spent_seven()
        .when(give_back(50, "1.00"), at=LATER)
        .then(
            returned(101, 50, moved_on(1, "1.00")),
            carried_on(100, "1.00", lot=1, redemption=50, at=LATER, expires=MONTH_AFTER_LATER),
        )
        .when(give_back(50, "2.00", "restore"), at=LATER)
        .then(returned(200, 50, back(1, "1.00"), back(2, "1.00"), policy="restore"))
    )


def test_a_reissue_keeps_the_terms_of_its_source() -> None:
    terms: dict[str, Any] = {
        "definition_id": 7,
        "definition_version": 3,
        "period": 2,
        "period_type": "months",
        "timezone": "Australia/Brisbane",
    }
    story = given(
        reward(1, "5.00", expires="2031-01-01", **terms),
        redemption(50, (1, "5.00")),
    )
    story.when(give_back(50, "4.00"), at=LATER).then(
        returned(101, 50, moved_on(1, "4.00")),
        carried_on(
            100, "4.00", lot=1, redemption=50, at=LATER, expires="2030-08-20 13:59:59", **terms
        ),
    )


def test_a_reissue_of_what_never_expires_never_expires() -> None:
    story = given(reward(1, "5.00"), redemption(50, (1, "5.00")))
    story.when(give_back(50), at=LATER).then(
        returned(101, 50, moved_on(1, "5.00")),
        carried_on(100, "5.00", lot=1, redemption=50, at=LATER),
    )


def test_a_restore_to_an_expired_reward_makes_a_new_one_with_grace() -> None:
    story = given(reward(1, "5.00", expires="2030-06-10"), redemption(50, (1, "5.00")))
    story.when(give_back(50, "2.00", "restore"), at=LATER).then(
        returned(101, 50, moved_on(1, "2.00"), policy="restore"),
        carried_on(
            100, "2.00", lot=1, redemption=50, at=LATER, expires=GRACE_AFTER_LATER, graced=True
        ),
    )


def test_a_reissue_from_an_expired_reward_has_the_whole_period_again() -> None:
    story = given(reward(1, "5.00", expires="2030-06-10"), redemption(50, (1, "5.00")))
    story.when(give_back(50), at=LATER).then(
        returned(101, 50, moved_on(1, "5.00")),
        carried_on(100, "5.00", lot=1, redemption=50, at=LATER, expires=MONTH_AFTER_LATER),
    )


@pytest.mark.parametrize("policy", ["reissue", "restore"])
def test_a_return_to_a_revoked_reward_is_forfeited(policy: str) -> None:
    story = given(reward(1, "5.00"), redemption(50, (1, "5.00")), revoked(1))
    story.when(give_back(50, "2.00", policy), at=LATER).then(
        returned(100, 50, lost(1, "2.00"), policy=policy, forfeited="2.00")
    ).then_balance("0.00", at=LATER)


@pytest.mark.parametrize("policy", ["reissue", "restore"])
def test_more_than_was_taken_cannot_come_back(policy: str) -> None:
    spent_seven().when(give_back(50, "7.01", policy), at=LATER).then_refused(
        ReturnExceedsRedemption, returnable_minor=700
    )


def test_more_than_is_left_cannot_come_back() -> None:
    (
        spent_seven()
        .when(give_back(50, "3.00", "restore"), at=LATER)
        .then(returned(100, 50, back(1, "2.00"), back(2, "1.00"), policy="restore"))
        .when(give_back(50, "4.01"), at=LATER)
        .then_refused(ReturnExceedsRedemption, returnable_minor=400)
    )


def test_what_was_reversed_cannot_be_returned() -> None:
    (
        spent_seven()
        .when(reverse(50), at=NOON)
        .then(reversal(100, 50, back(2, "5.00"), back(1, "2.00")))
        .when(give_back(50, "1.00"), at=LATER)
        .then_refused(AlreadyReversed)
    )


def test_an_unknown_redemption_cannot_be_returned() -> None:
    spent_seven().when(give_back(51)).then_refused(UnknownRedemption)


def test_nothing_is_not_an_amount_to_return() -> None:
    with pytest.raises(ValidationError, match="greater than 0"):
        give_back(50, "0")


def test_what_is_due_comes_before_a_return() -> None:
    story = given(
        reward(1, "5.00"), reward(2, "3.00", expires="2030-05-31"), redemption(50, (1, "5.00"))
    )
    story.when(give_back(50, policy="restore"), at=LATER).then(
        expired(2, "3.00", expires="2030-05-31"),
        returned(100, 50, back(1, "5.00"), policy="restore"),
    )


def test_value_that_came_back_can_be_spent_again() -> None:
    (
        spent_seven()
        .when(give_back(50, "6.00", "restore"), at=LATER)
        .then(returned(100, 50, back(1, "2.00"), back(2, "4.00"), policy="restore"))
        .when(redeem("8.00"), at=LATER)
        .then(redemption(200, (2, "4.00"), (1, "4.00"), at=LATER))
    )
