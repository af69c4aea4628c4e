"""Transactions as the API shows them: every field as it was sent, numbers as numbers."""

from collections.abc import Mapping
from typing import Any

from api.personal import hidden
from api.services import Services
from schemas.amounts import from_minor
from schemas.json_values import exact
from schemas.times import local_text, utc_text
from schemas.transactions import Sale


def document(row: Mapping[str, Any], services: Services) -> dict[str, Any]:
    """A sale with the redemptions attributed to it, and each line's share of them."""
    digits, zone = services.settings.currency_digits, row["timezone"]
    sale = _sale(row)
    shares = row["shares_minor"] or [0] * len(sale["items"])
    items = [
        item | {"redemption_share": from_minor(share, digits=digits)}
        for item, share in zip(sale.pop("items"), shares, strict=True)
    ]
    voided_at = row["voided_at"]
    return {
        "id": row["transaction_id"],
        "profile_id": row["profile_id"],
        "total": from_minor(row["total_minor"], digits=digits),
        "transacted_at": utc_text(row["transacted_at"]),
        "transacted_local_at": local_text(row["transacted_at"], zone),
        "timezone": zone,
        **sale,
        "items": items,
        "is_void": row["is_void"],
        "voided_at": None if voided_at is None else utc_text(voided_at),
        "redemption_id": row["redemption_id"],
        "redemption_total": from_minor(row["redemption_total_minor"], digits=digits),
        "redemptions": [_redemption(each, digits) for each in row["redemptions"]],
        "unallocated": from_minor(row["unallocated_minor"], digits=digits),
        "created_at": utc_text(row["created_at"]),
        "updated_at": utc_text(row["updated_at"]),
        **hidden(row),
    }


def _sale(row: Mapping[str, Any]) -> dict[str, Any]:
    """The stored sale: its decimals are text there, and its free-form numbers floats."""
    own_columns = {name: row[name] for name in ("external_id", "receipt_ref", "location_id")}
    sale = Sale.model_validate({**row["sale"], **own_columns})
    shown: dict[str, Any] = exact(sale.model_dump(by_alias=True))
    return shown


def _redemption(redemption: Mapping[str, Any], digits: int) -> dict[str, Any]:
    return {
        "id": redemption["id"],
        "total": from_minor(redemption["total_minor"], digits=digits),
        "items": [
            {
                "id": part["reward_id"],
                "type": "reward",
                "value": from_minor(part["amount_minor"], digits=digits),
            }
            for part in redemption["parts"]
        ],
    }
