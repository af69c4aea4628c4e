"""Profiles: two of them become one."""

from ledger.account.folding import fold
from ledger.account.handover import BothSides, whole_account
from ledger.account.registrations import refuse_closed
from ledger.account.rewards import facts_due
from ledger.account.state import Account
from ledger.decider import Circumstances
from ledger.event_store.port import APPEND_BYTES_MAX, APPEND_EVENTS_MAX
from ledger.rejections import AlreadyMerged, ProfileTooLarge, SameProfile, UnknownNamedProfile
from schemas.events import encode
from schemas.profiles import MergeProfiles

_DUE_FACTS_MAX = APPEND_EVENTS_MAX // 4
"""On each side: what has not been recorded with the merge, the winner's account has due then."""


def merge_profiles(
    command: MergeProfiles, winner: Account, loser: Account, at: Circumstances
) -> BothSides:
    """All of the loser's becomes the winner's, for good. `winner` is whoever that one is now."""
    if not loser.registered:
        raise UnknownNamedProfile(f"There is no profile {command.loser!r}.", "loser")
    if loser.merged_into is not None:
        raise AlreadyMerged(
            f"Profile {command.loser} has become {loser.merged_into} before.",
            merged_into=loser.merged_into,
        )
    if not winner.registered:
        raise UnknownNamedProfile(f"There is no profile {command.winner!r}.", "winner")
    if winner.profile_id == loser.profile_id:
        raise SameProfile(f"{command.winner} and {command.loser} are one profile.")
    refuse_closed(winner)
    refuse_closed(loser)
    due = BothSides(*(facts_due(each, at.now, _DUE_FACTS_MAX) for each in (loser, winner)))
    all_of_it = whole_account(fold(due.giver, loser), fold(due.taker, winner))
    both = BothSides(due.giver + all_of_it.giver, due.taker + all_of_it.taker)
    _refuse_beyond_one_append(both)
    return both


def _refuse_beyond_one_append(both: BothSides) -> None:
    events = both.giver + both.taker
    if len(events) > APPEND_EVENTS_MAX or sum(map(len, map(encode, events))) > APPEND_BYTES_MAX:
        raise ProfileTooLarge("The profile holds more than the ledger can move at once.")
