"""Holds: capture what a redemption has set aside, once, or let go of it."""

from ledger.account.folding import fold
from ledger.account.lapses import let_go
from ledger.account.parcels import first, movements, rest
from ledger.account.rewards import facts_due
from ledger.account.state import Account, Hold
from ledger.decider import Circumstances
from ledger.rejections import (
    AlreadyCaptured,
    CaptureExceedsHold,
    HoldHasLapsed,
    HoldWasReleased,
    NotHeld,
    UnknownRedemption,
)
from schemas.events import Event
from schemas.holds import CaptureRedemption, HoldReleased, RedemptionCaptured, ReleaseRedemption
from schemas.movements import Book


def capture_redemption(
    command: CaptureRedemption, account: Account, at: Circumstances
) -> tuple[Event, ...]:
    """The payment has succeeded: take the whole or a part, in the order of consumption."""
    hold = _open_hold(command.redemption_id, account, at)
    held = hold.total_minor
    amount = held if command.amount is None else at.minor(command.amount)
    if amount > held:
        raise CaptureExceedsHold(
            f"Redemption {command.redemption_id} holds {at.amount(held)}; "
            f"{at.amount(amount)} was to be captured.",
            held=at.amount(held),
        )
    due = facts_due(account, at.now)
    account = fold(due, account)
    captured = RedemptionCaptured(
        redemption_id=command.redemption_id,
        total_minor=amount,
        released_minor=held - amount,
        reversible_until=at.now + at.settings.reversal_window,
        movements=(
            *movements(first(hold.parcels, amount), Book.HELD, Book.REDEEMED),
            *let_go(rest(hold.parcels, amount), account, at.now),
        ),
    )
    return (*due, captured)


def release_redemption(
    command: ReleaseRedemption, account: Account, at: Circumstances
) -> tuple[Event, ...]:
    """The payment has failed: all that is held goes back, or expires with its reward."""
    hold = _open_hold(command.redemption_id, account, at)
    due = facts_due(account, at.now)
    return (*due, _released(command.redemption_id, hold, fold(due, account), at))


def release_all(account: Account, at: Circumstances) -> tuple[Event, ...]:
    """Let go of every hold of an account whose due facts are recorded."""
    holds = ((number, account.redemptions[number].hold) for number in sorted(account.holds))
    return tuple(_released(number, hold, account, at) for number, hold in holds if hold)


def _released(redemption_id: int, hold: Hold, account: Account, at: Circumstances) -> HoldReleased:
    return HoldReleased(
        redemption_id=redemption_id,
        released_minor=hold.total_minor,
        movements=let_go(hold.parcels, account, at.now),
    )


def _open_hold(redemption_id: int, account: Account, at: Circumstances) -> Hold:
    redemption = account.redemptions.get(redemption_id)
    if redemption is None and redemption_id not in account.final_records:
        raise UnknownRedemption(f"There is no redemption {redemption_id}.")
    hold = None if redemption is None else redemption.hold
    if hold is None:
        raise NotHeld(f"{redemption_id} took its value at once; there is no hold to end.")
    if hold.status == "captured":
        raise AlreadyCaptured(f"Redemption {redemption_id} has been captured before.")
    if hold.status == "released":
        raise HoldWasReleased(f"Redemption {redemption_id} has been released before.")
    if hold.status == "lapsed" or at.now >= hold.until:
        raise HoldHasLapsed(f"The hold of redemption {redemption_id} lapsed at its deadline.")
    return hold
