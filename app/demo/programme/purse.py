"""What a member can spend, as the story knows it: it never asks for what isn't there.

It follows the ledger's rules: nearest expiry first, a return in reverse order. It is no second
ledger: should it be wrong, the ledger refuses, and the filling says so.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from app.demo.programme.definitions import Kind
from app.demo.programme.steps import Made

if TYPE_CHECKING:
    from app.demo.programme.members import Member

WHOLE_SECOND: Final = timedelta(seconds=1)

Parcels = list[tuple["Lot", int]]


@dataclass(eq=False, slots=True)
class Lot:
    """A reward. `made` is missing where a return has made it: nobody names it then."""

    kind: Kind
    owner: "Member"
    value: int
    issued_at: datetime
    expires_at: datetime
    number: int
    made: Made | None = None
    swept: bool = False
    """Its expiry is recorded."""

    def usable(self, at: datetime, total: int) -> bool:
        """Whether it can pay for a sale of this total then."""
        return (
            self.value > 0
            and self.issued_at <= at
            and not self.expired(at)
            and total >= self.kind.min_spend
        )

    def expired(self, at: datetime) -> bool:
        """A reward lives to the end of its last second."""
        return at - self.expires_at >= WHOLE_SECOND


@dataclass(slots=True)
class Purse:
    """The rewards of a member."""

    lots: list[Lot] = field(default_factory=list)

    def usable(self, at: datetime, total: int) -> list[Lot]:
        """What can pay for a sale of this total, in the order it is consumed."""
        lots = [lot for lot in self.lots if lot.usable(at, total)]
        return sorted(lots, key=lambda lot: (lot.expires_at, lot.issued_at, lot.number))

    def available(self, at: datetime, total: int) -> int:
        """How much of a sale of this total it can pay."""
        return sum(lot.value for lot in self.usable(at, total))

    def take(self, amount: int, at: datetime, total: int) -> Parcels:
        """Take an amount that is there."""
        parcels = first([(lot, lot.value) for lot in self.usable(at, total)], amount)
        for lot, part in parcels:
            lot.value -= part
        return parcels


@dataclass(eq=False, slots=True)
class Redemption:
    """What was taken and has not come back."""

    made: Made
    at: datetime
    parcels: Parcels

    @property
    def total(self) -> int:
        """How much that is."""
        return sum(amount for _, amount in self.parcels)

    def back(self, amount: int) -> Parcels:
        """Give back so much of it, what was taken last first."""
        returned = first(reversed(self.parcels), amount)
        given = {id(lot): part for lot, part in returned}
        left = [(lot, part - given.get(id(lot), 0)) for lot, part in self.parcels]
        self.parcels = [(lot, part) for lot, part in left if part]
        return returned

    def undo(self) -> None:
        """All of it goes back to where it came from."""
        for lot, amount in self.parcels:
            lot.value += amount
        self.parcels = []


def first(parcels: Iterable[tuple[Lot, int]], amount: int) -> Parcels:
    """So much of these parcels, in their order."""
    taken: Parcels = []
    for lot, part in parcels:
        some = min(part, amount)
        if some:
            taken.append((lot, some))
        amount -= some
    return taken
