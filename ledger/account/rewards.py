"""Rewards: issue, revoke, and what time alone does to them."""

from datetime import datetime

from ledger.account.folding import fold
from ledger.account.lapses import holds_due
from ledger.account.lots import Lot, in_expiry_order
from ledger.account.state import Account
from ledger.decider import Circumstances
from ledger.rejections import (
    RewardIsHeld,
    UnknownReward,
)
from schemas.events import Event
from schemas.movements import Book, moved
from schemas.rewards import (
    RevokeReward,
    RewardActivated,
    RewardExpired,
    RewardRevoked,
)

DUE_FACTS_MAX = 1_000
"""Half of what one append takes: the command's own events have to go with them."""


def facts_due(account: Account, now: datetime, at_most: int = DUE_FACTS_MAX) -> tuple[Event, ...]:
    """Lapses of holds, activations and expiries due and not yet recorded; every decision starts
    with them. Lapses come first: what they let go may have expired since.

    At most DUE_FACTS_MAX at once, for an append is bounded: the sweeper comes back for the rest.
    What has expired is spent by nobody meanwhile; what has become spendable is recorded before it.
    """
    facts: list[Event] = list(holds_due(account, now)[:at_most])
    if facts:
        account = fold(facts, account)
    due = in_expiry_order(lot for lot in account.open_lots.values() if lot.is_due(now))
    for lot in sorted(due, key=lambda lot: lot.expired_by(now)):
        if len(facts) >= at_most:
            break
        facts.extend(_due(lot, now))
    return tuple(facts)


def revoke_reward(command: RevokeReward, account: Account, at: Circumstances) -> tuple[Event, ...]:
    """What remains is taken back; what was spent stays spent."""
    due = facts_due(account, at.now)
    lot = fold(due, account).lots.get(command.reward_id)
    if lot is None or lot.revoked:
        raise UnknownReward(f"There is no reward {command.reward_id}.")
    if held := lot.amount(Book.HELD):
        raise RewardIsHeld(
            f"{at.amount(held)} of reward {lot.id} is held; release it first.", held=at.amount(held)
        )
    movements = (
        *moved(lot.id, Book.PENDING, Book.REVOKED, lot.amount(Book.PENDING)),
        *moved(lot.id, Book.AVAILABLE, Book.REVOKED, lot.amount(Book.AVAILABLE)),
    )
    revoked = RewardRevoked(reward_id=lot.id, personal=at.personal, movements=movements)
    return (*due, revoked)


def _due(lot: Lot, now: datetime) -> list[Event]:
    pending = lot.amount(Book.PENDING)
    activates = bool(pending) and lot.terms.issued_at <= now
    facts: list[Event] = []
    if activates:
        movement = moved(lot.id, Book.PENDING, Book.AVAILABLE, pending)
        facts.append(RewardActivated(reward_id=lot.id, movements=movement))
    remaining = lot.amount(Book.AVAILABLE) + (pending if activates else 0)
    if remaining and lot.terms.expires_at is not None and lot.expired_by(now):
        movement = moved(lot.id, Book.AVAILABLE, Book.EXPIRED, remaining)
        expired = RewardExpired(
            reward_id=lot.id, expires_at=lot.terms.expires_at, movements=movement
        )
        facts.append(expired)
    return facts
