"""What the read models of money share: columns for the books, and a movement's effect on them."""

from functools import cache
from typing import Any

from sqlalchemy import BigInteger, Column

from projections.projection import EventRecord, Row
from projections.read_models.handover import terms_in
from schemas.events import Event, LotTerms, class_of
from schemas.handover import TakenOver
from schemas.movements import Book, Movement

COLUMN = {book: f"{book.value}_minor" for book in Book}
"""The column of each book."""

OPEN_BOOKS = (Book.AVAILABLE, Book.PENDING, Book.HELD)
"""Where value stands that may still be spent."""

_PREFIX_LENGTH = len("account-")
# A payload is written by `schemas.events.encode`: compact, and never without this field.
_NO_MOVEMENTS = b'"movements":[]'


class Overdrawn(Exception):
    """A movement would bring a book below zero: the log and the rows don't belong together."""


def book_columns() -> list[Column[Any]]:
    """One column a book, in minor units."""
    return [Column(name, BigInteger, nullable=False) for name in COLUMN.values()]


def empty_books() -> Row:
    """Nothing in any book."""
    return dict.fromkeys(COLUMN.values(), 0)


def move(row: Row, movement: Movement) -> None:
    """Change a row's books (in place) by a movement.

    Raises:
        Overdrawn: the source holds less.
    """
    source, amount = COLUMN[movement.source], movement.amount_minor
    # `issued` counts what ever entered, so it grows by what leaves it for another book.
    if movement.source is Book.ISSUED:
        row[source] += amount
    elif row[source] < amount:
        raise Overdrawn(f"{source} holds {row[source]}, lot {movement.lot} takes {amount}")
    else:
        row[source] -= amount
    row[COLUMN[movement.target]] += amount


def moves_value(record: EventRecord) -> bool:
    """Whether an event may carry movements, told from its bytes alone."""
    return _NO_MOVEMENTS not in record.payload


def concerns_lots(record: EventRecord) -> bool:
    """Whether an event may move value or give a lot its terms, told without decoding it."""
    return moves_value(record) or _sets_terms(record.type, record.schema_version)


@cache
def _sets_terms(event_type: str, schema_version: int) -> bool:
    cls = class_of(event_type, schema_version)
    return cls is not None and issubclass(cls, LotTerms | TakenOver)


def lots_of(event: Event) -> set[int]:
    """The lots an event moves value of or gives terms."""
    return {movement.lot for movement in event.movements} | set(terms_in(event))


def profile_of(record: EventRecord) -> str:
    """Whose account an event stands on."""
    return record.stream_id[_PREFIX_LENGTH:]
