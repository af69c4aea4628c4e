"""Registrations: make a profile known, change what is known of it, close it, open it again."""

from ledger.account.folding import fold
from ledger.account.holds import release_all
from ledger.account.rewards import facts_due
from ledger.account.state import Account
from ledger.decider import Circumstances
from ledger.rejections import ProfileClosed, ProfileExists, UnknownProfile
from schemas.events import Event
from schemas.profiles import ProfileRegistered
from schemas.registrations import (
    ChangeProfile,
    DeleteProfile,
    PersonalDetails,
    ProfileChanged,
    ProfileDeleted,
    ProfileRestored,
    RegisterProfile,
    RestoreProfile,
)


def register_profile(
    command: RegisterProfile, account: Account, at: Circumstances
) -> tuple[Event, ...]:
    """A profile nobody has made known yet, not even by a reward or a sale."""
    if account.registered:
        raise ProfileExists(
            f"The profile {command.profile_id!r} is known; change it with PUT instead."
        )
    registered = ProfileRegistered(
        profile_id=command.profile_id, type=command.type, tags=command.tags, personal=at.personal
    )
    return (registered,)


def change_profile(
    command: ChangeProfile, account: Account, at: Circumstances
) -> tuple[Event, ...]:
    """What is told replaces what was there; telling the same of what isn't sealed is nothing."""
    refuse_closed(_known(command.profile_id, account))
    replaced = tuple(sorted(PersonalDetails.PERSONAL & command.model_fields_set))
    changed = ProfileChanged(
        profile_id=account.profile_id or command.profile_id,
        type=command.type or account.type,
        tags=account.tags if command.tags is None else command.tags,
        replaced=replaced,
        personal=at.personal,
    )
    if not replaced and (changed.type, changed.tags) == (account.type, account.tags):
        return ()
    return (changed,)


def delete_profile(
    command: DeleteProfile, account: Account, at: Circumstances
) -> tuple[Event, ...]:
    """What it holds for sales is released first. Doing it twice does nothing."""
    if _known(command.profile_id, account).closed:
        return ()
    due = facts_due(account, at.now)
    released = release_all(fold(due, account), at)
    deleted = ProfileDeleted(
        profile_id=account.profile_id or command.profile_id, personal=at.personal
    )
    return (*due, *released, deleted)


def restore_profile(command: RestoreProfile, account: Account) -> tuple[Event, ...]:
    """All that has not expired meanwhile is there again. Doing it twice does nothing."""
    if not _known(command.profile_id, account).closed:
        return ()
    return (ProfileRestored(profile_id=account.profile_id or command.profile_id),)


def refuse_closed(account: Account) -> None:
    """Let pass what is open.

    Raises:
        ProfileClosed: the profile is deleted.
    """
    if account.closed:
        raise ProfileClosed(
            f"The profile {account.profile_id!r} is deleted; it gives and takes nothing."
        )


def _known(profile_id: str, account: Account) -> Account:
    if not account.registered:
        raise UnknownProfile(f"There is no profile {profile_id!r}.")
    return account
