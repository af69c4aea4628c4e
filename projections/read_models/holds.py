"""Held value in the read models of money: which redemption holds how much of a lot, and how long.

A hold ends at its deadline whether or not that is recorded yet, so a read has to know it.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from schemas.events import Event
from schemas.handover import HandedOver, LotRecord, TakenOver
from schemas.holds import HoldEnded, RedemptionCaptured, RedemptionHeld

Holds = Mapping[str, Mapping[str, Any]]
"""Redemption → `until` (ISO 8601) and `amount_minor`, of one lot."""


def holds_after(holds: Holds, event: Event, lot: int) -> dict[str, Mapping[str, Any]]:
    """The holds on a lot after one more event."""
    after = dict(holds)
    if isinstance(event, RedemptionHeld):
        amount = sum(m.amount_minor for m in event.movements if m.lot == lot)
        hold = {"until": event.held_until.isoformat(), "amount_minor": amount}
        after[str(event.redemption_id)] = hold
    elif isinstance(event, RedemptionCaptured | HoldEnded):
        after.pop(str(event.redemption_id), None)
    elif isinstance(event, HandedOver):
        after.clear()
    elif isinstance(event, TakenOver):
        after = next((holds_of(each) for each in event.lots if each.reward_id == lot), after)
    return after


def holds_of(lot: LotRecord) -> dict[str, Mapping[str, Any]]:
    """The holds on a lot that has come from another account."""
    return {str(number): hold.model_dump(mode="json") for number, hold in lot.holds.items()}


def lapsed_minor(holds: Holds, now: datetime) -> int:
    """What is held no longer, recorded or not: the deadline itself is too late."""
    return sum(hold["amount_minor"] for hold in holds.values() if _instant(hold["until"]) <= now)


def next_deadline(holds: Holds) -> datetime | None:
    """When the first of them lapses."""
    return min((_instant(hold["until"]) for hold in holds.values()), default=None)


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text)
