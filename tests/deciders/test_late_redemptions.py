"""A redemption made in time elsewhere, told to the ledger after its reward was swept as expired."""

from datetime import timedelta

import pytest
from deciders.scenario import expired, move, redeem, redemption, reward
from deciders.story import given

from ledger.rejections import InsufficientBalance
from schemas.movements import Book

IN_TIME = "2031-01-01 12:00:00"
SWEPT = (
    reward(1, "5.00", expires="2031-01-01"),
    reward(2, "5.00", expires="2031-06-01"),
    expired(1, "5.00", expires="2031-01-01"),
)


def late(amount: str) -> tuple[object, ...]:
    return (move(1, amount, Book.EXPIRED, Book.REDEEMED),)


def test_takes_what_was_swept_since() -> None:
    given(*SWEPT).learned("2031-01-03 12:00:00").when(redeem("4.00"), at=IN_TIME).then(
        redemption(100, (1, "4.00"), at=IN_TIME, movements=late("4.00"))
    )


def test_the_nearest_expiry_of_that_moment_is_still_first() -> None:
    story = given(*SWEPT).learned("2031-01-03 12:00:00").when(redeem("7.00"), at=IN_TIME)
    taken = (*late("5.00"), move(2, "2.00", Book.AVAILABLE, Book.REDEEMED))
    story.then(redemption(100, (1, "5.00"), (2, "2.00"), at=IN_TIME, movements=taken))


def test_swept_value_pays_once() -> None:
    story = given(*SWEPT).learned("2031-01-03 12:00:00")
    once = story.when(redeem("10.00"), at=IN_TIME).accepted()
    once.when(redeem("0.01"), at=IN_TIME).then_refused(InsufficientBalance, available=0)


@pytest.mark.parametrize(
    ("learned", "at"),
    [
        ("2031-01-05 00:00:01", IN_TIME),  # too long ago: the window is 72 hours
        ("2031-01-03 12:00:00", "2031-01-02 00:00:00"),  # it was past its time already then
    ],
)
def test_too_late_is_too_late(learned: str, at: str) -> None:
    story = given(*SWEPT).learned(learned)
    story.when(redeem("7.00"), at=at).then_refused(InsufficientBalance, available=5)


def test_the_window_is_the_programmes() -> None:
    story = given(*SWEPT).learned("2031-01-10 00:00:00")
    story = story.under(late_redemption_window=timedelta(days=30))
    story.when(redeem("4.00"), at=IN_TIME).then(
        redemption(100, (1, "4.00"), at=IN_TIME, movements=late("4.00"))
    )


def test_a_command_of_now_takes_nothing_that_was_swept() -> None:
    given(*SWEPT).when(redeem("7.00"), at=IN_TIME).then_refused(InsufficientBalance, available=5)


def test_what_was_issued_later_did_not_pay_then() -> None:
    story = given(reward(1, "5.00", issued="2031-01-02 00:00:00", expires="2031-06-01"))
    story.learned("2031-01-03 12:00:00").when(redeem("1.00"), at=IN_TIME).then_refused(
        InsufficientBalance, available=0
    )
