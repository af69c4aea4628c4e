"""Issuing a reward: whether the definition lets it be, and on what terms."""

from datetime import datetime
from typing import Any, NamedTuple

from ledger.account.folding import fold
from ledger.account.lots import PROMISED
from ledger.account.registrations import refuse_closed
from ledger.account.rewards import facts_due
from ledger.account.state import Account
from ledger.decider import Circumstances
from ledger.limits import within_limit
from ledger.programme.counters import IssueCounter
from ledger.programme.eligibility import holds
from ledger.rejections import (
    DefinitionEnded,
    DefinitionNotStarted,
    InvalidRewardTerms,
    MaxPerProfileReached,
    MaxTotalReached,
    NotEligible,
    UnknownProfile,
)
from schemas.events import Event
from schemas.movements import Book, moved
from schemas.profiles import ProfileRegistered
from schemas.reward_definitions import DefinitionTerms
from schemas.rewards import IssueReward, RewardIssued
from schemas.times import end_of_day_after, local_text, parse_instant, utc_text


def issue_reward(
    command: IssueReward,
    account: Account,
    definition: DefinitionTerms,
    counter: IssueCounter,
    at: Circumstances,
) -> tuple[Event, ...]:
    """A new reward; the first one registers the profile (article, step 2)."""
    if not (account.registered or at.settings.auto_register):
        raise UnknownProfile(f"There is no profile {command.profile_id!r}; register it first.")
    refuse_closed(account)
    due = facts_due(account, at.now)
    parcel = _parcel(command, definition, at)
    _refuse_time(definition, parcel.issued_at)
    _refuse_beyond_caps(definition, account, counter)
    _refuse_ineligible(command, definition, parcel, fold(due, account), at)
    issued = _issued(command, definition, parcel, at)
    registered = () if account.registered else (ProfileRegistered(profile_id=command.profile_id),)
    events = (*due, *registered, issued)
    if parcel.expires_at is None or parcel.expires_at > at.now:
        return events
    return (*events, *facts_due(fold(events, account), at.now))


class _Parcel(NamedTuple):
    """What is to be issued: minor units and instants."""

    initial: int
    remaining: int
    issued_at: datetime
    expires_at: datetime | None
    zone: str


def _parcel(command: IssueReward, definition: DefinitionTerms, at: Circumstances) -> _Parcel:
    initial = (
        definition.value_minor
        if command.value_initial is None
        else at.minor(command.value_initial, "value_initial")
    )
    within_limit(initial, at.settings.issue_max_minor, at)
    if definition.max_value_minor is not None and initial > definition.max_value_minor:
        most = at.amount(definition.max_value_minor)
        raise InvalidRewardTerms(
            f"value_initial is above the definition's max_value of {most}.", field="value_initial"
        )
    remaining = (
        initial
        if command.value_remaining is None
        else at.minor(command.value_remaining, "value_remaining")
    )
    if remaining > initial:
        raise InvalidRewardTerms("value_remaining is above value_initial.", field="value_remaining")
    zone = command.timezone or at.settings.zone
    issued_at = at.now if command.issued_at is None else _instant("issued_at", command, zone)
    issued_at = issued_at.replace(microsecond=0)
    expires_at = _expires_at(command, definition, issued_at, zone)
    return _Parcel(initial, remaining, issued_at, expires_at, zone)


def _expires_at(
    command: IssueReward, definition: DefinitionTerms, issued_at: datetime, zone: str
) -> datetime | None:
    """An explicit expiry wins over the definition's period; null means never."""
    if "expires_at" in command.model_fields_set:
        if command.expires_at is None:
            return None
        expires_at = _instant("expires_at", command, zone).replace(microsecond=0)
    else:
        try:
            expires_at = end_of_day_after(
                issued_at,
                zone,
                definition.period,
                definition.period_type,
                definition.absolute_expiry,
            )
        except ValueError as error:
            raise InvalidRewardTerms(f"expires_at: {error}", field="expires_at") from error
    if expires_at < issued_at:
        raise InvalidRewardTerms("expires_at is before issued_at.", field="expires_at")
    return expires_at


def _instant(name: str, command: IssueReward, zone: str) -> datetime:
    try:
        return parse_instant(getattr(command, name), zone)
    except ValueError as error:
        raise InvalidRewardTerms(f"{name}: {error}", field=name) from error


def _refuse_time(definition: DefinitionTerms, issued_at: datetime) -> None:
    """Both ends are included.

    Raises:
        DefinitionNotStarted, DefinitionEnded: it is not the time for it.
    """
    start, end = definition.start_at, definition.end_at
    if start is not None and issued_at < start:
        raise DefinitionNotStarted(f"Rewards are issued under it from {utc_text(start)} UTC on.")
    if end is not None and issued_at > end:
        raise DefinitionEnded(f"Rewards were issued under it until {utc_text(end)} UTC.")


def _refuse_beyond_caps(
    definition: DefinitionTerms, account: Account, counter: IssueCounter
) -> None:
    """Revoked rewards stay counted; what a return makes of a reward is no new one.

    Raises:
        MaxPerProfileReached, MaxTotalReached: there are as many as there may be.
    """
    per_profile, total = definition.max_per_profile, definition.max_total
    so_far = account.issued_under.get(definition.definition_id, 0)
    if per_profile is not None and so_far >= per_profile:
        raise MaxPerProfileReached(f"The profile has had {so_far} of {per_profile}.")
    if total is not None and counter.count >= total:
        raise MaxTotalReached(f"{counter.count} of {total} have been issued.")


def _refuse_ineligible(
    command: IssueReward,
    definition: DefinitionTerms,
    parcel: _Parcel,
    account: Account,
    at: Circumstances,
) -> None:
    rule = definition.eligibility
    if rule is not None and not holds(rule, _facts(command, definition, parcel, account, at)):
        raise NotEligible("The definition's eligibility does not hold for this profile.")


def _facts(
    command: IssueReward,
    definition: DefinitionTerms,
    parcel: _Parcel,
    account: Account,
    at: Circumstances,
) -> dict[str, Any]:
    """What a condition may ask for (`schemas.conditions.FACTS`), before this reward is issued."""
    under = account.issued_under
    return {
        "now": utc_text(at.now),
        "profile": {
            "id": command.profile_id,
            "balance": float(at.amount(account.available_minor(at.now))),
            "rewards": sum(under.values()),
            "rewards_of_definition": under.get(definition.definition_id, 0),
            "redemptions": len(account.redemptions),
            "type": account.type,
            "tags": list(account.tags),
        },
        "reward": {
            "definition": definition.handle,
            "definition_id": definition.definition_id,
            "type": definition.type,
            "value": float(at.amount(parcel.initial)),
            "issued_at": utc_text(parcel.issued_at),
            "issued_on": local_text(parcel.issued_at, parcel.zone)[:10],
            "timezone": parcel.zone,
        },
    }


def _issued(
    command: IssueReward, definition: DefinitionTerms, parcel: _Parcel, at: Circumstances
) -> RewardIssued:
    reward_id = next(at.ids)
    book = Book.PENDING if parcel.issued_at > at.now else Book.AVAILABLE
    return RewardIssued(
        reward_id=reward_id,
        profile_id=command.profile_id,
        **{name: getattr(definition, name) for name in PROMISED},
        value_initial_minor=parcel.initial,
        value_remaining_minor=parcel.remaining,
        issued_at=parcel.issued_at,
        expires_at=parcel.expires_at,
        timezone=parcel.zone,
        external_id=command.external_id,
        has_notified_issue=command.has_notified_issue,
        has_notified_expiry=command.has_notified_expiry,
        personal=at.personal,
        movements=moved(reward_id, Book.ISSUED, book, parcel.remaining),
    )
