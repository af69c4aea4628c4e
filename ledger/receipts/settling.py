"""What follows from a transaction's receipts, whenever it is recorded, changed or void."""

from dataclasses import replace
from typing import Any

from ledger.decider import Circumstances
from ledger.drafting import Draft
from ledger.receipts.claims import attach_returns, settle_claims
from ledger.receipts.returns import match_waiting, seek_sale, stop_waiting, void_return
from ledger.receipts.state import receipt_stream
from ledger.transactions.state import Transaction, transaction_stream
from schemas.receipts import ReceiptFiled, ReceiptWithdrawn


def follow(
    draft: Draft,
    before: Transaction,
    transaction_id: int,
    of_account: str | None,
    at: Circumstances,
) -> None:
    """All that follows from a transaction that has been recorded or changed, or become a profile's:
    returns of its goods that are nobody's go with it.
    """
    # What is sealed is the sale's own, and of none of the events that follow from it.
    at = replace(at, personal=None)
    joined = draft.state(transaction_stream(transaction_id)).profile_id
    if before.returns and before.profile_id is None and joined is not None:
        assert of_account is not None
        attach_returns(draft, transaction_id, joined, of_account, at)
    settle(draft, before, transaction_id, at)


def settle(draft: Draft, before: Transaction, transaction_id: int, at: Circumstances) -> None:
    """File a sale under its receipt and match what waits there; match a return, or let it wait.

    `before` is the transaction as it was, empty where it is new.
    """
    now: Transaction = draft.state(transaction_stream(transaction_id))
    waited_for = before.sale.get("linked_receipt_ref") if before.is_return else None
    if now.void:
        if now.sale_id is not None:
            void_return(draft, now, at)
        elif waited_for:
            stop_waiting(draft, waited_for, transaction_id)
        return
    if waited_for and not (now.is_return and now.sale["linked_receipt_ref"] == waited_for):
        stop_waiting(draft, waited_for, transaction_id)
    filed = _filed_under(now)
    if _filed_under(before) not in (None, filed):
        _withdraw(draft, before, transaction_id)
    if now.is_return and now.sale_id is None:
        seek_sale(draft, transaction_id, at)
    if filed is not None:
        _file(draft, filed, transaction_id)
        match_waiting(draft, filed, transaction_id, at)
        if _told_by_a_receipt(before) != _told_by_a_receipt(now):
            settle_claims(draft, filed, transaction_id, at)


def _filed_under(transaction: Transaction) -> str | None:
    """The number its goods may come back by: not that of a slip for goods that only came back."""
    items = transaction.items
    sells = not items or any(not item.is_return for item in items)
    return (transaction.sale.get("receipt_ref") or None) if sells else None


def _told_by_a_receipt(transaction: Transaction) -> tuple[Any, ...]:
    """What a claim is compared with: while that stays, there is nothing to look at again."""
    return (
        _filed_under(transaction),
        transaction.total_minor,
        transaction.sale.get("location_id"),
        transaction.transacted_at,
        transaction.timezone,
    )


def _file(draft: Draft, receipt_ref: str, transaction_id: int) -> None:
    stream_id = receipt_stream(receipt_ref)
    if transaction_id not in draft.state(stream_id).sales:
        draft.write(stream_id, ReceiptFiled(receipt_ref=receipt_ref, transaction_id=transaction_id))


def _withdraw(draft: Draft, before: Transaction, transaction_id: int) -> None:
    receipt_ref: str = before.sale["receipt_ref"]
    draft.write(
        receipt_stream(receipt_ref),
        ReceiptWithdrawn(receipt_ref=receipt_ref, transaction_id=transaction_id),
    )
