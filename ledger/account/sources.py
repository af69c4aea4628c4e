"""Where a redemption takes its value: a source for each strategy, asked in the command's order."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime

from ledger.account.lots import Lot, in_expiry_order
from ledger.account.parcels import Parcels
from ledger.account.state import Account
from schemas.immutable import immutable
from schemas.movements import Book
from schemas.redemptions import Strategy


@immutable
class Purchase:
    """What value is taken for, as far as the redemption says it."""

    now: datetime
    total_minor: int | None = None
    """The sale's total before rewards."""
    external_id: str | None = None
    """The sale the redemption announces."""
    swept_since: datetime | None = None
    """Of a redemption made in time elsewhere: what has expired since then may still pay for it."""


Source = Callable[[Account, Purchase], Iterable[tuple[int, int]]]


def offered(strategies: Iterable[Strategy], account: Account, purchase: Purchase) -> Parcels:
    """All that could be taken, in the order it would be."""
    return [parcel for name in strategies for parcel in SOURCES[name](account, purchase)]


def _rewards(account: Account, purchase: Purchase) -> Iterator[tuple[int, int]]:
    """Nearest expiry first, as far as each reward's own limits let it pay for this purchase."""
    paid = _paid_by_definition(account, purchase)
    for lot in _spendable(account, purchase):
        terms, amount = lot.terms, lot.amount(book_of(lot))
        most = terms.max_redeem_per_transaction_minor
        if terms.min_spend_minor is not None or most is not None:
            if purchase.total_minor is None or purchase.total_minor < (terms.min_spend_minor or 0):
                continue
            if most is not None:
                amount = min(amount, most - paid[terms.definition_id])
        if amount > 0:
            paid[terms.definition_id] += amount
            yield lot.id, amount


def _spendable(account: Account, purchase: Purchase) -> list[Lot]:
    """What could be spent at that moment, as far as nobody has spent it or let it go too long."""
    since = purchase.swept_since
    if since is None:
        return account.spendable(purchase.now)
    return in_expiry_order(
        lot
        for lot in account.lots.values()
        if lot.terms.issued_at <= purchase.now
        and not lot.expired_by(purchase.now)
        and not lot.expired_by(since)
        and lot.amount(book_of(lot))
    )


def book_of(lot: Lot) -> Book:
    """Where a lot's value waits: what time has swept away waits among the expired."""
    return Book.AVAILABLE if lot.amount(Book.AVAILABLE) else Book.EXPIRED


def _paid_by_definition(account: Account, purchase: Purchase) -> defaultdict[int, int]:
    """What the rewards of each definition pay already, by redemptions for the same sale."""
    paid: defaultdict[int, int] = defaultdict(int)
    announced = purchase.external_id
    for number in () if announced is None else account.announcements.get(announced, ()):
        redemption = account.redemptions[number]
        for lot_id, amount in (*redemption.outstanding(), *redemption.held(purchase.now)):
            paid[account.lots[lot_id].terms.definition_id] += amount
    return paid


def _nothing_kept(_: Account, __: Purchase) -> Iterator[tuple[int, int]]:
    """This ledger keeps none of these yet: so their balances say, and so much can be taken."""
    return iter(())


SOURCES: Mapping[Strategy, Source] = {
    "rewards": _rewards,
    "points": _nothing_kept,
    "credits": _nothing_kept,
}
