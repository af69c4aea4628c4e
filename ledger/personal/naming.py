"""Identities at the edge: whom one means, and the keyed names under which they are unique."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from ledger.account.state import Account
from ledger.event_store.port import EventStore
from ledger.personal.identified import IdentifiedProfiles, Identity
from ledger.personal.vault import Vault
from ledger.streams import account_stream, fold_whole
from schemas.commands import Command
from schemas.identities import AttachIdentity, DetachIdentity
from schemas.profiles import MergeProfiles
from schemas.registrations import ChangeProfile, RegisterProfile

UNKNOWN: Final = "unknown"
"""Stands for an identifier that is nobody's; the handle beside it tells that it is one."""
CHANGE_IDENTITIES: Final = (
    AttachIdentity,
    DetachIdentity,
    RegisterProfile,
    ChangeProfile,
    MergeProfiles,
)
"""Commands after which an identity may mean somebody else."""


async def resolved(
    commands: Sequence[Command], vault: Vault, store: EventStore
) -> Sequence[Command]:
    """The commands with the profile's id where they named it by an identity.

    An identity that nobody has leaves its handle there: the decision refuses that.
    """
    named = {n: identity for n, each in enumerate(commands) if (identity := _identity_in(each))}
    if not named:
        return commands
    found = await IdentifiedProfiles(vault, store)(set(named.values()))
    known = list(commands)
    for index, identity in named.items():
        told: dict[str, Any] = {"profile_id": UNKNOWN}
        if identity in found:
            told = {"profile_id": found[identity], "profile_id_handle": None}
        known[index] = commands[index].model_copy(update=told)
    return known


def _identity_in(command: Command) -> Identity | None:
    handle = getattr(command, "profile_id_handle", None)
    profile_id: str | None = getattr(command, "profile_id", None)
    return None if handle is None or profile_id is None else (handle, profile_id)


async def name_let_go(
    command: DetachIdentity, vault: Vault, store: EventStore
) -> Mapping[int, str | None]:
    """The name of the identity a command detaches; none where the profile has no such identity."""
    stream_id = account_stream(command.profile_id)
    account = fold_whole(stream_id, (await store.read_streams([stream_id]))[stream_id])
    while isinstance(account, Account) and account.merged_into is not None:
        stream_id = account_stream(account.merged_into)
        account = fold_whole(stream_id, (await store.read_streams([stream_id]))[stream_id])
    if not isinstance(account, Account) or command.identity_id not in account.identities:
        return {}
    identity = account.identities[command.identity_id]
    fields = None
    if identity.sealed is not None:
        fields = (await vault.opened([identity.sealed]))[identity.sealed]
    name = None if fields is None else vault.identity_name(identity.handle, fields["identifier"])
    return {command.identity_id: name}
