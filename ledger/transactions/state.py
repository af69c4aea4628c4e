"""The folded state of a transaction: what later decisions need of it."""

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from immutables import Map

from ledger.transactions.shares import weights_of, whole
from schemas.events import Event
from schemas.transaction_changes import (
    RedemptionsSpread,
    TransactionAssigned,
    TransactionChanged,
    TransactionUnattached,
)
from schemas.transaction_returns import GoodsReturned, GoodsReturnVoided, ReturnMatched
from schemas.transactions import (
    SALE_FIELDS,
    ItemFacts,
    RedemptionAttributed,
    TransactionRecorded,
    TransactionVoided,
)

TRANSACTION_PREFIX = "transaction-"

TRANSACTION_EVENTS = (
    TransactionRecorded,
    TransactionChanged,
    TransactionAssigned,
    TransactionUnattached,
    RedemptionAttributed,
    RedemptionsSpread,
    TransactionVoided,
    GoodsReturned,
    GoodsReturnVoided,
    ReturnMatched,
)
"""What stands in the stream of a transaction; `TransactionUnattached` on the account as well."""

Lines = tuple[tuple[int, int, int], ...]
"""(line, quantity in millionths, minor units given back with it)."""


def transaction_stream(transaction_id: int) -> str:
    """The stream of a transaction, fixed for life."""
    return f"{TRANSACTION_PREFIX}{transaction_id}"


@dataclass(frozen=True, slots=True)
class Transaction:
    """A sale, or a return of goods. `id` is None while its stream is empty."""

    id: int | None = None
    profile_id: str | None = None
    total_minor: int = 0
    transacted_at: datetime | None = None
    timezone: str = "UTC"
    sale: Map[str, Any] = field(default_factory=Map)
    """The fields of `SALE_FIELDS`, as they are now."""
    has_personal: bool = False
    """It was told something personal, which stands sealed in its events."""
    weights: tuple[int, ...] = ()
    """What each line weighs when a redemption is spread over them."""
    redemptions: tuple[tuple[int, int], ...] = ()
    """(redemption, minor units) in the order they were attributed."""
    shares_minor: tuple[int, ...] = ()
    """What of them falls to each line."""
    void: bool = False
    returns: Map[int, Lines] = field(default_factory=Map)
    """What came back of a sale, return by return; void ones are gone from here."""
    given_back_minor: Map[int, int] = field(default_factory=Map)
    """What came back of each line's share with its goods, void returns included."""
    sale_id: int | None = None
    """Of a return: the sale its goods were bought with."""

    @property
    def external_id(self) -> str | None:
        """The till's own number."""
        name: str | None = self.sale.get("external_id")
        return name

    @property
    def items(self) -> tuple[ItemFacts, ...]:
        """Its lines."""
        items: tuple[ItemFacts, ...] = self.sale.get("items", ())
        return items

    @property
    def attributed_minor(self) -> int:
        """What all its redemptions took."""
        return sum(amount for _, amount in self.redemptions)

    @property
    def is_return(self) -> bool:
        """Goods of a sale that it names came back."""
        return bool(self.sale.get("linked_receipt_ref")) and any(
            item.is_return and not item.is_void for item in self.items
        )

    def returned(self, line: int) -> int:
        """How much of a line came back, in millionths."""
        return sum(
            quantity for lines in self.returns.values() for of, quantity, _ in lines if of == line
        )


def evolve_transaction(transaction: Transaction, event: Event) -> Transaction:
    """The transaction after one more event."""
    match event:
        case TransactionRecorded():
            return Transaction(
                id=event.transaction_id,
                profile_id=event.profile_id,
                total_minor=event.total_minor,
                transacted_at=event.transacted_at,
                timezone=event.timezone,
                sale=Map({name: getattr(event, name) for name in SALE_FIELDS}),
                has_personal=event.personal is not None,
                weights=weights_of(event.items),
            )
        case TransactionChanged():
            transaction = _changed(transaction, event)
        case RedemptionsSpread():
            transaction = replace(transaction, shares_minor=event.shares_minor)
        case TransactionAssigned():
            transaction = replace(transaction, profile_id=event.profile_id)
        case TransactionUnattached():
            transaction = replace(transaction, profile_id=None)
        case RedemptionAttributed():
            transaction = replace(
                transaction,
                profile_id=event.profile_id,
                redemptions=(*transaction.redemptions, (event.redemption_id, event.total_minor)),
                shares_minor=event.shares_minor,
            )
        case TransactionVoided():
            transaction = replace(transaction, void=True)
        case _:
            transaction = _evolve_return(transaction, event)
    return transaction


def _evolve_return(transaction: Transaction, event: Event) -> Transaction:
    match event:
        case GoodsReturned():
            transaction = _less(transaction, event)
        case GoodsReturnVoided():
            left = transaction.returns.delete(event.return_transaction_id)
            transaction = replace(transaction, returns=left)
        case ReturnMatched():
            profile_id = transaction.profile_id or event.profile_id
            transaction = replace(
                transaction, sale_id=event.sale_transaction_id, profile_id=profile_id
            )
    return transaction


def _changed(transaction: Transaction, event: TransactionChanged) -> Transaction:
    sale = transaction.sale.update(event.new_values)
    total = transaction.total_minor if event.total_minor is None else event.total_minor
    return replace(
        transaction,
        sale=sale,
        has_personal=transaction.has_personal or event.personal is not None,
        total_minor=total,
        transacted_at=event.transacted_at or transaction.transacted_at,
        timezone=event.timezone or transaction.timezone,
        weights=transaction.weights if event.items is None else weights_of(event.items),
    )


def _less(transaction: Transaction, event: GoodsReturned) -> Transaction:
    lines = tuple((each.line, whole(each.quantity), each.given_back_minor) for each in event.lines)
    given_back = transaction.given_back_minor
    for line, _, amount in lines:
        given_back = given_back.set(line, given_back.get(line, 0) + amount)
    return replace(
        transaction,
        returns=transaction.returns.set(event.return_transaction_id, lines),
        given_back_minor=given_back,
    )
