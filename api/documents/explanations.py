"""Why a number is what it is, as the API shows it: a reward, and each step of its life."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from api.documents.history import movement_document
from api.services import Services
from ledger.account.lots import Lot
from ledger.event_store.port import CommandRecord
from ledger.event_words import in_words
from ledger.explanation import Redeemed, Step, amounts_of, redemption_of
from ledger.past import Amounts
from ledger.personal.vault import Opened
from schemas.amounts import from_minor
from schemas.rewards import RewardIssued
from schemas.times import local_text, utc_text


@dataclass(frozen=True, slots=True)
class Beside:
    """What stands elsewhere than in the steps: read once for all that is shown."""

    definitions: Mapping[tuple[int, int], Mapping[str, Any]]
    redemptions: Mapping[int, Redeemed]
    commands: Mapping[int, CommandRecord]
    """By the position of their first event."""
    opened: Mapping[str, Opened]


def lot_document(
    lot: Lot, steps: Sequence[Step], shown: int, beside: Beside, services: Services
) -> dict[str, Any]:
    """A reward with what it adds to each number, and the last steps to that.

    `before` sums up the steps that are not shown, so that all of it is the amounts again.
    """
    digits, zone, terms = services.settings.currency_digits, lot.terms.timezone, lot.terms
    earlier, last = steps[: max(0, len(steps) - shown)], steps[max(0, len(steps) - shown) :]
    before = earlier[-1].after if earlier else Amounts()
    expires_at = terms.expires_at
    return {
        "reward_id": lot.id,
        "definition": _definition(lot, beside),
        "value_initial": from_minor(terms.value_initial_minor, digits=digits),
        **amounts_document(amounts_of(lot), services),
        "timezone": zone,
        "issued_at": utc_text(terms.issued_at),
        "issued_local_at": local_text(terms.issued_at, zone),
        "expires_at": None if expires_at is None else utc_text(expires_at),
        "expires_local_at": None if expires_at is None else local_text(expires_at, zone),
        "is_revoked": lot.revoked,
        "moved_to": lot.moved_to,
        "issue": _issue(steps, beside, services),
        "before": {"steps": len(earlier), **amounts_document(before, services)},
        "steps": [step_document(step, beside, services) for step in last],
    }


def step_document(step: Step, beside: Beside, services: Services) -> dict[str, Any]:
    """What one event added to each number and took from it, and what of the reward was left."""
    settings, digits = services.settings, services.settings.currency_digits
    personal = beside.opened.get(step.event.personal or "")
    redeemed = beside.redemptions.get(redemption_of(step.event) or 0)
    uncovered = 0 if step.told is None else step.told.uncovered_minor
    return {
        **_source(step, beside),
        "type": type(step.event).__name__,
        "words": in_words(step.event, settings.currency, digits, personal),
        **amounts_document(step.change, services),
        "after": amounts_document(step.after, services),
        "movements": [movement_document(movement, digits) for movement in step.movements],
        "uncovered": from_minor(uncovered, digits=digits),
        "redemption": None if redeemed is None else _redemption(redeemed),
        "transaction": None if redeemed is None else _transaction(redeemed),
        "is_recorded": step.told is not None,
    }


def amounts_document(amounts: Amounts, services: Services) -> dict[str, Decimal]:
    """The three numbers."""
    digits = services.settings.currency_digits
    return {
        "available": from_minor(amounts.available_minor, digits=digits),
        "pending": from_minor(amounts.pending_minor, digits=digits),
        "held": from_minor(amounts.held_minor, digits=digits),
    }


def _source(step: Step, beside: Beside) -> dict[str, Any]:
    """Where it stands, when it was, and who it came from. What is only due came from nobody."""
    recorded = None if step.told is None else step.told.recorded
    first = 0 if recorded is None else recorded.position - recorded.batch_index
    command = beside.commands.get(first)
    return {
        "profile_id": step.profile_id,
        "position": None if recorded is None else recorded.position,
        "version": None if recorded is None else recorded.stream_version,
        "occurred_at": utc_text(step.occurred_at),
        "recorded_at": None if recorded is None else utc_text(recorded.recorded_at),
        "actor": None if recorded is None else recorded.actor,
        "client": None if command is None else command.client,
        "idempotency_key": None if command is None else command.key,
    }


def _issue(steps: Sequence[Step], beside: Beside, services: Services) -> dict[str, Any] | None:
    """How the reward came into being."""
    for step in steps:
        if isinstance(step.event, RewardIssued):
            digits = services.settings.currency_digits
            return {
                **_source(step, beside),
                "value": from_minor(step.event.value_remaining_minor, digits=digits),
                "external_id": step.event.external_id,
                "restored_from": step.event.restored_from,
                "redemption_id": step.event.redemption_id,
            }
    return None


def _definition(lot: Lot, beside: Beside) -> dict[str, Any]:
    """The version it was issued under."""
    terms = lot.terms
    row = beside.definitions.get((terms.definition_id, terms.definition_version), {})
    return {
        "id": terms.definition_id,
        "version": terms.definition_version,
        "handle": row.get("handle"),
        "name": row.get("name"),
        "type": row.get("type"),
    }


def _redemption(redeemed: Redeemed) -> dict[str, Any]:
    return {
        "id": redeemed.redemption_id,
        "external_id": redeemed.external_id,
        "location_id": redeemed.location_id,
    }


def _transaction(redeemed: Redeemed) -> dict[str, Any] | None:
    """The sale it paid for, or is for."""
    named = {
        "id": redeemed.transaction_id,
        "external_id": redeemed.transaction_external_id,
        "receipt_ref": redeemed.transaction_receipt_ref,
    }
    return named if any(value is not None for value in named.values()) else None
