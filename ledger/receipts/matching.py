"""Which sale a return of goods belongs to, and which of its lines came back."""

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from ledger.transactions.shares import whole
from ledger.transactions.state import Transaction
from schemas.transactions import ItemFacts

_NAMES = ("external_id", "sku", "product_variant_id", "variant_external_id")
"""How a line of a return names one of the sale: the first that any line answers to counts."""


SameProfile = Callable[[str | None, str | None], bool]
"""Whether two profiles are one, which may have become it since."""


class Back(NamedTuple):
    """So much of a line of the sale came back on a line of the return, in millionths."""

    line: int
    return_line: int
    quantity: int


def sale_of(
    returned: Transaction, sales: Iterable[Transaction], same_profile: SameProfile
) -> Transaction | None:
    """The latest sale before it under the receipt it names; one of its own location goes first."""
    fitting = [sale for sale in sales if fits(sale, returned, same_profile)]
    return max(
        fitting,
        key=lambda sale: (_same_location(sale, returned), sale.transacted_at, sale.id),
        default=None,
    )


def fits(sale: Transaction, returned: Transaction, same_profile: SameProfile) -> bool:
    """Whether the goods may be the sale's. A number of another location's is another receipt,
    unless the profile is the same.
    """
    assert sale.transacted_at is not None
    assert returned.transacted_at is not None
    locations = (sale.sale.get("location_id"), returned.sale.get("location_id"))
    return (
        not sale.void
        and sale.id != returned.id
        and sale.transacted_at <= returned.transacted_at
        and (
            None in locations
            or _same_location(sale, returned)
            or same_profile(sale.profile_id, returned.profile_id)
        )
    )


def lines_back(sale: Transaction, returned: Transaction) -> tuple[list[Back], list[int]]:
    """What of the sale came back, and the lines of the return that came back with more than the
    sale still had.
    """
    left = {
        line: whole(item.quantity) - sale.returned(line)
        for line, item in enumerate(sale.items)
        if not (item.is_void or item.is_return)
    }
    found: list[Back] = []
    excess: list[int] = []
    for return_line, item in enumerate(returned.items):
        wanted = 0 if item.is_void else max(0, -whole(item.quantity))
        for line in _lines_named(item, sale.items):
            part = min(wanted, left.get(line, 0))
            if part:
                found.append(Back(line, return_line, part))
                left[line] -= part
                wanted -= part
        if wanted:
            excess.append(return_line)
    return found, excess


def share_due(sale: Transaction, back: Back, so_far: int, given_back_minor: int) -> int:
    """What a redemption had paid for what came back. The shares of a line's parts add up to the
    line's: the last to come back brings the rest.
    """
    share = sale.shares_minor[back.line] if sale.shares_minor else 0
    sold = whole(sale.items[back.line].quantity)
    return max(0, share * (so_far + back.quantity) // sold - given_back_minor)


def _lines_named(item: ItemFacts, lines: Sequence[ItemFacts]) -> list[int]:
    for name in _NAMES:
        value = getattr(item, name)
        if value is None:
            continue
        named = [line for line, sold in enumerate(lines) if getattr(sold, name) == value]
        if named:
            return named
    return []


def _same_location(sale: Transaction, returned: Transaction) -> bool:
    return bool(sale.sale.get("location_id") == returned.sale.get("location_id"))
