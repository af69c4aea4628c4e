"""Reward definitions as the API shows them."""

from collections.abc import Mapping
from typing import Any

from api.services import Services
from schemas.amounts import from_minor
from schemas.json_values import exact
from schemas.reward_definitions import DefinitionText, RewardDefinitionAdded
from schemas.times import local_text, utc_text

_TEXT = dict.fromkeys(DefinitionText.model_fields)
_AS_THEY_ARE = (
    "name",
    "handle",
    "type",
    "period",
    "period_type",
    "extend_days",
    "max_per_profile",
    "max_total",
    "timezone",
    "is_assignable",
    "is_reassignable",
    "is_extendable",
    "is_published",
)
_AMOUNTS = ("value", "max_value", "min_spend", "max_redeem_per_transaction")


def document(row: Mapping[str, Any], services: Services) -> dict[str, Any]:
    """A definition in its newest version."""
    archived_at = row["archived_at"]
    return _terms(row, services) | {
        "is_archived": archived_at is not None,
        "archived_at": None if archived_at is None else utc_text(archived_at),
        "created_at": utc_text(row["created_at"]),
        "updated_at": utc_text(row["updated_at"]),
    }


def version_document(
    row: Mapping[str, Any], before: Mapping[str, Any] | None, services: Services
) -> dict[str, Any]:
    """One version of a definition: when and by whom it was written, and what it made of the one
    before; `changes` is null in the first."""
    shown = _version(row["terms"], services)
    changes = None
    if before is not None:
        former = _version(before, services)
        changes = {
            name: {"from": former[name], "to": value}
            for name, value in shown.items()
            if value != former[name] and name != "version"
        }
    return shown | {
        "changed_at": utc_text(row["changed_at"]),
        "changed_by": row["changed_by"],
        "changes": changes,
    }


def _version(terms: Mapping[str, Any], services: Services) -> dict[str, Any]:
    return _terms(dict(RewardDefinitionAdded.model_validate(terms)), services)


def _terms(row: Mapping[str, Any], services: Services) -> dict[str, Any]:
    absolute = row["absolute_expiry"]
    return {
        "id": row["definition_id"],
        "version": row["definition_version"],
        **{name: row[name] for name in _AS_THEY_ARE},
        **{name: _amount(row[f"{name}_minor"], services) for name in _AMOUNTS},
        "currency": row["currency"] or services.settings.currency,
        "absolute_expiry": None if absolute is None else absolute.isoformat(),
        **_moment("start", row),
        **_moment("end", row),
        "eligibility": exact(row["eligibility"]),
        **_TEXT,
        "tags": [],
        **exact(row["text"]),
    }


def _moment(name: str, row: Mapping[str, Any]) -> dict[str, str | None]:
    moment = row[f"{name}_at"]
    return {
        f"{name}_at": None if moment is None else utc_text(moment),
        f"{name}_local_at": None if moment is None else local_text(moment, row["timezone"]),
    }


def _amount(minor: int | None, services: Services) -> Any:
    return None if minor is None else from_minor(minor, digits=services.settings.currency_digits)
