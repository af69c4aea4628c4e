"""Claims on sales that were recorded without the profile, as its account knows them."""

from dataclasses import fields, replace
from typing import Literal

from immutables import Map

from schemas.handover import SaleClaimRecord
from schemas.immutable import immutable
from schemas.transaction_claims import (
    TransactionClaimChecked,
    TransactionClaimed,
    TransactionClaimOpened,
    TransactionClaimRejected,
)

OfSaleClaim = (
    TransactionClaimOpened | TransactionClaimChecked | TransactionClaimed | TransactionClaimRejected
)
Status = Literal["open", "claimed", "rejected"]


@immutable
class SaleClaim:
    """What a receipt says, and what became of it."""

    id: int
    receipt_ref: str
    total_minor: int
    told_time: str | None = None
    timezone: str | None = None
    location: str | None = None
    status: Status = "open"
    attempts: int = 1
    """How often it was looked for."""
    transaction_id: int | None = None

    @property
    def told(self) -> tuple[str, int, str | None, str | None, str | None]:
        """All the receipt says."""
        return self.receipt_ref, self.total_minor, self.told_time, self.timezone, self.location


def evolve_sale_claims(claims: Map[int, SaleClaim], event: OfSaleClaim) -> Map[int, SaleClaim]:
    """The claims of an account after one more event."""
    match event:
        case TransactionClaimOpened():
            return claims.set(event.claim_id, opened(event))
        case TransactionClaimChecked():
            claim = replace(claims[event.claim_id], attempts=event.attempts)
        case TransactionClaimed():
            claim = replace(
                claims[event.claim_id],
                status="claimed",
                attempts=event.attempts,
                transaction_id=event.transaction_id,
            )
        case TransactionClaimRejected():
            claim = replace(claims[event.claim_id], status="rejected", attempts=event.attempts)
    return claims.set(event.claim_id, claim)


_KNOWN = tuple(each.name for each in fields(SaleClaim) if each.name != "id")


def claim_record(claim: SaleClaim) -> SaleClaimRecord:
    """All there is to know of a claim, for the account it goes to."""
    return SaleClaimRecord(claim_id=claim.id, **{name: getattr(claim, name) for name in _KNOWN})


def claim_taken_over(record: SaleClaimRecord) -> SaleClaim:
    """The claim of a record."""
    return SaleClaim(record.claim_id, **{name: getattr(record, name) for name in _KNOWN})


def opened(event: TransactionClaimOpened) -> SaleClaim:
    """A claim as it begins."""
    return SaleClaim(
        event.claim_id,
        event.receipt_ref,
        event.total_minor,
        event.told_time,
        event.timezone,
        event.location_external_code,
    )
