"""How a total spreads over lines, told a second time: with fractions, one minor unit at a time."""

from collections.abc import Sequence
from fractions import Fraction

from schemas.transactions import Item


def weight_by_hand(line: Item) -> Fraction:
    """What a line weighs; nothing when it is void, or costs nothing or less."""
    weight = Fraction(line.price_current) * Fraction(line.quantity)
    return Fraction(0) if line.is_void or weight < 0 else weight


def by_hand(total: int, weights: Sequence[Fraction]) -> tuple[tuple[int, ...], int]:
    """The rule as it is told: exact quotas, their whole parts, then one by one to whoever is
    furthest below its quota, the earlier line first. And what no line can carry."""
    carrying = [line for line, weight in enumerate(weights) if weight]
    if not carrying:
        return (0,) * len(weights), total
    whole = sum(weights)
    quota = {line: total * weights[line] / whole for line in carrying}
    given_out = {line: int(quota[line]) for line in carrying}
    while sum(given_out.values()) < total:
        furthest = carrying[0]
        for line in carrying:
            if quota[line] - given_out[line] > quota[furthest] - given_out[furthest]:
                furthest = line
        given_out[furthest] += 1
    return tuple(given_out.get(line, 0) for line in range(len(weights))), 0
