"""Whom an identity in a file means: looked up, and never guessed."""

from collections.abc import Collection, Mapping
from typing import Final, Protocol

from ledger.event_store.port import EventStore
from ledger.imports.reward_rows import EMAIL_HANDLE, Identity
from ledger.personal.keys import ANONYMOUS
from ledger.personal.vault import Vault

IDENTITY: Final = "identity"
"""The kind of name an identity is, unique over all profiles."""
_ACCOUNT: Final = "account-"


class ProfilesByIdentity(Protocol):
    """Finds profiles."""

    async def __call__(self, identities: Collection[Identity]) -> Mapping[Identity, str]:
        """The profile's id of each identity that is somebody's, and of no more than one."""
        ...


class IdentifiedProfiles:
    """By the identities of profiles; an e-mail also by what profiles are found by."""

    def __init__(self, vault: Vault, store: EventStore) -> None:
        self._vault = vault
        self._store = store

    async def __call__(self, identities: Collection[Identity]) -> Mapping[Identity, str]:
        """See `ProfilesByIdentity`."""
        named = {(IDENTITY, self._vault.identity_name(*each)): each for each in identities}
        if not named:
            return {}
        claims = await self._store.claims(list(named))
        found = {
            named[name]: claim.stream_id.removeprefix(_ACCOUNT)
            for name, claim in claims.items()
            if claim.stream_id.startswith(_ACCOUNT)
        }
        for identity in identities:
            if identity[0] == EMAIL_HANDLE and identity not in found:
                owner = await self._only_owner(identity[1])
                if owner is not None:
                    found[identity] = owner
        return found

    async def _only_owner(self, email: str) -> str | None:
        """Who has this e-mail, where it is one."""
        entries = await self._vault.search("email", email, limit=3)
        owners = {each.owner for each in entries if not each.owner.startswith(ANONYMOUS)}
        return owners.pop() if len(owners) == 1 else None
