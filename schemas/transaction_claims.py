"""Claims: a profile says that a sale recorded without it was its own, by the receipt."""

from typing import Annotated, Any, ClassVar

from schemas.amounts import Amount, PlainText
from schemas.commands import Command
from schemas.events import Event
from schemas.profiles import ProfileId
from schemas.times import Moment, ZoneName

ReceiptRef = Annotated[str, PlainText(max_length=10_000, min_length=1)]


class ClaimTerms(Command):
    """What the receipt says. Time and location narrow it down where a number is not enough."""

    transaction_receipt_ref: ReceiptRef
    transaction_total: Amount
    transaction_transacted_at: Moment | None = None
    transaction_timezone: ZoneName | None = None
    transaction_location_external_code: Annotated[str, PlainText(max_length=255)] | None = None


class ClaimTransaction(ClaimTerms):
    """Claim the sale of a receipt, now or as soon as it arrives."""

    profile_id: ProfileId


class TransactionClaimOpened(Event):
    """A profile says that the sale of this receipt is its own. `told_time` is as it was told."""

    EXAMPLE: ClassVar[dict[str, Any]] = {
        "claim_id": 70,
        "receipt_ref": "0042",
        "total_minor": 1000,
        "told_time": "2026-02-10 00:00:00",
        "timezone": "Australia/Melbourne",
        "location_external_code": "3",
    }

    claim_id: int
    receipt_ref: str
    total_minor: int
    told_time: str | None = None
    timezone: str | None = None
    location_external_code: str | None = None


class TransactionClaimChecked(Event):
    """A sale with this receipt's number is not the one that is claimed."""

    EXAMPLE: ClassVar[dict[str, Any]] = {
        "claim_id": 70,
        "checked_transaction_id": 900,
        "attempts": 2,
    }

    claim_id: int
    checked_transaction_id: int
    attempts: int
    """How often it has been looked for by now."""


class TransactionClaimed(Event):
    """The sale is found, and this profile's from now on."""

    EXAMPLE: ClassVar[dict[str, Any]] = {
        "claim_id": 70,
        "transaction_id": 900,
        "attempts": 2,
    }

    claim_id: int
    transaction_id: int
    attempts: int


class TransactionClaimRejected(Event):
    """The sale is found, and another profile's."""

    EXAMPLE: ClassVar[dict[str, Any]] = {"claim_id": 70, "attempts": 2}

    claim_id: int
    attempts: int
