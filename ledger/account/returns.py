"""The ways back of a redemption: undo exactly inside the window, give back by policy later."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any, NamedTuple

from ledger.account.folding import fold
from ledger.account.lots import Lot
from ledger.account.parcels import Parcels, first, total
from ledger.account.redemptions import refuse_other_currency
from ledger.account.rewards import facts_due
from ledger.account.state import Account, Redemption
from ledger.decider import Circumstances
from ledger.limits import within_limit
from ledger.rejections import (
    AlreadyReversed,
    HoldHasLapsed,
    HoldWasReleased,
    NotReversible,
    RedemptionIsHeld,
    RedemptionIsLinked,
    RedemptionPartlyReturned,
    ReturnExceedsRedemption,
    ReversalWindowClosed,
    StrategyNotRedeemed,
    UnknownRedemption,
)
from schemas.events import Event
from schemas.movements import Book, Movement, moved
from schemas.redemptions import (
    RedemptionReturned,
    RedemptionReversed,
    ReturnPolicy,
    ReturnRedemption,
    ReverseRedemption,
)
from schemas.rewards import RewardIssued
from schemas.times import PeriodType, end_of_day_after

CALENDAR_END = datetime(9999, 12, 30, 23, 59, 59, tzinfo=UTC)
REDEEMED_STRATEGIES = frozenset({"rewards"})
"""What lots are: all that is taken so far are rewards."""


def reverse_redemption(
    command: ReverseRedemption, account: Account, at: Circumstances
) -> tuple[Event, ...]:
    """Inside the window: exactly what was taken, back to the rewards it came from."""
    redemption = _unreversed(command.redemption_id, account, at)
    if redemption.given_back:
        raise RedemptionPartlyReturned(f"Part of redemption {redemption.id} has been returned.")
    if redemption.transaction_id is not None:
        raise RedemptionIsLinked(
            f"Redemption {redemption.id} paid for transaction {redemption.transaction_id}; "
            "void that transaction instead."
        )
    if not _window_is_open(redemption, at):
        raise ReversalWindowClosed(
            f"Redemption {redemption.id} can't be reversed any more; return it instead."
        )
    return _reversed(redemption, account, at)


def return_redemption(
    command: ReturnRedemption, account: Account, at: Circumstances
) -> tuple[Event, ...]:
    """A part or the rest comes back, in reverse order of consumption."""
    redemption = _unreversed(command.redemption_id, account, at)
    refuse_other_currency(command.currency, at)
    if not REDEEMED_STRATEGIES.issuperset(command.strategies or ()):
        raise StrategyNotRedeemed(
            f"Redemption {redemption.id} took rewards only, so only rewards can come back."
        )
    returnable = total(redemption.outstanding())
    amount = asked = returnable if command.amount is None else at.minor(command.amount)
    if not command.strict:
        amount = min(asked, returnable)
    if amount > returnable or not returnable:
        raise ReturnExceedsRedemption(
            f"{at.amount(returnable)} of redemption {redemption.id} can still be returned.",
            returnable=at.amount(returnable),
        )
    within_limit(amount, at.settings.return_max_minor, at)
    policy = command.policy or at.settings.return_policy
    told = {
        "requested_minor": asked if asked > amount else None,
        "transaction_external_id": command.transaction_external_id,
        "transaction_receipt_ref": command.transaction_receipt_ref,
        "location_id": command.location_id,
        "personal": at.personal,
    }
    return _returned(redemption, _Part(amount, policy, told), account, at)


def undo_redemption(
    redemption: Redemption, account: Account, at: Circumstances
) -> tuple[Event, ...]:
    """What the void of its sale does: all that is still redeemed comes back.

    Inside the reversal window to the very rewards it came from, later by the programme's policy.
    """
    left = total(redemption.outstanding())
    if not left:
        return ()
    if not _window_is_open(redemption, at):
        return _returned(redemption, _Part(left, at.settings.return_policy), account, at)
    if redemption.given_back:
        return _returned(redemption, _Part(left, "restore"), account, at)
    return _reversed(redemption, account, at)


def _window_is_open(redemption: Redemption, at: Circumstances) -> bool:
    until = redemption.reversible_until
    return until is not None and at.now <= until


class _Part(NamedTuple):
    """How much comes back, how, and what the return says of itself."""

    amount: int
    policy: ReturnPolicy
    told: dict[str, Any] = {}  # noqa: RUF012 - read only


def _reversed(redemption: Redemption, account: Account, at: Circumstances) -> tuple[Event, ...]:
    due = facts_due(account, at.now)
    account = fold(due, account)
    parcels = redemption.outstanding()
    back = _given_back(parcels, redemption, account, "restore", at)
    reversed_ = RedemptionReversed(
        reversal_id=next(at.ids),
        redemption_id=redemption.id,
        total_minor=total(parcels),
        forfeited_minor=_forfeited(back.movements),
        movements=tuple(back.movements),
    )
    return (*due, *_with_facts_due(account, (reversed_, *back.rewards), at.now))


def _returned(
    redemption: Redemption, part: _Part, account: Account, at: Circumstances
) -> tuple[Event, ...]:
    due = facts_due(account, at.now)
    account = fold(due, account)
    parcels = first(reversed(redemption.outstanding()), part.amount)
    back = _given_back(parcels, redemption, account, part.policy, at)
    returned = RedemptionReturned(
        return_id=next(at.ids),
        redemption_id=redemption.id,
        total_minor=part.amount,
        policy=part.policy,
        forfeited_minor=_forfeited(back.movements),
        movements=tuple(back.movements),
        **part.told,
    )
    return (*due, *_with_facts_due(account, (returned, *back.rewards), at.now))


@dataclass(frozen=True, slots=True)
class _Back:
    """What a reversal or return puts in motion: movements of the old lots, and new rewards."""

    movements: list[Movement] = field(default_factory=list)
    rewards: list[RewardIssued] = field(default_factory=list)


class _Origin(NamedTuple):
    """Where the value of a new reward comes from."""

    profile_id: str
    lot: Lot
    redemption_id: int


def _given_back(
    parcels: Parcels,
    redemption: Redemption,
    account: Account,
    policy: ReturnPolicy,
    at: Circumstances,
) -> _Back:
    """Each parcel goes back to its lot, or to a new reward, or is forfeited with a revoked one."""
    back = _Back()
    for lot_id, amount in parcels:
        lot = account.lots[lot_id]
        expired = lot.expired_by(at.now)
        if lot.revoked:
            target = Book.REVOKED
        elif policy == "reissue" or expired or lot.moved_to is not None:
            target = Book.TRANSFERRED
            life = _fresh_life(lot, at) if policy == "reissue" else _graced_life(lot, at)
            expires_at, graced = life
            origin = _Origin(account.profile_id or "", lot, redemption.id)
            back.rewards.append(_carried_on(origin, amount, expires_at, at, graced=graced))
        else:
            target = Book.AVAILABLE
        back.movements.extend(moved(lot_id, Book.REDEEMED, target, amount))
    return back


def _fresh_life(lot: Lot, at: Circumstances) -> tuple[datetime | None, bool]:
    """A reissued reward lives as long as a new one under the same terms; never stays never.

    Where all of them end with a date that is past, it keeps its own life, or gets its grace.
    """
    terms = lot.terms
    if terms.expires_at is None:
        return None, terms.graced
    expires_at = _end_of_day_after(
        at.now, terms.timezone, terms.period, terms.period_type, terms.absolute_expiry
    )
    if expires_at < at.now.replace(microsecond=0):
        return _graced_life(lot, at)
    return expires_at, terms.graced


def _graced_life(lot: Lot, at: Circumstances) -> tuple[datetime | None, bool]:
    """Expired value gets its grace days once; after that it comes back as expired as it was.

    What has not expired, but whose reward has moved on, lives as long as that one would have.
    """
    terms = lot.terms
    if not lot.expired_by(at.now):
        return terms.expires_at, terms.graced
    if terms.graced or at.settings.grace_days == 0:
        return terms.expires_at, True
    return _end_of_day_after(at.now, terms.timezone, at.settings.grace_days, "days"), True


def _end_of_day_after(
    now: datetime, zone: str, period: int, kind: PeriodType, absolute: date | None = None
) -> datetime:
    """The calendar ends with the year 9999: a life beyond it is a life to its last day."""
    try:
        return end_of_day_after(now, zone, period, kind, absolute)
    except ValueError:
        return CALENDAR_END


def _carried_on(
    origin: "_Origin",
    amount: int,
    expires_at: datetime | None,
    at: Circumstances,
    *,
    graced: bool,
) -> RewardIssued:
    reward_id, lot = next(at.ids), origin.lot
    return RewardIssued(
        reward_id=reward_id,
        profile_id=origin.profile_id,
        **lot.terms.promised(),
        value_initial_minor=amount,
        value_remaining_minor=amount,
        issued_at=at.now.replace(microsecond=0),
        expires_at=expires_at,
        timezone=lot.terms.timezone,
        restored_from=lot.id,
        redemption_id=origin.redemption_id,
        graced=graced,
        movements=moved(reward_id, Book.ISSUED, Book.AVAILABLE, amount),
    )


def _with_facts_due(
    account: Account, events: tuple[Event, ...], now: datetime
) -> tuple[Event, ...]:
    """The events whole; what they issue already expired is recorded as expired with them."""
    return (*events, *facts_due(fold(events, account), now))


def _unreversed(redemption_id: int, account: Account, at: Circumstances) -> Redemption:
    if redemption_id in account.final_records:
        raise NotReversible(f"{redemption_id} is a return or a reversal; those are final.")
    redemption = account.redemptions.get(redemption_id)
    if redemption is None:
        raise UnknownRedemption(f"There is no redemption {redemption_id}.")
    if redemption.reversed:
        raise AlreadyReversed(f"Redemption {redemption.id} has been reversed before.")
    _refuse_what_took_nothing(redemption, at)
    return redemption


def _refuse_what_took_nothing(redemption: Redemption, at: Circumstances) -> None:
    if redemption.hold is None or redemption.hold.status == "captured":
        return
    if redemption.is_held(at.now):
        raise RedemptionIsHeld(
            f"Redemption {redemption.id} only holds its value so far; release it instead."
        )
    if redemption.hold.status == "released":
        raise HoldWasReleased(f"Redemption {redemption.id} was released; it took nothing.")
    raise HoldHasLapsed(f"The hold of redemption {redemption.id} has lapsed; it took nothing.")


def _forfeited(movements: Iterable[Movement]) -> int:
    return sum(m.amount_minor for m in movements if m.target is Book.REVOKED)
