"""The read models of one account, folded as the events come, without a database."""

from collections.abc import Iterable
from datetime import datetime

from api.folding import Unplaced
from ledger.account.lots import in_expiry_order
from ledger.account.state import Account
from projections.projection import Projection, Row, Rows
from projections.read_models import balances, redemptions, reward_expiry_order, rewards
from projections.read_models.books import COLUMN, OPEN_BOOKS
from projections.read_models.holds import lapsed_minor
from schemas.events import Event, encode
from schemas.movements import Book

STREAM = "account-p-1"
MODELS = (
    balances.PROJECTION,
    reward_expiry_order.PROJECTION,
    rewards.PROJECTION,
    redemptions.PROJECTION,
)


class ReadSide:
    """Rows and notes of each model, by key."""

    def __init__(self) -> None:
        self._rows: dict[str, Rows] = {model.name: {} for model in MODELS}

    def fold(self, events: Iterable[Event], at: datetime) -> None:
        """What the projectors do with these events."""
        for event in events:
            record = Unplaced(STREAM, type(event).__name__, event.SCHEMA_VERSION, at, encode(event))
            for model in MODELS:
                if model.relevant(record):
                    known = self._rows[model.name]
                    wanted = {key: known.get(key) for key in model.keys(record, event)}
                    changed = model.evolve(wanted, record, event)
                    self._rows[model.name] = {**known, **changed}

    def agrees_with(self, account: Account, balance: int, now: datetime) -> None:
        """Each model tells what the account is, and what of it can be spent at this moment."""
        self._balances_agree(account, balance, now)
        assert sum(amount for _, amount in self.next_to_go(now)) == balance
        self._orders_agree(account)
        for lot in account.lots.values():
            row = self._row(rewards.PROJECTION, (lot.id,))
            assert row is not None
            assert {b: row[COLUMN[b]] for b in Book if b is not Book.ISSUED and row[COLUMN[b]]} == {
                book: amount for book, amount in lot.books.items() if amount
            }
            assert row["expires_at"] == lot.terms.expires_at
            assert row["value_initial_minor"] == lot.terms.value_initial_minor
            assert (row["extended_at"], row["adjustments"]) == (lot.extended_at, lot.adjustments)

    def next_to_go(self, now: datetime) -> list[tuple[int, int]]:
        """What the expiry order says a redemption takes: (reward, minor units), in order."""
        open_rows = [
            row
            for key, row in self._rows[reward_expiry_order.PROJECTION.name].items()
            if isinstance(key, tuple) and row is not None
        ]
        there = [row for row in open_rows if not balances.expired_by(row["expires_at"], now)]
        ordered = sorted(there, key=_by_expiry)
        amounts = ((row["reward_id"], _spendable(row, now)) for row in ordered)
        return [(reward_id, amount) for reward_id, amount in amounts if amount]

    def redemption(self, number: int, now: datetime) -> tuple[str, int]:
        """Its status at this moment, and what it has taken or holds."""
        row = self._row(redemptions.PROJECTION, (number,))
        assert row is not None
        row = redemptions.settled(row, now)
        return row["status"], row["total_minor"]

    def _balances_agree(self, account: Account, balance: int, now: datetime) -> None:
        row = self._row(balances.PROJECTION, ("p-1",))
        told = balances.balance_at(None if row is None else row, now)
        assert told.available_minor == balance
        open_lots = {} if row is None else row["open_lots"]
        assert {int(number) for number in open_lots} == set(account.open_lots)

    def _orders_agree(self, account: Account) -> None:
        rows = self._rows[reward_expiry_order.PROJECTION.name]
        shown = {key[1] for key, row in rows.items() if isinstance(key, tuple) and row is not None}
        assert shown == set(account.open_lots)
        for lot in in_expiry_order(account.open_lots.values()):
            row = rows["p-1", lot.id]
            assert row is not None
            assert [row[COLUMN[book]] for book in OPEN_BOOKS] == [
                lot.amount(book) for book in OPEN_BOOKS
            ]
            assert row["expires_at"] == lot.terms.expires_at

    def _row(self, model: Projection, key: tuple[object, ...]) -> Row | None:
        return self._rows[model.name].get(key)


def _by_expiry(row: Row) -> tuple[bool, datetime, datetime, int]:
    expires_at = row["expires_at"]
    return expires_at is None, expires_at or row["issued_at"], row["issued_at"], row["reward_id"]


def _spendable(row: Row, now: datetime) -> int:
    pending: int = row["pending_minor"] if row["issued_at"] <= now else 0
    return int(row["available_minor"]) + pending + lapsed_minor(row["holds"], now)
