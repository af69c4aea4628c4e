"""Lots: parcels of value with their own terms, and where each part of their value stands."""

from collections.abc import Iterable, Mapping
from dataclasses import field, fields
from datetime import UTC, date, datetime, timedelta
from operator import attrgetter
from typing import Any

from ledger.records import replace
from schemas.handover import LotHold, LotRecord
from schemas.immutable import immutable
from schemas.movements import Book, Movement
from schemas.rewards import RewardIssued
from schemas.times import PeriodType

WHOLE_SECOND = timedelta(seconds=1)
NEVER = datetime.max.replace(tzinfo=UTC)


@immutable
class Terms:
    """What was promised when a reward was issued; no later definition changes it."""

    definition_id: int
    definition_version: int
    period: int
    period_type: PeriodType
    value_initial_minor: int
    issued_at: datetime
    expires_at: datetime | None
    timezone: str
    graced: bool = False
    absolute_expiry: date | None = None
    extend_days: int | None = None
    is_reassignable: bool = False
    is_extendable: bool = False
    min_spend_minor: int | None = None
    max_redeem_per_transaction_minor: int | None = None

    def promised(self) -> dict[str, Any]:
        """The part that a reward which carries on this one's value keeps."""
        return {name: getattr(self, name) for name in PROMISED}


PROMISED = (
    "definition_id",
    "definition_version",
    "period",
    "period_type",
    "absolute_expiry",
    "extend_days",
    "is_reassignable",
    "is_extendable",
    "min_spend_minor",
    "max_redeem_per_transaction_minor",
)
"""What an event copies from a definition's version, or from the reward it carries on."""


@immutable
class Lot:
    """One reward's value. Amounts are minor units; `issued_minor` is the sum of all books."""

    id: int
    terms: Terms
    issued_minor: int = 0
    books: dict[Book, int] = field(default_factory=dict)
    revoked: bool = False
    extended_at: datetime | None = None
    adjustments: int = 0
    moves: int = 0
    """How often it was reassigned; of two accounts that know it, the later one has more."""
    moved_to: str | None = None
    """The profile it was reassigned to: here is only what had been spent of it before."""

    def amount(self, book: Book) -> int:
        """What stands in a book."""
        return self.books.get(book, 0)

    @property
    def is_open(self) -> bool:
        """Some of its value may still be spent."""
        amount = self.books.get
        return bool(amount(Book.AVAILABLE) or amount(Book.PENDING) or amount(Book.HELD))

    @property
    def remaining_minor(self) -> int:
        """What may still be spent of it: now, later, or by whoever holds it."""
        return self.amount(Book.AVAILABLE) + self.amount(Book.PENDING) + self.amount(Book.HELD)

    def expired_by(self, now: datetime) -> bool:
        """Available until the end of the `expires_at` second, and not an instant longer."""
        expires_at = self.terms.expires_at
        return expires_at is not None and now - expires_at >= WHOLE_SECOND

    def is_due(self, now: datetime) -> bool:
        """Time alone may have done something to it that isn't recorded."""
        return self.expired_by(now) or (
            self.amount(Book.PENDING) > 0 and self.terms.issued_at <= now
        )

    def move(self, movement: Movement) -> "Lot":
        """The lot after a movement.

        Raises:
            LotOverdrawn: the event takes what is not there; such an event must never be written.
        """
        books = dict(self.books)
        issued = self.issued_minor
        if movement.source is Book.ISSUED:
            issued += movement.amount_minor
        else:
            left = books.get(movement.source, 0) - movement.amount_minor
            if left < 0:
                raise LotOverdrawn(self.id, movement)
            books[movement.source] = left
        books[movement.target] = books.get(movement.target, 0) + movement.amount_minor
        return replace(self, issued_minor=issued, books=books)


_TERMS = tuple(each.name for each in fields(Terms))
_terms = attrgetter(*_TERMS)
_OF_ITS_OWN = tuple(
    each.name for each in fields(Lot) if each.name not in ("id", "terms", "issued_minor", "books")
)


def lot_record(
    lot: Lot, books: Mapping[Book, int], holds: Mapping[int, LotHold] | None = None
) -> LotRecord:
    """All there is to know of a lot, with the books and holds it will have where it goes."""
    terms = {name: getattr(lot.terms, name) for name in _TERMS}
    own = {name: getattr(lot, name) for name in _OF_ITS_OWN}
    return LotRecord(reward_id=lot.id, books=dict(books), holds=dict(holds or {}), **terms, **own)


def terms_of(record: RewardIssued | LotRecord) -> Terms:
    """The terms a reward was issued on, as whatever tells of it has them: by the same names."""
    return Terms(*_terms(record))


def taken_over(record: LotRecord, before: Lot | None) -> Lot:
    """The lot of a record, before its movements bring the value.

    The account may have known it before: what it keeps of that time stays in its books.
    """
    terms = terms_of(record)
    own = {name: getattr(record, name) for name in _OF_ITS_OWN}
    return replace(before or Lot(record.reward_id, terms), terms=terms, **own)


class LotOverdrawn(Exception):
    """A movement would bring a book below zero."""

    def __init__(self, lot_id: int, movement: Movement) -> None:
        super().__init__(f"lot {lot_id}: {movement.source} holds less than {movement.amount_minor}")


def in_expiry_order(lots: Iterable[Lot]) -> list[Lot]:
    """Nearest expiry first, no expiry last; ties by issue, then by id."""
    return sorted(
        lots, key=lambda lot: (lot.terms.expires_at or NEVER, lot.terms.issued_at, lot.id)
    )
