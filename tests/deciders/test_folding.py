"""A history folds to one account, however it is taken apart, and leaves all earlier ones alone."""

from functools import reduce

import pytest

from ledger.account.folding import evolve, fold
from ledger.account.lots import LotOverdrawn
from ledger.account.state import Account
from schemas.events import Event
from schemas.movements import Book, moved
from schemas.profiles import ProfileRegistered
from schemas.redemptions import RedemptionMade
from schemas.rewards import RewardActivated, RewardIssued


def issued(book: Book = Book.AVAILABLE) -> RewardIssued:
    known = {**RewardIssued.EXAMPLE, "movements": moved(17, Book.ISSUED, book, 1000)}
    return RewardIssued.model_validate(known)


HISTORY: tuple[Event, ...] = (
    ProfileRegistered(profile_id="p-1"),
    issued(),
    RedemptionMade.model_validate(RedemptionMade.EXAMPLE),
)


def test_folding_at_once_and_one_by_one_is_the_same() -> None:
    assert fold(HISTORY) == reduce(evolve, HISTORY, Account())
    assert fold(iter(HISTORY)) == fold(HISTORY[2:], fold(HISTORY[:2]))


def test_an_account_stays_as_it_was_whatever_is_folded_on_top_of_it() -> None:
    before = fold(HISTORY[:2])
    after = evolve(before, HISTORY[2])
    assert before == fold(HISTORY[:2])
    assert before.lots[17].amount(Book.AVAILABLE) == 1000
    assert after.lots[17].amount(Book.REDEEMED) == 1000
    assert (17 in before.open_lots, 17 in after.open_lots) == (True, False)


def test_nothing_makes_nothing_of_an_account() -> None:
    account = fold(HISTORY)
    assert fold((), account) is account


def test_an_event_moves_value_whatever_else_is_known_of_it() -> None:
    """Movements are closed, reasons are open: no step tells what an activation does."""
    activated = RewardActivated(
        reward_id=17, movements=moved(17, Book.PENDING, Book.AVAILABLE, 400)
    )
    lot = fold((issued(Book.PENDING), activated)).lots[17]
    assert (lot.amount(Book.PENDING), lot.amount(Book.AVAILABLE)) == (600, 400)


def test_a_fold_that_would_overdraw_a_lot_gives_no_account() -> None:
    with pytest.raises(LotOverdrawn):
        fold((*HISTORY, HISTORY[2]))
