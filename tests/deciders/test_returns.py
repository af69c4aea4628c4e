"""Returns: at any time, in parts, in reverse order of consumption, by policy."""

from datetime import date
from typing import Any

import pytest
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
    reverse,
    revoked,
    reward,
)
from deciders.spent import GRACE_AFTER_LATER, LATER, MONTH_AFTER_LATER, NOON, spent_seven
from deciders.story import given
from pydantic import ValidationError

from ledger.rejections import (
    AlreadyReversed,
    ReturnExceedsRedemption,
    UnknownRedemption,
)


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
        .then_refused(ReturnExceedsRedemption, returnable=0)
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
        ReturnExceedsRedemption, returnable=7
    )


def test_more_than_is_left_cannot_come_back() -> None:
    (
        spent_seven()
        .when(give_back(50, "3.00", "restore"), at=LATER)
        .then(returned(100, 50, back(1, "2.00"), back(2, "1.00"), policy="restore"))
        .when(give_back(50, "4.01"), at=LATER)
        .then_refused(ReturnExceedsRedemption, returnable=4)
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


# ── Where all rewards end with one date ──────────────────────────────────────────────────────────

DATED: dict[str, Any] = {"period_type": "absolute_date", "absolute_expiry": date(2030, 6, 30)}


def test_a_reissue_ends_with_the_date_all_of_them_end_with() -> None:
    source = reward(1, "5.00", expires="2030-06-30", **DATED)
    given(source, redemption(50, (1, "5.00"))).when(give_back(50), at=NOON).then(
        returned(101, 50, moved_on(1, "5.00")),
        carried_on(100, "5.00", lot=1, redemption=50, expires="2030-06-30", at=NOON, **DATED),
    )


def test_after_that_date_a_reissue_gets_its_grace_and_once_only() -> None:
    late = "2030-08-01 12:00:00"
    source = reward(1, "5.00", expires="2030-06-30", **DATED)
    story = given(source, redemption(50, (1, "5.00")))
    graced = DATED | {"graced": True}
    story.when(give_back(50), at=late).then(
        returned(101, 50, moved_on(1, "5.00")),
        carried_on(100, "5.00", lot=1, redemption=50, expires="2030-08-15", at=late, **graced),
    )
    again = given(reward(1, "5.00", expires="2030-08-15", **graced), redemption(50, (1, "5.00")))
    later = "2030-09-01 12:00:00"
    again.when(give_back(50), at=later).then(
        returned(101, 50, moved_on(1, "5.00")),
        carried_on(100, "5.00", lot=1, redemption=50, expires="2030-08-15", at=later, **graced),
        expired(100, "5.00", expires="2030-08-15"),
    )


def test_after_that_date_a_reward_with_a_life_of_its_own_keeps_it() -> None:
    late = "2030-08-01 12:00:00"
    source = reward(1, "5.00", expires="2030-12-31", **DATED)
    given(source, redemption(50, (1, "5.00"))).when(give_back(50), at=late).then(
        returned(101, 50, moved_on(1, "5.00")),
        carried_on(100, "5.00", lot=1, redemption=50, expires="2030-12-31", at=late, **DATED),
    )
