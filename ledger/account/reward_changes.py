"""Changes of rewards: corrected while they live, extended once."""

import hashlib
from datetime import datetime
from typing import Any

from ledger.account.folding import fold
from ledger.account.lots import WHOLE_SECOND, Lot
from ledger.account.registrations import refuse_closed
from ledger.account.rewards import facts_due
from ledger.account.state import Account
from ledger.decider import Circumstances
from ledger.limits import within_limit
from ledger.rejections import (
    AlreadyExtended,
    InvalidRewardTerms,
    NotExtendable,
    PreconditionFailed,
    RewardHasExpired,
    RewardIsHeld,
    RewardIsRevoked,
    UnknownProfile,
    UnknownReward,
)
from schemas.events import Event
from schemas.movements import Book, Movement, moved
from schemas.rewards import (
    CHANGEABLE,
    AdjustReward,
    ExtendRewards,
    RewardAdjusted,
    RewardExtended,
)
from schemas.times import days_later, parse_end, parse_instant


def adjust_reward(command: AdjustReward, account: Account, at: Circumstances) -> tuple[Event, ...]:
    """The difference moves, the terms change; what has ended by now is recorded at once."""
    refuse_closed(account)
    asked_for = _known(command.reward_id, account)
    if command.expected_revision not in (None, revision_of(asked_for)):
        raise PreconditionFailed(f"Reward {asked_for.id} has changed since; read it again.")
    due = facts_due(account, at.now)
    account = fold(due, account)
    lot = account.lots[command.reward_id]
    if lot.expired_by(at.now):
        raise RewardHasExpired(f"Reward {lot.id} is past its time.")
    adjusted = _adjusted(command, lot, at)
    if adjusted is None:
        return due
    return (*due, adjusted, *facts_due(fold((adjusted,), account), at.now))


def extend_rewards(
    command: ExtendRewards, account: Account, at: Circumstances
) -> tuple[Event, ...]:
    """All of the rewards live longer, or none; what had expired of them comes back."""
    if not account.registered:
        raise UnknownProfile(f"There is no profile {command.profile_id!r}.")
    refuse_closed(account)
    due = facts_due(account, at.now)
    account = fold(due, account)
    extended = [_extended(_known(number, account), command, at) for number in command.ids]
    return (*due, *extended)


def revision_of(lot: Lot) -> str:
    """What stands for a reward as it is now; `revision` says of what it is made."""
    return revision(
        lot.adjustments,
        lot.terms.value_initial_minor,
        lot.remaining_minor,
        lot.amount(Book.HELD),
        lot.terms.expires_at,
    )


def revision(
    adjustments: int,
    initial_minor: int,
    remaining_minor: int,
    held_minor: int,
    expires_at: datetime | None,
) -> str:
    """A name for what an adjustment rests on: another one once any of it has changed."""
    ends = None if expires_at is None else int(expires_at.timestamp())
    content = f"{adjustments} {initial_minor} {remaining_minor} {held_minor} {ends}"
    return hashlib.sha256(content.encode()).hexdigest()[:16]


def _known(reward_id: int, account: Account) -> Lot:
    lot = account.lots.get(reward_id)
    if lot is None or lot.moved_to is not None:
        raise UnknownReward(f"There is no reward {reward_id}.")
    if lot.revoked:
        raise RewardIsRevoked(f"Reward {reward_id} has been revoked.")
    return lot


def _adjusted(command: AdjustReward, lot: Lot, at: Circumstances) -> RewardAdjusted | None:
    """The correction; None where everything is as it asks."""
    given = command.model_fields_set
    initial, remaining = lot.terms.value_initial_minor, lot.remaining_minor
    if command.value_initial is not None:
        initial = at.minor(command.value_initial, "value_initial")
    if command.value_remaining is not None:
        remaining = at.minor(command.value_remaining, "value_remaining")
    if remaining > initial:
        raise InvalidRewardTerms("value_remaining is above value_initial.", field="value_remaining")
    held = lot.amount(Book.HELD)
    if remaining < held:
        raise RewardIsHeld(
            f"{at.amount(held)} of reward {lot.id} is held; less can't remain.",
            held=at.amount(held),
        )
    within_limit(remaining - lot.remaining_minor, at.settings.adjust_max_minor, at)
    expires_at = _corrected_expiry(command, lot)
    before = (lot.terms.value_initial_minor, lot.remaining_minor, lot.terms.expires_at)
    # Whether it is another meta nobody can tell: it is sealed.
    if "meta" not in given and (initial, remaining, expires_at) == before:
        return None
    return RewardAdjusted(
        reward_id=lot.id,
        changed=tuple(name for name in CHANGEABLE if name in given),
        value_initial_minor=initial,
        value_remaining_minor=remaining,
        expires_at=expires_at,
        personal=at.personal,
        movements=_difference(lot, remaining - lot.remaining_minor, at.now),
    )


def _difference(lot: Lot, minor: int, now: datetime) -> tuple[Movement, ...]:
    """What is more enters the books where the reward stands; what is less leaves them."""
    if minor >= 0:
        book = Book.PENDING if lot.terms.issued_at > now else Book.AVAILABLE
        return moved(lot.id, Book.ISSUED, book, minor)
    pending = min(-minor, lot.amount(Book.PENDING))
    return (
        *moved(lot.id, Book.PENDING, Book.REVOKED, pending),
        *moved(lot.id, Book.AVAILABLE, Book.REVOKED, -minor - pending),
    )


def _corrected_expiry(command: AdjustReward, lot: Lot) -> datetime | None:
    if "expires_at" not in command.model_fields_set:
        return lot.terms.expires_at
    if command.expires_at is None:
        return None
    expires_at = _instant(parse_instant, "expires_at", command.expires_at, lot)
    if expires_at < lot.terms.issued_at:
        raise InvalidRewardTerms("expires_at is before issued_at.", field="expires_at")
    return expires_at


def _extended(lot: Lot, command: ExtendRewards, at: Circumstances) -> RewardExtended:
    before = lot.terms.expires_at
    if before is None or not lot.terms.is_extendable:
        why = "never ends" if before is None else "can't be extended"
        raise NotExtendable(f"Reward {lot.id} {why}.")
    if lot.extended_at is not None:
        raise AlreadyExtended(f"Reward {lot.id} has been extended before.")
    expires_at = _later_expiry(lot, before, command)
    if expires_at <= before:
        raise InvalidRewardTerms(f"Reward {lot.id} would not live longer than it does.")
    movements: tuple[Movement, ...] = ()
    if lot.expired_by(at.now):
        if at.now - expires_at >= WHOLE_SECOND:
            raise InvalidRewardTerms(f"Reward {lot.id} would still be past its time.")
        movements = moved(lot.id, Book.EXPIRED, Book.AVAILABLE, lot.amount(Book.EXPIRED))
    return RewardExtended(
        reward_id=lot.id,
        expires_at=expires_at,
        previous_expires_at=before,
        extended_at=at.now,
        movements=movements,
    )


def _later_expiry(lot: Lot, before: datetime, command: ExtendRewards) -> datetime:
    if command.extend_date is not None:
        return _instant(parse_end, "extend_date", command.extend_date, lot)
    days = command.extend_days or lot.terms.extend_days
    if not days:
        raise InvalidRewardTerms(
            f"Give extend_days or extend_date: the definition of reward {lot.id} has no days."
        )
    try:
        return days_later(before, lot.terms.timezone, days)
    except ValueError as error:
        raise InvalidRewardTerms(f"extend_days: {error}", field="extend_days") from error


def _instant(parse: Any, field: str, text: str, lot: Lot) -> datetime:
    try:
        instant: datetime = parse(text, lot.terms.timezone)
    except ValueError as error:
        raise InvalidRewardTerms(f"{field}: {error}", field=field) from error
    return instant.replace(microsecond=0)
