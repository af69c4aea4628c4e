"""The words of the stories about receipts: goods that come back, and sales that are claimed."""

from typing import Any

from deciders.sales import line, sell, sold
from deciders.scenario import minor, moment

from schemas.receipts import (
    ClaimAwaitsSale,
    ClaimWaitsNoMore,
    ReceiptFiled,
    ReturnAwaitsSale,
    ReturnWaitsNoMore,
)
from schemas.transaction_claims import (
    ClaimTransaction,
    TransactionClaimChecked,
    TransactionClaimed,
    TransactionClaimOpened,
    TransactionClaimRejected,
)
from schemas.transaction_returns import AttachedGoodsReturned, GoodsReturned, ReturnMatched
from schemas.transactions import RecordTransaction, TransactionRecorded

REF = "0042"
CAKE = line("6.00", "2", sku="cake")
TEA = line("4.00", sku="tea")
BOUGHT = (CAKE, TEA)
RETURNED_AT = "2030-06-01 11:30:00"


def bought(
    transaction_id: int = 70, profile: str | None = "p-1", **told: Any
) -> TransactionRecorded:
    """Two cakes and a tea were sold under the receipt 0042."""
    fields = {"receipt_ref": REF, "items": BOUGHT, "total_minor": 1600} | told
    return sold(transaction_id, profile, **fields)


def filed(transaction_id: int = 70, receipt_ref: str = REF) -> ReceiptFiled:
    """The sale is found by its receipt."""
    return ReceiptFiled(receipt_ref=receipt_ref, transaction_id=transaction_id)


def buy(profile: str | None = "p-1", **told: Any) -> RecordTransaction:
    """Record that sale."""
    fields = {"receipt_ref": REF, "items": BOUGHT, "total": "16.00"} | told
    return sell(profile, **fields)


def bring_back(
    *lines: dict[str, Any], profile: str | None = None, **told: Any
) -> RecordTransaction:
    """Goods of the receipt 0042 come back."""
    fields = {
        "linked_receipt_ref": REF,
        "items": lines or (CAKE | {"quantity": "-1"},),
        "total": "-6.00",
        "external_id": None,
        "transacted_at": RETURNED_AT,
    }
    return sell(profile, **fields | told)


def brought_back(
    transaction_id: int, *lines: dict[str, Any], profile: str | None = None, **told: Any
) -> TransactionRecorded:
    """Goods of the receipt 0042 came back."""
    fields = {
        "linked_receipt_ref": REF,
        "items": lines or (CAKE | {"quantity": "-1"},),
        "total_minor": -600,
        "external_id": None,
        "transacted_at": moment(RETURNED_AT),
    }
    return sold(transaction_id, profile, **fields | told)


def off_sale(return_id: int, *lines: tuple[int, int, str, str], sale: int = 70) -> GoodsReturned:
    """On the sale: (line, line of the return, quantity, what came back with it)."""
    parts = [
        {
            "line": line,
            "return_line": return_line,
            "quantity": quantity,
            "given_back_minor": minor(amount),
        }
        for line, return_line, quantity, amount in lines
    ]
    return GoodsReturned.model_validate(
        {"transaction_id": sale, "return_transaction_id": return_id, "lines": parts}
    )


def matched(
    return_id: int, profile: str | None = None, *, sale: int = 70, excess: bool = False
) -> ReturnMatched:
    """On the return: its sale is known."""
    return ReturnMatched(
        transaction_id=return_id, sale_transaction_id=sale, profile_id=profile, excess=excess
    )


def goods(return_id: int, given_back: str = "0", *, sale: int = 70) -> AttachedGoodsReturned:
    """On the account: goods of its sale came back."""
    return AttachedGoodsReturned(
        transaction_id=sale, return_transaction_id=return_id, given_back_minor=minor(given_back)
    )


def waits(return_id: int, receipt_ref: str = REF) -> ReturnAwaitsSale:
    """The return waits for its sale."""
    return ReturnAwaitsSale(receipt_ref=receipt_ref, transaction_id=return_id)


def waits_no_more(return_id: int, receipt_ref: str = REF) -> ReturnWaitsNoMore:
    """The return waits no more."""
    return ReturnWaitsNoMore(receipt_ref=receipt_ref, transaction_id=return_id)


# ── Claims ───────────────────────────────────────────────────────────────────────────────────────


def claim(profile: str = "p-1", total: str = "16.00", **told: Any) -> ClaimTransaction:
    """A profile claims the sale of the receipt 0042."""
    fields = {"profile_id": profile, "transaction_receipt_ref": REF, "transaction_total": total}
    return ClaimTransaction.model_validate(fields | told)


def opened(claim_id: int, total: str = "16.00", **told: Any) -> TransactionClaimOpened:
    """The claim stands."""
    return TransactionClaimOpened(
        claim_id=claim_id, receipt_ref=REF, total_minor=minor(total), **told
    )


def claim_waits(claim_id: int, profile: str = "p-1") -> ClaimAwaitsSale:
    """It waits for its sale."""
    return ClaimAwaitsSale(receipt_ref=REF, claim_id=claim_id, profile_id=profile)


def claim_settled(claim_id: int) -> ClaimWaitsNoMore:
    """It waits no more."""
    return ClaimWaitsNoMore(receipt_ref=REF, claim_id=claim_id)


def claimed(claim_id: int, transaction_id: int, attempts: int = 1) -> TransactionClaimed:
    """The sale is found, and the profile's."""
    return TransactionClaimed(claim_id=claim_id, transaction_id=transaction_id, attempts=attempts)


def rejected(claim_id: int, attempts: int) -> TransactionClaimRejected:
    """The sale is another's."""
    return TransactionClaimRejected(claim_id=claim_id, attempts=attempts)


def checked(claim_id: int, transaction_id: int, attempts: int) -> TransactionClaimChecked:
    """That sale was not the one."""
    return TransactionClaimChecked(
        claim_id=claim_id, checked_transaction_id=transaction_id, attempts=attempts
    )
