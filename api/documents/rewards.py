"""Rewards as the API shows them: what time has done since is counted, recorded or not."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from api.personal import hidden
from api.services import Services
from projections.read_models.balances import expired_by
from projections.read_models.holds import lapsed_minor
from schemas.amounts import from_minor
from schemas.times import local_text, utc_text


def document(row: Mapping[str, Any], services: Services, now: datetime) -> dict[str, Any]:
    """A reward at this moment. Past its expiry nothing remains of it but what is held."""
    digits, zone = services.settings.currency_digits, row["timezone"]
    issued_at, expires_at = row["issued_at"], row["expires_at"]
    is_expired = expired_by(expires_at, now)
    lapsed = lapsed_minor(row["holds"], now)
    remaining = row["held_minor"] - lapsed
    if not is_expired:
        remaining += row["available_minor"] + row["pending_minor"] + lapsed
    is_revoked = row["revoked_at"] is not None
    return {
        "id": row["reward_id"],
        "profile_id": row["profile_id"],
        "reward_definition_id": row["definition_id"],
        "reward_definition_version": row["definition_version"],
        "definition": _definition(row["definition"], digits),
        "value_initial": from_minor(row["value_initial_minor"], digits=digits),
        "value_remaining": from_minor(remaining, digits=digits),
        "timezone": zone,
        "issued_at": utc_text(issued_at),
        "issued_local_at": local_text(issued_at, zone),
        "expires_at": None if expires_at is None else utc_text(expires_at),
        "expires_local_at": None if expires_at is None else local_text(expires_at, zone),
        "is_expired": is_expired,
        "is_pending": not is_expired and issued_at > now,
        "is_active": not is_expired and not is_revoked and issued_at <= now,
        "is_revoked": is_revoked,
        "revoked_at": utc_text(row["revoked_at"]) if is_revoked else None,
        "extended_at": None if row["extended_at"] is None else utc_text(row["extended_at"]),
        "external_id": row["external_id"],
        "source_type": row["source_type"],
        "source_id": row["source_id"],
        "restored_from": row["restored_from"],
        "redemption_id": row["redemption_id"],
        "has_notified_issue": row["has_notified_issue"],
        "has_notified_expiry": row["has_notified_expiry"],
        "has_notified_extend": row["has_notified_extend"],
        **_notices(row),
        "meta": None,
        "created_at": utc_text(row["created_at"]),
        "updated_at": utc_text(row["updated_at"]),
        **hidden(row),
    }


def next_document(row: Mapping[str, Any], services: Services) -> dict[str, Any]:
    """A reward in the order of consumption."""
    digits, expires_at = services.settings.currency_digits, row["expires_at"]
    return {
        "order": row["place"],
        "reward_id": row["reward_id"],
        "reward_definition_id": row["definition_id"],
        "value_available": from_minor(row["spendable_minor"], digits=digits),
        "value_cumulative": from_minor(row["cumulative_minor"], digits=digits),
        "value_held": from_minor(row["held_minor"] - row["lapsed_minor"], digits=digits),
        "min_spend": _or_none(row["min_spend_minor"], digits),
        "max_redeem_per_transaction": _or_none(row["max_redeem_per_transaction_minor"], digits),
        "issued_at": utc_text(row["issued_at"]),
        "expires_at": None if expires_at is None else utc_text(expires_at),
    }


def _or_none(minor: int | None, digits: int) -> Decimal | None:
    return None if minor is None else from_minor(minor, digits=digits)


def _notices(row: Mapping[str, Any]) -> dict[str, Any]:
    """When the profile is to be told: so many hours after the issue, and before the expiry."""
    text, expires_at = (row["definition"] or {}).get("text", {}), row["expires_at"]
    after, before = text.get("notify_issue_offset"), text.get("notify_expiry_offset")
    told: dict[str, str | None] = {"notify_issue_at": None, "notify_expiry_at": None}
    if after is not None:
        told["notify_issue_at"] = _hours(row["issued_at"], after)
    if before is not None and expires_at is not None:
        told["notify_expiry_at"] = _hours(expires_at, -before)
    return told


def _hours(instant: datetime, hours: int) -> str | None:
    try:
        return utc_text(instant + timedelta(hours=hours))
    except OverflowError:
        return None


def _definition(row: Mapping[str, Any] | None, digits: int) -> dict[str, Any] | None:
    if row is None:
        return None
    return {
        "id": row["definition_id"],
        "handle": row["handle"],
        "name": row["name"],
        "type": row["type"],
        "value": from_minor(row["value_minor"], digits=digits),
    }
