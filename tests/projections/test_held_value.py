"""Held value in the read models: by whom it is held, how long, and what it is from then on."""

from collections.abc import Mapping
from datetime import timedelta

import pytest

from projections.projection import Projection, Row
from projections.read_models import balances, redemptions, reward_expiry_order, rewards
from projections.read_models.balances import Balance, balance_at
from schemas.movements import Book, moved
from schemas.rewards import RewardExpired
from tests.projections.histories import (
    DAY_ONE,
    Written,
    captured,
    given,
    held,
    issued,
    rows_only,
)

A = "account-p-1"
SECOND = timedelta(seconds=1)


def test_a_hold_is_one_row_all_its_life() -> None:
    hold = held("p-1", 3, 1, 300)
    before: list[Written] = [(A, issued("p-1", 1, 1_000)), (A, hold)]
    row = given(redemptions.PROJECTION, *before)[(3,)]
    assert (row["status"], row["total_minor"], row["held_until"]) == ("held", 300, hold.held_until)
    assert row["items"][0]["amount_minor"] == 300
    assert redemptions.settled(row, hold.held_until - SECOND) == row
    over = redemptions.settled(row, hold.held_until)
    assert (over["status"], over["total_minor"], over["items"]) == ("lapsed", 0, [])
    taken = given(redemptions.PROJECTION, *before, (A, captured(3, 1, 200, 100)))[(3,)]
    assert (taken["status"], taken["total_minor"], taken["released_minor"]) == (
        "captured",
        200,
        100,
    )
    assert taken["items"] == [{"reward_id": 1, "amount_minor": 200, "returned_minor": 0}]
    assert taken["captured_at"] == taken["redeemed_at"] == DAY_ONE + timedelta(minutes=2)
    assert redemptions.settled(taken, hold.held_until) == taken


@pytest.mark.parametrize("projection", [balances.PROJECTION, rewards.PROJECTION])
def test_a_held_lot_knows_by_whom_and_how_long(projection: Projection) -> None:
    hold = held("p-1", 3, 1, 300)
    before: list[Written] = [(A, issued("p-1", 1, 1_000)), (A, hold)]

    def holds(*more: Written) -> Mapping[str, object]:
        row = next(iter(rows_only(given(projection, *before, *more)).values()))
        lot: Row = row["open_lots"]["1"] if "open_lots" in row else row
        found: Mapping[str, object] = lot["holds"]
        return found

    assert holds() == {"3": {"until": hold.held_until.isoformat(), "amount_minor": 300}}
    assert holds((A, captured(3, 1, 200, 100))) == {}


def test_held_value_is_free_from_the_deadline_on() -> None:
    hold = held("p-1", 3, 1, 300)
    row = given(balances.PROJECTION, (A, issued("p-1", 1, 1_000)), (A, hold))[("p-1",)]
    at = hold.held_until
    assert balance_at(row, at - SECOND) == Balance(available_minor=700, held_minor=300)
    assert balance_at(row, at) == Balance(available_minor=1_000)
    assert balance_at(row, at + timedelta(days=99)) == Balance()


def test_the_expiry_order_knows_the_next_deadline() -> None:
    before: list[Written] = [(A, issued("p-1", 1, 1_000))]
    first, second = held("p-1", 9, 1, 300), held("p-1", 7, 1, 200)
    key = ("p-1", 1)
    rows = given(reward_expiry_order.PROJECTION, *before, (A, first), (A, second))
    assert rows[key]["held_until"] == second.held_until
    rows = given(
        reward_expiry_order.PROJECTION,
        *before,
        (A, first),
        (A, second),
        (A, captured(7, 1, 200, 0)),
    )
    assert rows[key]["held_until"] == first.held_until
    rows = given(reward_expiry_order.PROJECTION, *before, (A, first), (A, captured(9, 1, 300, 0)))
    assert rows[key]["held_until"] is None


def test_a_hold_told_late_of_what_was_swept_ends_at_its_deadline_too() -> None:
    """The lot was closed when the hold was heard of: it comes back with it."""
    reward = issued("p-1", 1, 1_000)
    assert reward.expires_at is not None
    movements = moved(1, Book.AVAILABLE, Book.EXPIRED, 1_000)
    swept = RewardExpired(reward_id=1, expires_at=reward.expires_at, movements=movements)
    movements = moved(1, Book.EXPIRED, Book.HELD, 300)
    hold = held("p-1", 3, 1, 300).model_copy(update={"movements": movements})
    row = given(balances.PROJECTION, (A, reward), (A, swept), (A, hold))[("p-1",)]
    assert set(row["open_lots"]["1"]["holds"]) == {"3"}
    assert balance_at(row, hold.held_until - SECOND).held_minor == 300
    assert balance_at(row, reward.expires_at + timedelta(days=1)) == Balance()
