"""Erasing what is personal: the decision only records it; the edge destroys the keys after that."""

from ledger.account.rewards import facts_due
from ledger.account.state import Account
from ledger.decider import Circumstances
from ledger.rejections import UnknownProfile
from schemas.events import Event
from schemas.identities import IdentityDetached
from schemas.personal_data import ErasePersonalData, PersonalDataErased


def erase_personal_data(
    command: ErasePersonalData, account: Account, at: Circumstances
) -> tuple[Event, ...]:
    """Each request is a fact of its own, also when nothing was left to erase.

    What nobody can read any more, nobody can show either: the profile's identities are let go.
    """
    if account.profile_id is None:
        raise UnknownProfile(f"There is no profile {command.profile_id!r}.")
    erased = PersonalDataErased(
        erasure_id=next(at.ids), profile_id=account.profile_id, keys=at.erasable
    )
    detached = (IdentityDetached(identity_id=number) for number in sorted(account.identities))
    return (*facts_due(account, at.now), *detached, erased)
