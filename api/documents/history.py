"""Journal lines and history entries as the API shows them."""

from collections.abc import Mapping
from typing import Any, Final

from api.documents.balances import NOTHING
from api.services import Services
from ledger.history import Entry
from schemas.amounts import from_minor
from schemas.movements import Movement
from schemas.times import utc_text


def journal_document(row: Mapping[str, Any], services: Services) -> dict[str, Any]:
    """One movement of value, with the balance it left; beside it what the original platform says.

    Points are not kept by this version.
    """
    digits = services.settings.currency_digits
    effect = from_minor(row["effect_minor"], digits=digits)
    balance = from_minor(row["balance_minor"], digits=digits)
    expires_at = row["expires_at"]
    return {
        "id": f"{row['stream_version']}.{row['movement_index']}",
        "type": "reward",
        "type_attributes": {"id": row["reward_id"]},
        "description": _description(row, services),
        "dollar_value": effect,
        "dollar_balance": balance,
        "point_value": NOTHING,
        "point_balance": NOTHING,
        "point_dollar_value": NOTHING,
        "expires_at": None if expires_at is None else utc_text(expires_at),
        "position": row["position"],
        "event": row["event_type"],
        "reward_id": row["reward_id"],
        "redemption_id": row["redemption_id"],
        "transaction_id": row["transaction_id"],
        "from": row["source_book"],
        "to": row["target_book"],
        "amount": from_minor(row["amount_minor"], digits=digits),
        "effect": effect,
        "balance": balance,
        "actor": row["actor"],
        "occurred_at": utc_text(row["occurred_at"]),
        "recorded_at": utc_text(row["recorded_at"]),
    }


def _description(row: Mapping[str, Any], services: Services) -> str:
    """What happened to how much of which reward."""
    amount = from_minor(row["amount_minor"], digits=services.settings.currency_digits)
    way = row["source_book"], row["target_book"]
    verb = _VERBS.get(way, f"moved from {way[0]} to {way[1]}")
    of = "" if row["redemption_id"] is None else f", redemption {row['redemption_id']}"
    return f"{amount:f} {services.settings.currency} of reward {row['reward_id']} {verb}{of}"


_VERBS: Final = {
    ("issued", "available"): "issued",
    ("issued", "pending"): "issued for later",
    ("pending", "available"): "became spendable",
    ("available", "redeemed"): "redeemed",
    ("available", "held"): "held",
    ("held", "redeemed"): "captured",
    ("held", "available"): "released",
    ("redeemed", "available"): "given back",
    ("redeemed", "transferred"): "given back in another reward",
    ("redeemed", "revoked"): "forfeited",
    ("available", "expired"): "expired",
    ("held", "expired"): "released and expired",
    ("expired", "available"): "came back from expiry",
    ("available", "revoked"): "revoked",
    ("pending", "revoked"): "revoked",
    ("available", "transferred"): "moved on",
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
        "movements": [movement_document(movement, digits) for movement in entry.movements],
        "actor": entry.actor,
        "occurred_at": utc_text(entry.occurred_at),
        "recorded_at": utc_text(entry.recorded_at),
    }


def movement_document(movement: Movement, digits: int) -> dict[str, Any]:
    """Value that left one book for another."""
    return {
        "reward_id": movement.lot,
        "from": movement.source.value,
        "to": movement.target.value,
        "amount": from_minor(movement.amount_minor, digits=digits),
    }
