"""Receipts: who stands under one receipt's number, and who waits for a sale to do so.

A receipt has a stream of its own, so that a sale, a return of its goods and a claim on it that
come at the same moment are decided one after the other.
"""

from typing import Any, ClassVar

from schemas.events import Event


class ReceiptFiled(Event):
    """A sale has this number."""

    EXAMPLE: ClassVar[dict[str, Any]] = {"receipt_ref": "0042", "transaction_id": 900}

    receipt_ref: str
    transaction_id: int


class ReceiptWithdrawn(Event):
    """The sale has this number no more."""

    EXAMPLE: ClassVar[dict[str, Any]] = {"receipt_ref": "0042", "transaction_id": 900}

    receipt_ref: str
    transaction_id: int


class ReturnAwaitsSale(Event):
    """Goods came back whose sale is not known yet."""

    EXAMPLE: ClassVar[dict[str, Any]] = {"receipt_ref": "0042", "transaction_id": 901}

    receipt_ref: str
    transaction_id: int


class ReturnWaitsNoMore(Event):
    """The return has its sale, or is void, or names another receipt."""

    EXAMPLE: ClassVar[dict[str, Any]] = {"receipt_ref": "0042", "transaction_id": 901}

    receipt_ref: str
    transaction_id: int


class ClaimAwaitsSale(Event):
    """A profile claims a sale that is not known yet."""

    EXAMPLE: ClassVar[dict[str, Any]] = {
        "receipt_ref": "0042",
        "claim_id": 70,
        "profile_id": "p-1",
    }

    receipt_ref: str
    claim_id: int
    profile_id: str


class ClaimWaitsNoMore(Event):
    """The claim is settled."""

    EXAMPLE: ClassVar[dict[str, Any]] = {"receipt_ref": "0042", "claim_id": 70}

    receipt_ref: str
    claim_id: int
