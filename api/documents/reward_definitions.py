"""Reward definitions as the API shows them."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from api.services import Services
from schemas.amounts import from_minor
from schemas.json_values import exact
from schemas.reward_definitions import DefinitionText
from schemas.times import utc_text

_LIMITS = ("min_spend", "max_redeem_per_transaction")


def document(row: Mapping[str, Any], services: Services) -> dict[str, Any]:
    """A definition as the API shows it."""
    text = {**dict.fromkeys(DefinitionText.model_fields), "tags": [], **exact(row["text"])}
    archived_at = row["archived_at"]
    return {
        "id": row["definition_id"],
        "version": row["definition_version"],
        "name": row["name"],
        "handle": row["handle"],
        "value": from_minor(row["value_minor"], digits=services.settings.currency_digits),
        "type": row["type"],
        "period": row["period"],
        "period_type": row["period_type"],
        "extend_days": row["extend_days"],
        **{name: _amount(row[f"{name}_minor"], services) for name in _LIMITS},
        **text,
        "is_assignable": row["is_assignable"],
        "is_reassignable": row["is_reassignable"],
        "is_extendable": row["is_extendable"],
        "is_published": row["is_published"],
        "is_archived": archived_at is not None,
        "archived_at": None if archived_at is None else utc_text(archived_at),
        "created_at": utc_text(row["created_at"]),
        "updated_at": utc_text(row["updated_at"]),
    }


def _amount(minor: int | None, services: Services) -> Decimal | None:
    return None if minor is None else from_minor(minor, digits=services.settings.currency_digits)
