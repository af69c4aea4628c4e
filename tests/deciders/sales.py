"""The words of the stories about sales: what can have happened to one, and what can be asked.

A sale has two lines of 6.00 and 4.00 unless told otherwise, took place at 11:00 and is `t-1`
outside. Amounts are text such as `"5.00"`, shares and all.
"""

from typing import Any

from deciders.scenario import minor, moment

from schemas.transaction_changes import (
    AttachedTransactionChanged,
    TransactionAssigned,
    TransactionChanged,
    UpsertTransaction,
)
from schemas.transactions import (
    AttachedTransactionVoided,
    LinkRedemption,
    RecordTransaction,
    RedemptionAttributed,
    TransactionAttached,
    TransactionLinked,
    TransactionRecorded,
    TransactionUnlinked,
    TransactionVoided,
    VoidTransaction,
)

SOLD_AT = "2030-06-01 11:00:00"


def line(price: str, quantity: str = "1", **fields: Any) -> dict[str, Any]:
    """One line of a sale."""
    line = {"name": "thing", "quantity": quantity, "price_current": price, "price_sell": price}
    return line | fields


TWO_LINES = (line("6.00"), line("4.00"))


def sell(profile: str | None = "p-1", **fields: Any) -> RecordTransaction:
    """Record a sale of 10.00."""
    asked = {
        "profile_id": profile,
        "external_id": "t-1",
        "total": "10.00",
        "transacted_at": SOLD_AT,
        "timezone": "UTC",
        "items": TWO_LINES,
    }
    return RecordTransaction.model_validate(asked | fields)


def link(transaction_id: int, redemption_id: int) -> LinkRedemption:
    """Attribute a redemption to a sale that is there."""
    return LinkRedemption(transaction_id=transaction_id, redemption_id=redemption_id)


def void(transaction_id: int, **fields: Any) -> VoidTransaction:
    """The sale did not happen."""
    return VoidTransaction(transaction_id=transaction_id, **fields)


def sold(
    transaction_id: int, profile: str | None = "p-1", total: str = "10.00", **changes: Any
) -> TransactionRecorded:
    """The sale happened."""
    fields = {
        "transaction_id": transaction_id,
        "profile_id": profile,
        "external_id": "t-1",
        "total_minor": minor(total),
        "transacted_at": moment(SOLD_AT),
        "timezone": "UTC",
        "items": TWO_LINES,
    }
    return TransactionRecorded.model_validate(fields | changes)


def attributed(
    transaction_id: int,
    redemption_id: int,
    *parts: tuple[int, str],
    shares: tuple[str, ...],
    unallocated: str = "0",
    profile: str = "p-1",
) -> RedemptionAttributed:
    """The redemption is the sale's; `parts` are what it took from each lot."""
    taken = [{"reward_id": lot, "amount_minor": minor(amount)} for lot, amount in parts]
    return RedemptionAttributed.model_validate(
        {
            "transaction_id": transaction_id,
            "redemption_id": redemption_id,
            "profile_id": profile,
            "total_minor": sum(minor(amount) for _, amount in parts),
            "parts": taken,
            "shares_minor": tuple(minor(share) for share in shares),
            "unallocated_minor": minor(unallocated),
        }
    )


def voided(transaction_id: int, *, keep_redemption: bool = False) -> TransactionVoided:
    """The sale did not happen after all."""
    return TransactionVoided(transaction_id=transaction_id, keep_redemption=keep_redemption)


def attached(transaction_id: int, total: str = "10.00", **changes: Any) -> TransactionAttached:
    """On the account: the sale is this profile's."""
    fields = {
        "transaction_id": transaction_id,
        "external_id": "t-1",
        "total_minor": minor(total),
        "transacted_at": moment(SOLD_AT),
    }
    return TransactionAttached.model_validate(fields | changes)


def linked(transaction_id: int, redemption_id: int) -> TransactionLinked:
    """On the account: the redemption paid for the sale."""
    return TransactionLinked(transaction_id=transaction_id, redemption_id=redemption_id)


def unlinked(transaction_id: int, redemption_id: int) -> TransactionUnlinked:
    """On the account: the redemption paid for nothing."""
    return TransactionUnlinked(transaction_id=transaction_id, redemption_id=redemption_id)


def detached(transaction_id: int) -> AttachedTransactionVoided:
    """On the account: the sale did not happen."""
    return AttachedTransactionVoided(transaction_id=transaction_id)


# ── Changes ──────────────────────────────────────────────────────────────────────────────────────


def upsert(**told: Any) -> UpsertTransaction:
    """The sale is as told, whether or not it was there."""
    return UpsertTransaction.model_validate({"external_id": "t-1"} | told)


def upsert_whole(profile: str | None = "p-1", **fields: Any) -> UpsertTransaction:
    """All a sale of 10.00 says, as `sell` records it."""
    return UpsertTransaction.model_validate(
        sell(profile, **fields).model_dump(exclude_unset=True, by_alias=True)
    )


def changed(transaction_id: int, **new: Any) -> TransactionChanged:
    """The sale has these new values."""
    return TransactionChanged.model_validate({"transaction_id": transaction_id} | new)


def noted(transaction_id: int, total: str = "10.00") -> AttachedTransactionChanged:
    """On the account: the sale has changed."""
    return AttachedTransactionChanged(transaction_id=transaction_id, total_minor=minor(total))


def assigned(transaction_id: int, profile: str = "p-1") -> TransactionAssigned:
    """The sale is this profile's from now on."""
    return TransactionAssigned(transaction_id=transaction_id, profile_id=profile)
