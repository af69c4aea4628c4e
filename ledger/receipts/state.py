"""The folded state of a receipt's stream: who stands under its number, and who waits there."""

import hashlib
from dataclasses import dataclass

from schemas.events import Event
from schemas.receipts import (
    ClaimAwaitsSale,
    ClaimWaitsNoMore,
    ReceiptFiled,
    ReceiptWithdrawn,
    ReturnAwaitsSale,
    ReturnWaitsNoMore,
)

RECEIPT_PREFIX = "receipt-"

RECEIPT_EVENTS = (
    ReceiptFiled,
    ReceiptWithdrawn,
    ReturnAwaitsSale,
    ReturnWaitsNoMore,
    ClaimAwaitsSale,
    ClaimWaitsNoMore,
)
"""What stands in the stream of a receipt."""


def receipt_stream(receipt_ref: str) -> str:
    """The stream of a receipt. Its number may be longer than any key, so it goes by its hash."""
    return f"{RECEIPT_PREFIX}{hashlib.sha256(receipt_ref.encode()).hexdigest()[:32]}"


@dataclass(frozen=True, slots=True)
class Receipt:
    """One number. Whoever is named here says itself, in its own stream, all the rest."""

    sales: tuple[int, ...] = ()
    """Transactions, in the order they were filed."""
    returns: tuple[int, ...] = ()
    """Returns of goods that wait for their sale."""
    claims: tuple[tuple[int, str], ...] = ()
    """(claim, profile) that wait for a sale, the first to come first."""


def evolve_receipt(receipt: Receipt, event: Event) -> Receipt:
    """The receipt after one more event."""
    sales, returns, claims = receipt.sales, receipt.returns, receipt.claims
    match event:
        case ReceiptFiled():
            sales = (*sales, event.transaction_id)
        case ReceiptWithdrawn():
            sales = _without(sales, event.transaction_id)
        case ReturnAwaitsSale():
            returns = (*returns, event.transaction_id)
        case ReturnWaitsNoMore():
            returns = _without(returns, event.transaction_id)
        case ClaimAwaitsSale():
            claims = (*claims, (event.claim_id, event.profile_id))
        case ClaimWaitsNoMore():
            claims = tuple(claim for claim in claims if claim[0] != event.claim_id)
    return Receipt(sales, returns, claims)


def _without(numbers: tuple[int, ...], number: int) -> tuple[int, ...]:
    return tuple(each for each in numbers if each != number)
