"""Adjusting a reward: the difference moves, the terms change, and only while it lives."""

from itertools import count
from typing import Any

import pytest
from deciders.scenario import (
    activated,
    adjusted,
    expired,
    moment,
    move,
    pending,
    redeem,
    redemption,
    registered,
    revoked,
    reward,
)
from deciders.story import given
from pydantic import ValidationError

from ledger.account.reward_changes import adjust_reward, revision_of
from ledger.decider import Circumstances
from ledger.rejections import (
    InvalidRewardTerms,
    LimitExceeded,
    PreconditionFailed,
    RewardHasExpired,
    RewardIsHeld,
    RewardIsRevoked,
    UnknownReward,
)
from schemas.movements import Book
from schemas.rewards import AdjustReward

NOW = "2030-06-01 12:00:00"


def adjust(reward_id: int = 1, **fields: Any) -> AdjustReward:
    return AdjustReward.model_validate({"reward_id": reward_id} | fields)


def more(amount: str, book: Book = Book.AVAILABLE) -> Any:
    return move(1, amount, Book.ISSUED, book)


def less(amount: str, book: Book = Book.AVAILABLE) -> Any:
    return move(1, amount, book, Book.REVOKED)


TEN = reward(1, "10.00", expires="2030-12-31")


def test_more_than_remained_enters_the_books() -> None:
    (
        given(reward(1, "4.00", value_initial_minor=1000, expires="2030-12-31"))
        .when(adjust(value_remaining="9.50"))
        .then(adjusted(1, more("5.50"), remaining="9.50", expires="2030-12-31"))
        .then_balance("9.50")
    )


def test_less_than_remained_is_taken_back() -> None:
    (
        given(TEN)
        .when(adjust(value_remaining="2.50"))
        .then(adjusted(1, less("7.50"), remaining="2.50", expires="2030-12-31"))
        .then_balance("2.50")
    )


def test_what_was_spent_stays_spent() -> None:
    (
        given(TEN, redemption(7, (1, "8.00")))
        .when(adjust(value_remaining="5.00"))
        .then(adjusted(1, more("3.00"), remaining="5.00", expires="2030-12-31"))
        .then_balance("5.00")
    )


def test_a_spent_reward_can_get_value_again() -> None:
    (
        given(TEN, redemption(7, (1, "10.00")))
        .when(adjust(value_remaining="0.01"))
        .accepted()
        .when(redeem("0.01"))
        .then(redemption(200, (1, "0.01")))
    )


def test_a_pending_reward_stays_pending() -> None:
    tomorrow = pending(1, "10.00", issued="2030-06-02")
    (
        given(tomorrow)
        .when(adjust(value_remaining="4.00"))
        .then(adjusted(1, less("6.00", Book.PENDING), remaining="4.00"))
        .when(adjust(value_remaining="7.00"))
        .then(adjusted(1, more("3.00", Book.PENDING), remaining="7.00"))
        .then_balance("0")
        .then_balance("7.00", at="2030-06-02 00:00:00")
    )


def test_a_reward_that_began_meanwhile_is_spendable_first() -> None:
    (
        given(pending(1, "10.00", issued="2030-06-01 11:00:00"))
        .when(adjust(value_remaining="4.00"))
        .then(activated(1, "10.00"), adjusted(1, less("6.00"), remaining="4.00"))
    )


def test_the_initial_value_alone_moves_nothing() -> None:
    initial = adjusted(1, changed=("value_initial",), initial="12.00", expires="2030-12-31")
    given(TEN).when(adjust(value_initial="12.00")).then(initial).then_balance("10.00")


@pytest.mark.parametrize(
    "fields",
    [
        {"value_remaining": "10.01"},
        {"value_initial": "9.99"},
        {"value_initial": "5.00", "value_remaining": "5.01"},
    ],
)
def test_more_cannot_remain_than_there_was(fields: dict[str, Any]) -> None:
    given(TEN).when(adjust(**fields)).then_refused(InvalidRewardTerms)


def test_both_values_at_once() -> None:
    both = ("value_initial", "value_remaining")
    given(TEN).when(adjust(value_initial="25.00", value_remaining="20.00")).then(
        adjusted(
            1,
            more("10.00"),
            changed=both,
            initial="25.00",
            remaining="20.00",
            expires="2030-12-31",
        )
    )


def test_a_change_that_changes_nothing_is_none() -> None:
    given(TEN).when(adjust(value_initial="10", value_remaining="10.00")).then_nothing()
    given(TEN).when(adjust(expires_at="2030-12-31 23:59:59")).then_nothing()


def test_another_meta_is_a_change_though_nobody_sees_it() -> None:
    now = moment(NOW)
    at = Circumstances(now, count(100), personal="sealed")
    told = adjust_reward(adjust(meta=None), given(TEN).account(), at)
    assert told == (adjusted(1, changed=("meta",), expires="2030-12-31", personal="sealed"),)
    same = adjust(value_remaining="10.00", reason="none")
    assert adjust_reward(same, given(TEN).account(), at) == ()


# ── Expiry ───────────────────────────────────────────────────────────────────────────────────────


def test_another_expiry_changes_the_order() -> None:
    (
        given(TEN, reward(2, "10.00", expires="2031-06-30"))
        .when(adjust(2, expires_at="2030-07-01 10:00:00"))
        .then(adjusted(2, changed=("expires_at",), expires="2030-07-01 10:00:00"))
        .when(redeem("12.00"))
        .then(redemption(200, (2, "10.00"), (1, "2.00")))
    )


def test_never_is_an_expiry_too() -> None:
    (
        given(TEN)
        .when(adjust(expires_at=None))
        .then(adjusted(1, changed=("expires_at",)))
        .then_balance("10.00", at="2099-01-01")
    )


def test_a_wall_time_is_one_of_the_rewards_own_zone() -> None:
    in_brisbane = reward(1, "10.00", timezone="Australia/Brisbane")
    given(in_brisbane).when(adjust(expires_at="2030-07-02 08:00:00")).then(
        adjusted(1, changed=("expires_at",), expires="2030-07-01 22:00:00")
    )


def test_an_expiry_that_is_past_takes_effect_at_once() -> None:
    (
        given(TEN)
        .when(adjust(expires_at="2030-05-01 00:00:00", value_remaining="8.00"))
        .then(
            adjusted(
                1,
                less("2.00"),
                changed=("value_remaining", "expires_at"),
                remaining="8.00",
                expires="2030-05-01 00:00:00",
            ),
            expired(1, "8.00", expires="2030-05-01 00:00:00"),
        )
        .then_balance("0")
    )


def test_nothing_ends_before_it_begins() -> None:
    given(TEN).when(adjust(expires_at="2029-12-31 23:59:59")).then_refused(InvalidRewardTerms)


def test_an_expiry_is_no_extension() -> None:
    """What has expired comes back by an extension only, which is there once."""
    gone = reward(1, "10.00", expires="2030-05-31")
    for fields in ({"expires_at": "2031-01-01 00:00:00"}, {"value_remaining": "1.00"}):
        given(gone).when(adjust(**fields)).then_refused(RewardHasExpired)
        swept = given(gone, expired(1, "10.00", expires="2030-05-31"))
        swept.when(adjust(**fields)).then_refused(RewardHasExpired)


# ── Refusals ─────────────────────────────────────────────────────────────────────────────────────


def held(amount: str) -> Any:
    """A redemption that has only put this aside."""
    movements = (move(1, amount, Book.AVAILABLE, Book.HELD),)
    return redemption(7, (1, amount), movements=movements)


def test_what_is_held_counts_as_remaining_and_stays_held() -> None:
    (
        given(TEN, held("4.00"))
        .when(adjust(value_remaining="5.00"))
        .then(adjusted(1, less("5.00"), remaining="5.00", expires="2030-12-31"))
        .then_balance("1.00")
        .when(adjust(value_remaining="4.00"))
        .accepted()
        .then_balance("0")
    )


def test_less_than_is_held_is_refused() -> None:
    given(TEN, held("4.00")).when(adjust(value_remaining="3.99")).then_refused(RewardIsHeld, held=4)


def test_unknown_and_revoked_rewards() -> None:
    given(registered()).when(adjust(9, value_remaining="1")).then_refused(UnknownReward)
    given(TEN, revoked(1, "10.00")).when(adjust(value_remaining="1")).then_refused(RewardIsRevoked)


def test_staff_move_no_more_than_the_programme_allows() -> None:
    story = given(TEN).under(adjust_max_minor=300)
    story.when(adjust(value_remaining="6.99")).accepted()
    story.as_staff().when(adjust(value_remaining="7.00")).accepted()
    for remaining in ("6.99", "0"):
        change = adjust(value_remaining=remaining)
        story.as_staff().when(change).then_refused(LimitExceeded, limit=3)
    up = adjust(value_initial="20", value_remaining="13.01")
    story.as_staff().when(up).then_refused(LimitExceeded, limit=3)


def test_a_change_rests_on_what_was_read() -> None:
    story = given(TEN)
    read = revision_of(story.account().lots[1])
    story.when(adjust(value_remaining="9", expected_revision=read)).accepted()
    for happened in (
        redemption(7, (1, "0.01")),
        held("0.01"),
        adjusted(1, changed=(), expires="2030-12-31"),
        adjusted(1, changed=("expires_at",)),
    ):
        changed = given(TEN, happened)
        change = adjust(value_remaining="9", expected_revision=read)
        changed.when(change).then_refused(PreconditionFailed)


def test_what_time_alone_does_is_no_change_to_a_reader() -> None:
    began = pending(1, "10.00", issued="2030-06-01 11:00:00")
    read = revision_of(given(began).account().lots[1])
    for story in (given(began), given(began, activated(1, "10.00"))):
        story.when(adjust(value_remaining="9", expected_revision=read)).accepted()


@pytest.mark.parametrize(
    "fields", [{}, {"reason": "no change"}, {"value_initial": None}, {"value_remaining": None}]
)
def test_a_change_says_what_changes(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        adjust(**fields)
