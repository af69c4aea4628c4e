"""Transactions as the API shows them: every field as it was sent, numbers as numbers."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from api.personal import hidden
from api.services import Services
from schemas.amounts import PRICE_DIGITS, from_minor, to_minor
from schemas.json_values import exact
from schemas.times import local_text, utc_text
from schemas.transactions import Sale


def document(row: Mapping[str, Any], services: Services) -> dict[str, Any]:
    """A sale with the redemptions attributed to it, and each line's share of them."""
    digits, zone = services.settings.currency_digits, row["timezone"]
    sale = _sale(row)
    shares = row["shares_minor"] or [0] * len(sale["items"])
    returned = _returned(row["returns"])
    items = [
        item
        | {
            "is_return": item["quantity"] < 0,
            "redemption_share": from_minor(share, digits=digits),
            "returned_quantity": _exact_sum(returned.get(line, ())),
        }
        for line, (item, share) in enumerate(zip(sale.pop("items"), shares, strict=True))
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
        "returns": [_return(each, digits) for each in row["returns"]],
        "sale_transaction_id": row["sale_transaction_id"],
        "return_status": row["return_status"],
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


def _returned(returns: Sequence[Mapping[str, Any]]) -> dict[int, list[str]]:
    """What came back of each line, in the returns that stand."""
    found: dict[int, list[str]] = {}
    for each in returns:
        for line in () if each["is_void"] else each["lines"]:
            found.setdefault(line["line"], []).append(line["quantity"])
    return found


def _exact_sum(quantities: Sequence[str]) -> Decimal:
    """Quantities as text, added without rounding."""
    millionths = (to_minor(quantity, digits=PRICE_DIGITS) for quantity in quantities)
    return from_minor(sum(millionths), digits=PRICE_DIGITS)


def _return(each: Mapping[str, Any], digits: int) -> dict[str, Any]:
    """A return of goods of this sale, line by line; lines count from 0."""
    return {
        "id": each["id"],
        "is_void": each["is_void"],
        "items": [
            {
                "line": line["line"],
                "return_line": line["return_line"],
                "quantity": Decimal(line["quantity"]),
                "redemption_returned": from_minor(line["given_back_minor"], digits=digits),
            }
            for line in each["lines"]
        ],
    }


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
