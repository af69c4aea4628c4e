"""The programme's settings as the API shows them."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from ledger.decider import ProgrammeSettings
from ledger.programme.settings import settings_event, settings_of
from schemas.amounts import from_minor
from schemas.programme import ProgrammeSettingsChanged
from schemas.times import utc_text


def document(row: Mapping[str, Any]) -> dict[str, Any]:
    """One version of the settings, its amounts in the currency of its own."""
    settings = settings_of(ProgrammeSettingsChanged.model_validate(row["settings"]))
    return _shown(settings) | {
        "changed_at": utc_text(row["changed_at"]),
        "changed_by": row["changed_by"],
    }


def change_document(row: Mapping[str, Any], before: Mapping[str, Any] | None) -> dict[str, Any]:
    """One version, and what it made of the one before. Nobody wrote down what held before the
    first: `changes` is null there."""
    shown = document(row)
    former = None if before is None else document({**row, "settings": before})
    changes = None
    if former is not None:
        changes = {
            name: {"from": former[name], "to": value}
            for name, value in shown.items()
            if value != former[name] and name != "version"
        }
    return shown | {"changes": changes}


def of_environment(settings: ProgrammeSettings) -> dict[str, Any]:
    """What holds until the first change: nobody has changed it here."""
    return _shown(settings) | {"changed_at": None, "changed_by": None}


def _shown(settings: ProgrammeSettings) -> dict[str, Any]:
    event = settings_event(settings)

    def limit(minor: int | None) -> Decimal | None:
        return None if minor is None else from_minor(minor, digits=event.currency_digits)

    return {
        "version": event.settings_version,
        "currency": event.currency,
        "currency_digits": event.currency_digits,
        "point_exchange_rate": event.point_exchange_rate,
        "reversal_window_seconds": event.reversal_window_seconds,
        "return_policy": event.return_policy,
        "grace_days": event.grace_days,
        "clawback_policy": event.clawback_policy,
        "zone": event.zone,
        "auto_register": event.auto_register,
        "hold_seconds_max": event.hold_seconds_max,
        "late_redemption_window_seconds": event.late_redemption_window_seconds,
        "issue_max": limit(event.issue_max_minor),
        "return_max": limit(event.return_max_minor),
        "adjust_max": limit(event.adjust_max_minor),
    }
