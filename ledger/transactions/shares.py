"""How redemptions spread over the lines of a sale (docs/transactions.md)."""

from collections.abc import Sequence
from decimal import Decimal
from typing import NamedTuple

from schemas.amounts import PRICE_DIGITS, to_minor
from schemas.transactions import ItemFacts


class Shares(NamedTuple):
    """Minor units line by line; `unallocated` where no line can carry any."""

    by_line: tuple[int, ...]
    unallocated: int


def weights_of(items: Sequence[ItemFacts]) -> tuple[int, ...]:
    """What each line weighs: `price_current` × `quantity`; void and negative lines nothing.

    Whole numbers of one common scale: a product of decimals would be rounded to their context.
    """
    return tuple(
        0 if item.is_void else max(0, whole(item.price_current) * whole(item.quantity))
        for item in items
    )


def shares(total_minor: int, weights: Sequence[int]) -> Shares:
    """Spread a total by weight: whole minor units, largest remainder first, ties to the earlier."""
    sum_of_weights = sum(weights)
    if not sum_of_weights:
        return Shares(tuple(0 for _ in weights), total_minor)
    parts = [divmod(total_minor * weight, sum_of_weights) for weight in weights]
    left = total_minor - sum(share for share, _ in parts)
    by_remainder = sorted(range(len(parts)), key=lambda line: (-parts[line][1], line))
    favoured = set(by_remainder[:left])
    return Shares(tuple(share + (line in favoured) for line, (share, _) in enumerate(parts)), 0)


def whole(number: Decimal) -> int:
    """A price or quantity in whole millionths."""
    return to_minor(number, digits=PRICE_DIGITS, signed=True)
