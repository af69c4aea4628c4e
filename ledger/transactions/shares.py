"""How redemptions spread over the lines of a sale (docs/transactions.md)."""

from collections.abc import Sequence
from decimal import Decimal
from typing import NamedTuple

from schemas.transactions import Item


class Shares(NamedTuple):
    """Minor units line by line; `unallocated` where no line can carry any."""

    by_line: tuple[int, ...]
    unallocated: int


def weights_of(items: Sequence[Item]) -> tuple[Decimal, ...]:
    """What each line weighs: `price_current` × `quantity`; void and negative lines nothing."""
    return tuple(
        Decimal(0) if item.is_void else max(Decimal(0), item.price_current * item.quantity)
        for item in items
    )


def shares(total_minor: int, weights: Sequence[Decimal]) -> Shares:
    """Spread a total by weight: whole minor units, largest remainder first, ties to the earlier.

    Exact: weights become integers of one common scale before anything is divided.
    """
    scale = max((_decimals(weight) for weight in weights), default=0)
    whole = [int(weight.scaleb(scale)) for weight in weights]
    sum_of_weights = sum(whole)
    if not sum_of_weights:
        return Shares(tuple(0 for _ in weights), total_minor)
    parts = [divmod(total_minor * weight, sum_of_weights) for weight in whole]
    left = total_minor - sum(share for share, _ in parts)
    by_remainder = sorted(range(len(parts)), key=lambda line: (-parts[line][1], line))
    favoured = set(by_remainder[:left])
    return Shares(tuple(share + (line in favoured) for line, (share, _) in enumerate(parts)), 0)


def _decimals(weight: Decimal) -> int:
    exponent = weight.as_tuple().exponent
    assert isinstance(exponent, int), "weights are finite"
    return max(0, -exponent)
