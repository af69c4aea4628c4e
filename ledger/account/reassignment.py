"""Reassign: what remains of a reward moves to another profile, under its id and its terms."""

from dataclasses import replace

from ledger.account.folding import fold
from ledger.account.handover import BothSides, into_books, issued_into, transferred
from ledger.account.lots import Lot
from ledger.account.registrations import refuse_closed
from ledger.account.rewards import facts_due
from ledger.account.state import Account
from ledger.decider import Circumstances
from ledger.rejections import (
    RewardHasExpired,
    RewardIsHeld,
    RewardIsRevoked,
    RewardNotReassignable,
    SameProfile,
    UnknownNamedProfile,
    UnknownReward,
)
from schemas.movements import Book
from schemas.rewards import ReassignReward, RewardReceived, RewardSent

MOVES_MAX = 20
"""How often one reward may move: each time is a look-up more for whoever names it."""


def reassign_reward(
    command: ReassignReward, giver: Account, taker: Account, at: Circumstances
) -> BothSides:
    """The unspent part becomes the taker's; what was spent stays with whoever spent it."""
    if not taker.registered:
        raise UnknownNamedProfile(f"There is no profile {command.profile_id!r}.", "profile_id")
    refuse_closed(giver)
    refuse_closed(taker)
    due = BothSides(*(facts_due(each, at.now) for each in (giver, taker)))
    lot = fold(due.giver, giver).lots.get(command.reward_id)
    if lot is None:
        raise UnknownReward(f"There is no reward {command.reward_id}.")
    if giver.profile_id == taker.profile_id:
        raise SameProfile(f"Reward {lot.id} is this profile's already.")
    _refuse_unmovable(lot, at)
    amounts = {b: lot.amount(b) for b in (Book.PENDING, Book.AVAILABLE) if lot.amount(b)}
    assert giver.profile_id is not None
    assert taker.profile_id is not None
    moving = replace(lot, moves=lot.moves + 1, moved_to=None)
    sent = RewardSent(
        into=taker.profile_id, rewards=(lot.id,), movements=transferred(lot.id, amounts)
    )
    received = RewardReceived(
        giver=giver.profile_id,
        lots=(into_books(moving, taker.lots.get(lot.id), amounts),),
        movements=issued_into(lot.id, amounts),
    )
    return BothSides((*due.giver, sent), (*due.taker, received))


def _refuse_unmovable(lot: Lot, at: Circumstances) -> None:
    if lot.revoked:
        raise RewardIsRevoked(f"Reward {lot.id} has been revoked.")
    if lot.expired_by(at.now):
        raise RewardHasExpired(f"Reward {lot.id} is past its time.")
    if not lot.terms.is_reassignable:
        raise RewardNotReassignable(f"Reward {lot.id} was issued for its own profile only.")
    if lot.amount(Book.HELD):
        raise RewardIsHeld(
            f"{at.amount(lot.amount(Book.HELD))} of reward {lot.id} is held; capture or release "
            "that first.",
            held=at.amount(lot.amount(Book.HELD)),
        )
    if not (lot.amount(Book.AVAILABLE) or lot.amount(Book.PENDING)):
        raise RewardNotReassignable(f"Nothing is left of reward {lot.id}.")
    if lot.moves >= MOVES_MAX:
        raise RewardNotReassignable(f"Reward {lot.id} has been reassigned {MOVES_MAX} times.")
