"""Redemptions: take value from the nearest expiry first, or set it aside."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from ledger.account.folding import fold
from ledger.account.parcels import Parcels, first, total
from ledger.account.registrations import refuse_closed
from ledger.account.rewards import facts_due
from ledger.account.sources import Purchase, book_of, offered
from ledger.account.state import Account
from ledger.decider import Circumstances
from ledger.rejections import (
    AmountExceedsTransactionTotal,
    HoldTooLong,
    InsufficientBalance,
    Rejection,
    TransactionTotalRequired,
    UnknownProfile,
    UnsupportedCurrency,
)
from schemas.amounts import MINOR_MAX
from schemas.events import Event
from schemas.holds import RedemptionHeld
from schemas.movements import Book, Movement, moved
from schemas.redemptions import MakeRedemption, RedemptionMade


def make_redemption(
    command: MakeRedemption, account: Account, at: Circumstances
) -> tuple[Event, ...]:
    """Value leaves the balance, never below zero; with `hold` it is set aside (article, step 3)."""
    if not account.registered:
        raise UnknownProfile(f"There is no profile {command.profile_id!r}.")
    refuse_closed(account)
    refuse_other_currency(command.currency, at)
    due = facts_due(account, at.now)
    account = fold(due, account)
    requested = at.minor(command.amount)
    purchase = _purchase(command, requested, at)
    taken = first(offered(command.strategies, account, purchase), requested)
    if not taken or (command.strict and total(taken) < requested):
        raise _short(command, requested, account, purchase, at)
    record = {
        "redemption_id": next(at.ids),
        "profile_id": command.profile_id,
        "requested_minor": requested,
        "total_minor": total(taken),
        "strategies": command.strategies,
        "strict": command.strict,
        "external_id": command.external_id,
        "transaction_external_id": command.transaction_external_id,
        "transaction_receipt_ref": command.transaction_receipt_ref,
        "transaction_total_minor": purchase.total_minor,
        "location_id": command.location_id,
        "personal": at.personal,
    }
    if command.hold is not None:
        held = _taken(taken, account, Book.HELD)
        return (*due, _held(record, command.hold, held, at))
    made = RedemptionMade(
        **record,
        reversible_until=at.now + at.settings.reversal_window,
        movements=_taken(taken, account, Book.REDEEMED),
    )
    return (*due, made)


def refuse_other_currency(currency: str | None, at: Circumstances) -> None:
    """Let pass what names the programme's currency, or none.

    Raises:
        UnsupportedCurrency: it names another.
    """
    kept = at.settings.currency
    if currency not in (None, kept):
        raise UnsupportedCurrency(f"This programme keeps {kept}; give that, or leave it out.")


def _purchase(command: MakeRedemption, requested: int, at: Circumstances) -> Purchase:
    stated = command.transaction_total
    total_minor = None if stated is None else at.minor(stated, "transaction_total")
    if total_minor is not None and requested > total_minor:
        raise AmountExceedsTransactionTotal(
            f"{at.amount(requested)} is more than the transaction's total of "
            f"{at.amount(total_minor)}."
        )
    swept_since = None
    if at.learned_at is not None:
        swept_since = at.learned_at - at.settings.late_redemption_window
    return Purchase(at.now, total_minor, command.transaction_external_id, swept_since)


def _short(
    command: MakeRedemption, requested: int, account: Account, purchase: Purchase, at: Circumstances
) -> Rejection:
    """Too little can be taken: for want of value, or for want of the sale's total."""
    available = total(offered(command.strategies, account, purchase))
    if purchase.total_minor is None:
        known = replace(purchase, total_minor=MINOR_MAX)
        with_total = total(offered(command.strategies, account, known))
        if with_total > available and (with_total >= requested or not command.strict):
            return TransactionTotalRequired(
                "Some of these rewards pay only for a sale whose total is known; state "
                "transaction_total."
            )
    return InsufficientBalance(
        f"The available balance is {at.amount(available)}; {at.amount(requested)} was asked for.",
        available=at.amount(available),
    )


def _held(
    record: dict[str, Any], hold: timedelta, held: tuple[Movement, ...], at: Circumstances
) -> RedemptionHeld:
    longest = at.settings.hold_max
    if hold > longest:
        raise HoldTooLong(
            f"A hold may last at most {longest}.", hold_max_seconds=int(longest.total_seconds())
        )
    return RedemptionHeld(
        **record,
        held_until=at.now + hold,
        movements=held,
    )


def _taken(parcels: Parcels, account: Account, target: Book) -> tuple[Movement, ...]:
    """Each parcel from where its lot's value waits."""
    return tuple(
        movement
        for lot, amount in parcels
        for movement in moved(lot, book_of(account.lots[lot]), target, amount)
    )
