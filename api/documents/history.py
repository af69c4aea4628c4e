"""Journal lines and history entries as the API shows them."""

from collections.abc import Mapping
from typing import Any

from api.services import Services
from ledger.history import Entry
from schemas.amounts import from_minor
from schemas.movements import Movement
from schemas.times import utc_text


def journal_document(row: Mapping[str, Any], services: Services) -> dict[str, Any]:
    """One movement of value, with the balance it left."""
    digits = services.settings.currency_digits
    return {
        "id": f"{row['stream_version']}.{row['movement_index']}",
        "position": row["position"],
        "type": row["event_type"],
        "reward_id": row["reward_id"],
        "redemption_id": row["redemption_id"],
        "transaction_id": row["transaction_id"],
        "from": row["source_book"],
        "to": row["target_book"],
        "amount": from_minor(row["amount_minor"], digits=digits),
        "effect": from_minor(row["effect_minor"], digits=digits),
        "balance": from_minor(row["balance_minor"], digits=digits),
        "actor": row["actor"],
        "occurred_at": utc_text(row["occurred_at"]),
        "recorded_at": utc_text(row["recorded_at"]),
    }


def entry_document(entry: Entry, services: Services) -> dict[str, Any]:
    """One event of an account, in words and in movements, with the balance after it."""
    digits = services.settings.currency_digits
    return {
        "position": entry.position,
        "version": entry.stream_version,
        "type": entry.type,
        "words": entry.words,
        "change": from_minor(entry.change_minor, digits=digits),
        "balance": from_minor(entry.balance_minor, digits=digits),
        "movements": [_movement(movement, digits) for movement in entry.movements],
        "actor": entry.actor,
        "occurred_at": utc_text(entry.occurred_at),
        "recorded_at": utc_text(entry.recorded_at),
    }


def _movement(movement: Movement, digits: int) -> dict[str, Any]:
    return {
        "reward_id": movement.lot,
        "from": movement.source.value,
        "to": movement.target.value,
        "amount": from_minor(movement.amount_minor, digits=digits),
    }
