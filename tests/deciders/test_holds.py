"""Holds: value is set aside, and captured or let go; the deadline counts to the microsecond."""

from datetime import timedelta

import pytest
from deciders.holding import (
    DEADLINE,
    JUST_BEFORE,
    NOON,
    capture,
    captured,
    free,
    gone,
    held,
    lapsed,
    release,
    released,
    taken,
)
from deciders.scenario import (
    DUE,
    back,
    expired,
    give_back,
    moved_on,
    redeem,
    redemption,
    returned,
    reversal,
    reverse,
    reward,
)
from deciders.story import Given, given
from pydantic import ValidationError

from ledger.rejections import (
    AlreadyCaptured,
    AlreadyReversed,
    CaptureExceedsHold,
    HoldHasLapsed,
    HoldTooLong,
    HoldWasReleased,
    InsufficientBalance,
    NotHeld,
    RedemptionIsHeld,
    ReversalWindowClosed,
    RewardIsHeld,
    UnknownRedemption,
)
from schemas.rewards import RevokeReward


def with_eight() -> Given:
    """3.00 that goes first, and 5.00."""
    return given(reward(1, "3.00", expires="2031-01-01"), reward(2, "5.00", expires="2031-02-01"))


def holding_six() -> Given:
    """6.00 of 8.00 are held from noon to a quarter past."""
    story = with_eight()
    hold = held(50, (1, "3.00"), (2, "3.00"))
    return Given((*story.history, ("account-p-1", hold)))


# ── Setting aside ────────────────────────────────────────────────────────────────────────────────


def test_a_hold_sets_value_aside_nearest_expiry_first() -> None:
    (
        with_eight()
        .when(redeem("6.00", hold="PT15M"), at=NOON)
        .then(held(100, (1, "3.00"), (2, "3.00")))
        .then_balance("2.00", at=NOON)
    )


def test_a_hold_keeps_what_the_till_told() -> None:
    told = {"external_id": "r-1", "location_id": 7, "strict": False}
    with_eight().when(redeem("9.00", hold="PT900S", **told), at=NOON).then(
        held(100, (1, "3.00"), (2, "5.00"), requested="9.00", **told)
    )


def test_held_value_is_spent_by_nobody_else() -> None:
    holding_six().when(redeem("2.01"), at=NOON).then_refused(InsufficientBalance, available=2)


def test_a_hold_lasts_at_most_what_the_programme_allows() -> None:
    story = with_eight().under(hold_max=timedelta(minutes=15))
    story.when(redeem("1.00", hold="PT15M")).accepted()
    story.when(redeem("1.00", hold="PT15M1S")).then_refused(HoldTooLong, hold_max_seconds=900)


@pytest.mark.parametrize(
    "hold", ["PT0S", "PT", "-PT5M", "+PT5M", "P1M", "P1D", "15", 900, "PT1.5S", "pt5m", "PT5M\n"]
)
def test_a_hold_is_a_positive_duration_of_whole_seconds(hold: object) -> None:
    with pytest.raises(ValidationError, match="duration"):
        redeem("1.00", hold=hold)


# ── Capture ──────────────────────────────────────────────────────────────────────────────────────


def test_a_capture_takes_what_is_held() -> None:
    (
        holding_six()
        .when(capture(50), at=NOON)
        .then(captured(50, taken(1, "3.00"), taken(2, "3.00")))
        .then_balance("2.00", at=NOON)
    )


def test_a_capture_of_a_part_releases_the_rest() -> None:
    (
        holding_six()
        .when(capture(50, "4.00"), at=NOON)
        .then(captured(50, taken(1, "3.00"), taken(2, "1.00"), free(2, "2.00")))
        .then_balance("4.00", at=NOON)
        .when(capture(50, "2.00"), at=NOON)
        .then_refused(AlreadyCaptured)
    )


def test_a_capture_of_less_than_the_first_lot_releases_the_others() -> None:
    holding_six().when(capture(50, "1.00"), at=NOON).then(
        captured(50, taken(1, "1.00"), free(1, "2.00"), free(2, "3.00"))
    )


def test_more_than_is_held_is_not_captured() -> None:
    holding_six().when(capture(50, "6.01"), at=NOON).then_refused(CaptureExceedsHold, held=6)


def test_a_hold_can_be_captured_up_to_its_deadline() -> None:
    story = holding_six()
    story.when(capture(50), at=JUST_BEFORE).then(
        captured(50, taken(1, "3.00"), taken(2, "3.00"), until="2030-06-01 12:24:59.999999")
    )
    story.when(capture(50), at=DEADLINE).then_refused(HoldHasLapsed)
    story.when(DUE, at=DEADLINE).accepted().when(capture(50)).then_refused(HoldHasLapsed)


@pytest.mark.parametrize("ask", [capture, release])
def test_only_what_is_held_can_be_captured_or_released(ask: object) -> None:
    assert callable(ask)
    at_once = given(reward(1, "5.00"), redemption(50, (1, "5.00"), at=NOON))
    at_once.when(ask(50), at=NOON).then_refused(NotHeld)
    at_once.when(reverse(50), at=NOON).accepted().when(ask(100), at=NOON).then_refused(NotHeld)
    at_once.when(ask(51), at=NOON).then_refused(UnknownRedemption)
    holding_six().when(capture(50), at=NOON).accepted().when(ask(50), at=NOON).then_refused(
        AlreadyCaptured
    )
    holding_six().when(release(50), at=NOON).accepted().when(ask(50), at=NOON).then_refused(
        HoldWasReleased
    )
    holding_six().when(ask(50), at=DEADLINE).then_refused(HoldHasLapsed)


# ── Release, and the deadline ────────────────────────────────────────────────────────────────────


def test_a_release_lets_go_of_everything() -> None:
    (
        holding_six()
        .when(release(50), at=NOON)
        .then(released(50, free(1, "3.00"), free(2, "3.00")))
        .then_balance("8.00", at=NOON)
    )


def test_the_deadline_is_recorded_before_anything_else() -> None:
    (
        holding_six()
        .then_balance("2.00", at=JUST_BEFORE)
        .then_balance("8.00", at=DEADLINE)
        .when(redeem("8.00"), at=DEADLINE)
        .then(
            lapsed(50, free(1, "3.00"), free(2, "3.00")),
            redemption(100, (1, "3.00"), (2, "5.00"), at=DEADLINE),
        )
    )


def test_the_sweep_records_the_deadline_once() -> None:
    (
        holding_six()
        .when(DUE, at=JUST_BEFORE)
        .then_nothing()
        .when(DUE, at=DEADLINE)
        .then(lapsed(50, free(1, "3.00"), free(2, "3.00")))
        .when(DUE, at=DEADLINE)
        .then_nothing()
    )


# ── A reward that expires while it is held ───────────────────────────────────────────────────────


def holding_what_expires() -> Given:
    """4.00 of a reward that ends five minutes past noon, held to a quarter past."""
    return given(
        reward(1, "5.00", expires="2030-06-01 12:05:00"),
        reward(2, "5.00", expires="2031-02-01"),
        held(50, (1, "4.00"), (2, "2.00")),
    )


LATE = "2030-06-01 12:06:00"


def test_held_value_outlives_its_reward() -> None:
    holding_what_expires().when(capture(50), at=LATE).then(
        expired(1, "1.00", expires="2030-06-01 12:05:00"),
        captured(50, taken(1, "4.00"), taken(2, "2.00"), until="2030-06-01 12:16:00"),
    ).then_balance("3.00", at=LATE)


def test_what_is_released_after_its_rewards_end_expires_at_once() -> None:
    ended = expired(1, "1.00", expires="2030-06-01 12:05:00")
    story = holding_what_expires()
    story.when(release(50), at=LATE).then(ended, released(50, gone(1, "4.00"), free(2, "2.00")))
    story.when(capture(50, "3.00"), at=LATE).then(
        ended,
        captured(
            50, taken(1, "3.00"), gone(1, "1.00"), free(2, "2.00"), until="2030-06-01 12:16:00"
        ),
    )
    story.when(DUE, at=DEADLINE).then(lapsed(50, gone(1, "4.00"), free(2, "2.00")), ended)


def test_what_lapses_in_time_and_expires_before_it_is_noticed_has_expired() -> None:
    given(
        reward(1, "5.00", expires="2030-06-01 12:20:00"), held(50, (1, "4.00"), until=DEADLINE)
    ).when(DUE, at="2030-06-01 12:30:00").then(
        lapsed(50, free(1, "4.00")), expired(1, "5.00", expires="2030-06-01 12:20:00")
    )


def test_the_last_second_of_a_reward_is_still_its_own() -> None:
    story = given(
        reward(1, "5.00", expires="2030-06-01 12:15:00"), held(50, (1, "5.00"), until=DEADLINE)
    )
    story.when(DUE, at=DEADLINE).then(lapsed(50, free(1, "5.00")))


# ── Undoing ──────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("ask", [reverse(50), give_back(50)])
def test_a_hold_is_released_and_not_undone(ask: object) -> None:
    story = holding_six()
    story.when(ask, at=NOON).then_refused(RedemptionIsHeld)  # type: ignore[arg-type]
    story.when(ask, at=DEADLINE).then_refused(HoldHasLapsed)  # type: ignore[arg-type]
    after = story.when(release(50), at=NOON).accepted()
    after.when(ask, at=NOON).then_refused(HoldWasReleased)  # type: ignore[arg-type]


def test_the_window_counts_from_the_capture_by_the_rule_in_force_then() -> None:
    story = (
        holding_six()
        .under(reversal_window=timedelta(minutes=30))
        .when(capture(50), at="2030-06-01 12:14:00")
        .then(captured(50, taken(1, "3.00"), taken(2, "3.00"), until="2030-06-01 12:44:00"))
        .under(reversal_window=timedelta(minutes=1))
    )
    story.when(reverse(50), at="2030-06-01 12:44:00.000001").then_refused(ReversalWindowClosed)
    (
        story.when(reverse(50), at="2030-06-01 12:44:00")
        .then(reversal(200, 50, back(1, "3.00"), back(2, "3.00")))
        .then_balance("8.00", at="2030-06-01 12:44:00")
        .when(reverse(50), at="2030-06-01 12:44:00")
        .then_refused(AlreadyReversed)
    )


def test_what_was_captured_comes_back_in_parts_from_the_end() -> None:
    story = holding_six().when(capture(50, "4.00"), at=NOON).accepted()
    story.when(give_back(50, "2.00"), at=NOON).then(
        returned(202, 50, moved_on(2, "1.00"), moved_on(1, "1.00")),
        reward(200, "1.00", issued=NOON, expires="2030-07-01", restored_from=2, redemption_id=50),
        reward(201, "1.00", issued=NOON, expires="2030-07-01", restored_from=1, redemption_id=50),
    )


def test_a_deadline_is_kept_though_others_lapse_first() -> None:
    early, late = "2030-06-01 12:05:00", "2030-06-01 12:10:00"
    given(
        reward(1, "5.00"),
        held(50, (1, "1.00"), until=late),
        held(51, (1, "1.00"), until=early),
        held(52, (1, "1.00")),
    ).when(DUE, at=late).then(
        lapsed(51, free(1, "1.00"), until=early), lapsed(50, free(1, "1.00"), until=late)
    ).then_balance("4.00", at=late)


def test_what_is_held_is_not_revoked_under_it() -> None:
    story = holding_six()
    command = RevokeReward(reward_id=2)
    story.when(command, at=NOON).then_refused(RewardIsHeld, held=3)
    story.when(command, at=DEADLINE).accepted().then_balance("3.00", at=DEADLINE)
