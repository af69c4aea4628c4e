"""How value moves: between books, lot by lot, in whole minor units.

A **lot** is one parcel of value with its own terms: a reward. For every lot, what left the book
`issued` equals the sum of all other books, and no other book is ever below zero.
"""

from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field


class Book(StrEnum):
    """Where a part of a lot's value stands."""

    ISSUED = "issued"
    PENDING = "pending"
    AVAILABLE = "available"
    HELD = "held"
    REDEEMED = "redeemed"
    EXPIRED = "expired"
    REVOKED = "revoked"
    TRANSFERRED = "transferred"


class Movement(BaseModel):
    """`amount_minor` of one lot leaves one book and enters another."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_by_name=True)

    lot: int
    source: Book = Field(alias="from")
    target: Book = Field(alias="to")
    amount_minor: int = Field(gt=0)


def moved(lot: int, source: Book, target: Book, amount_minor: int) -> tuple[Movement, ...]:
    """The movement of an amount, or none where there is nothing to move."""
    if amount_minor == 0:
        return ()
    return (Movement(lot=lot, source=source, target=target, amount_minor=amount_minor),)
