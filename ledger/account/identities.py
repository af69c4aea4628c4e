"""Identities: attach what a profile is known by, and let go of it."""

from typing import Final

from ledger.account.registrations import refuse_closed
from ledger.account.state import Account
from ledger.decider import Circumstances
from ledger.rejections import TooManyIdentities, UnknownIdentity, UnknownProfile
from schemas.events import Event
from schemas.identities import AttachIdentity, DetachIdentity, IdentityAttached, IdentityDetached
from schemas.profiles import ProfileRegistered

IDENTITIES_MAX: Final = 100
"""How many one profile has; more would be a list of something else."""


def attach_identity(
    command: AttachIdentity, account: Account, at: Circumstances
) -> tuple[Event, ...]:
    """One more; the first one makes the profile known. That nobody has it is seen to before."""
    if not (account.registered or at.settings.auto_register):
        raise UnknownProfile(f"There is no profile {command.profile_id!r}; register it first.")
    refuse_closed(account)
    if len(account.identities) >= IDENTITIES_MAX:
        raise TooManyIdentities(f"A profile has at most {IDENTITIES_MAX} identities.")
    registered = () if account.registered else (ProfileRegistered(profile_id=command.profile_id),)
    alike = {n: each for n, each in account.identities.items() if each.handle == command.handle}
    primary = command.is_primary or not alike
    attached = IdentityAttached(
        identity_id=next(at.ids),
        handle=command.handle,
        is_primary=primary,
        demoted=tuple(sorted(n for n, each in alike.items() if primary and each.is_primary)),
        personal=at.personal,
    )
    return (*registered, attached)


def detach_identity(
    command: DetachIdentity, account: Account, at: Circumstances
) -> tuple[Event, ...]:
    """It may be attached elsewhere afterwards. Also a deleted profile lets go.

    One attached after the command came was not there for it: its name could not be let go of.
    """
    if not account.registered:
        raise UnknownProfile(f"There is no profile {command.profile_id!r}.")
    if not (command.identity_id in account.identities and command.identity_id in at.identities):
        raise UnknownIdentity(f"The profile has no identity {command.identity_id}.")
    return (IdentityDetached(identity_id=command.identity_id),)
