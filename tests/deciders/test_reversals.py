"""Reversals: inside the window, exactly what was taken goes back where it came from."""

from datetime import timedelta

import pytest
from deciders.scenario import (
    back,
    carried_on,
    expired,
    give_back,
    lost,
    moment,
    moved_on,
    redeem,
    redemption,
    returned,
    reversal,
    reverse,
    revoked,
    reward,
)
from deciders.spent import GRACE_AFTER_NOON, LATER, NOON, spent_seven
from deciders.story import given

from ledger.rejections import (
    AlreadyReversed,
    NotReversible,
    RedemptionPartlyReturned,
    ReversalWindowClosed,
    UnknownRedemption,
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
