"""Redemptions, returns and reversals as the API shows them."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

from api.personal import hidden
from api.services import Services
from projections.read_models.redemptions import settled
from schemas.amounts import from_minor
from schemas.events import Event
from schemas.rewards import RewardIssued
from schemas.times import utc_text

Incentive = Callable[[int], Mapping[str, Any] | None]
"""A reward as it is shown, by its id."""


def document(
    row: Mapping[str, Any],
    services: Services,
    now: datetime,
    incentive: Incentive | None = None,
) -> dict[str, Any]:
    """One record at a moment, with an item for each incentive it took value from.

    Reads show the incentive itself too; the answer to a command needs no read.
    """
    digits = services.settings.currency_digits
    row = settled(dict(row), now)
    requested, stated = row["requested_minor"], row["transaction_total_minor"]
    return {
        "id": row["redemption_id"],
        "type": row["type"],
        "status": row["status"],
        "profile_id": row["profile_id"],
        "redemption_id": row["original_redemption_id"],
        "total": from_minor(row["total_minor"], digits=digits),
        "requested": None if requested is None else from_minor(requested, digits=digits),
        "released": from_minor(row["released_minor"], digits=digits),
        "returned": from_minor(row["returned_minor"], digits=digits),
        "forfeited": from_minor(row["forfeited_minor"], digits=digits),
        "items": [_item(item, digits, incentive) for item in row["items"]],
        "strategies": row["strategies"],
        "strict": row["strict"],
        "policy": row["policy"],
        "is_reversed": row["reversed_at"] is not None,
        "reversed_at": _utc(row["reversed_at"]),
        "reversible_until": _utc(row["reversible_until"]),
        "held_until": _utc(row["held_until"]),
        "captured_at": _utc(row["captured_at"]),
        "released_at": _utc(row["released_at"]),
        "external_id": row["external_id"],
        "transaction_id": row["transaction_id"],
        "transaction_external_id": row["transaction_external_id"],
        "transaction_receipt_ref": row["transaction_receipt_ref"],
        "transaction_total": None if stated is None else from_minor(stated, digits=digits),
        "location_id": row["location_id"],
        "currency": services.settings.currency,
        "meta": None,
        "redeem_at": utc_text(row["redeemed_at"]),
        "created_at": utc_text(row["created_at"]),
        "updated_at": utc_text(row["updated_at"]),
        **hidden(row),
    }


def reissued(events: Iterable[Event], services: Services, *, dry_run: bool) -> list[dict[str, Any]]:
    """The rewards a return or reversal has made."""
    digits = services.settings.currency_digits
    return [
        {
            "id": None if dry_run else event.reward_id,
            "restored_from": event.restored_from,
            "value": from_minor(event.value_initial_minor, digits=digits),
            "expires_at": _utc(event.expires_at),
        }
        for event in events
        if isinstance(event, RewardIssued)
    ]


def _item(item: Mapping[str, Any], digits: int, incentive: Incentive | None) -> dict[str, Any]:
    shown = {
        "id": item["reward_id"],
        "type": "reward",
        "value": from_minor(item["amount_minor"], digits=digits),
        "returned": from_minor(item["returned_minor"], digits=digits),
        "count": 1,
    }
    if incentive is not None:
        shown["type_attributes"] = incentive(item["reward_id"])
    return shown


def _utc(instant: datetime | None) -> str | None:
    return None if instant is None else utc_text(instant)
