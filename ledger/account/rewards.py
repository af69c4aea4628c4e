"""Rewards: issue, revoke, and what time alone does to them."""

from datetime import datetime

from ledger.account.lapses import holds_due
from ledger.account.lots import PROMISED, Lot, in_expiry_order
from ledger.account.state import Account, fold
from ledger.decider import Circumstances
from ledger.limits import within_limit
from ledger.programme.state import Programme
from ledger.rejections import (
    DefinitionNotAssignable,
    InvalidRewardTerms,
    RewardIsHeld,
    UnknownDefinition,
    UnknownReward,
)
from schemas.events import Event
from schemas.movements import Book, moved
from schemas.profiles import ProfileRegistered
from schemas.reward_definitions import DefinitionTerms
from schemas.rewards import (
    IssueReward,
    RevokeReward,
    RewardActivated,
    RewardExpired,
    RewardIssued,
    RewardRevoked,
)
from schemas.times import end_of_day_after, parse_instant

DUE_FACTS_MAX = 1_000
"""Half of what one append takes: the command's own events have to go with them."""


def facts_due(account: Account, now: datetime) -> tuple[Event, ...]:
    """Lapses of holds, activations and expiries due and not yet recorded; every decision starts
    with them. Lapses come first: what they let go may have expired since.

    At most DUE_FACTS_MAX at once, for an append is bounded: the sweeper comes back for the rest,
    and what has expired is spent by nobody meanwhile.
    """
    facts: list[Event] = list(holds_due(account, now)[:DUE_FACTS_MAX])
    account = fold(facts, account)
    for lot in in_expiry_order(account.open_lots.values()):
        if len(facts) >= DUE_FACTS_MAX:
            break
        facts.extend(_due(lot, now))
    return tuple(facts)


def issue_reward(
    command: IssueReward, account: Account, programme: Programme, at: Circumstances
) -> tuple[Event, ...]:
    """A new reward; the first one registers the profile (article, step 2)."""
    definition = _assignable(command, programme)
    due = facts_due(account, at.now)
    registered = () if account.registered else (ProfileRegistered(profile_id=command.profile_id),)
    issued = _issued(command, definition, at)
    after = fold((*due, *registered, issued), account)
    return (*due, *registered, issued, *facts_due(after, at.now))


def revoke_reward(command: RevokeReward, account: Account, at: Circumstances) -> tuple[Event, ...]:
    """What remains is taken back; what was spent stays spent."""
    due = facts_due(account, at.now)
    lot = fold(due, account).lots.get(command.reward_id)
    if lot is None or lot.revoked:
        raise UnknownReward(f"There is no reward {command.reward_id}.")
    if held := lot.amount(Book.HELD):
        raise RewardIsHeld(
            f"{at.amount(held)} of reward {lot.id} is held; release it first.", held_minor=held
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


def _assignable(command: IssueReward, programme: Programme) -> DefinitionTerms:
    definition = programme.find(command.reward_definition_id, command.reward_definition_handle)
    if definition is None:
        named = command.reward_definition_id or command.reward_definition_handle
        raise UnknownDefinition(f"There is no reward definition {named!r}; add it first.")
    if definition.archived or not definition.terms.is_assignable:
        raise DefinitionNotAssignable(
            f"Reward definition {definition.terms.definition_id} is archived or not assignable."
        )
    return definition.terms


def _issued(command: IssueReward, definition: DefinitionTerms, at: Circumstances) -> RewardIssued:
    initial = (
        definition.value_minor
        if command.value_initial is None
        else at.minor(command.value_initial, "value_initial")
    )
    within_limit(initial, at.settings.issue_max_minor, at)
    remaining = (
        initial
        if command.value_remaining is None
        else at.minor(command.value_remaining, "value_remaining")
    )
    if remaining > initial:
        raise InvalidRewardTerms("value_remaining is above value_initial.", field="value_remaining")
    zone = command.timezone or at.settings.zone
    issued_at = _whole_second(
        at.now if command.issued_at is None else _instant("issued_at", command, zone)
    )
    expires_at = _expires_at(command, definition, issued_at, zone)
    reward_id = next(at.ids)
    book = Book.PENDING if issued_at > at.now else Book.AVAILABLE
    return RewardIssued(
        reward_id=reward_id,
        profile_id=command.profile_id,
        **{name: getattr(definition, name) for name in PROMISED},
        value_initial_minor=initial,
        value_remaining_minor=remaining,
        issued_at=issued_at,
        expires_at=expires_at,
        timezone=zone,
        external_id=command.external_id,
        has_notified_issue=command.has_notified_issue,
        has_notified_expiry=command.has_notified_expiry,
        personal=at.personal,
        movements=moved(reward_id, Book.ISSUED, book, remaining),
    )


def _expires_at(
    command: IssueReward, definition: DefinitionTerms, issued_at: datetime, zone: str
) -> datetime | None:
    """An explicit expiry wins over the definition's period; null means never."""
    if "expires_at" not in command.model_fields_set:
        try:
            return end_of_day_after(issued_at, zone, definition.period, definition.period_type)
        except ValueError as error:
            raise InvalidRewardTerms(f"expires_at: {error}", field="expires_at") from error
    if command.expires_at is None:
        return None
    expires_at = _whole_second(_instant("expires_at", command, zone))
    if expires_at < issued_at:
        raise InvalidRewardTerms("expires_at is before issued_at.", field="expires_at")
    return expires_at


def _instant(name: str, command: IssueReward, zone: str) -> datetime:
    try:
        return parse_instant(getattr(command, name), zone)
    except ValueError as error:
        raise InvalidRewardTerms(f"{name}: {error}", field=name) from error


def _whole_second(instant: datetime) -> datetime:
    return instant.replace(microsecond=0)
