"""Parcels: parts of lots in an order, as redemptions take, hold and give them back."""

from collections.abc import Iterable

from schemas.movements import Book, Movement, moved

Parcels = list[tuple[int, int]]
"""(lot, amount in minor units), in order."""


def first(parcels: Iterable[tuple[int, int]], amount: int) -> Parcels:
    """The first parcels up to an amount; the last one only in part where it is larger."""
    taken: Parcels = []
    for lot_id, there in parcels:
        if amount <= 0:
            break
        part = min(there, amount)
        taken.append((lot_id, part))
        amount -= part
    return taken


def rest(parcels: Iterable[tuple[int, int]], amount: int) -> Parcels:
    """What is left of the parcels after the first ones up to an amount."""
    left: Parcels = []
    for lot_id, there in parcels:
        part = min(there, amount)
        amount -= part
        if there > part:
            left.append((lot_id, there - part))
    return left


def total(parcels: Iterable[tuple[int, int]]) -> int:
    """What they are together."""
    return sum(amount for _, amount in parcels)


def movements(
    parcels: Iterable[tuple[int, int]], source: Book, target: Book
) -> tuple[Movement, ...]:
    """Each parcel from one book to another."""
    return tuple(m for lot, amount in parcels for m in moved(lot, source, target, amount))
