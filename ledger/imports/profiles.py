"""Whom an identity in a file means: looked up, and never guessed."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from ledger.event_store.port import EventStore
from ledger.imports.reward_rows import EMAIL_HANDLE, Identity
from ledger.personal.keys import ANONYMOUS
from ledger.personal.vault import Opened, Vault
from ledger.streams import account_stream, event_of
from schemas.envelope import Recorded
from schemas.personal import Layer, laid_on, merged
from schemas.profiles import ProfileMergedAway, ProfileRegistered
from schemas.registrations import ProfileChanged

IDENTITY: Final = "identity"
"""The kind of name an identity is, unique over all profiles."""
OWNERS_MAX: Final = 10
_ACCOUNT: Final = "account-"
_TELLING: Final = {each.__name__ for each in (ProfileRegistered, ProfileChanged, ProfileMergedAway)}


class ProfilesByIdentity(Protocol):
    """Finds profiles."""

    async def __call__(self, identities: Collection[Identity]) -> Mapping[Identity, str]:
        """The profile's id of each identity that is somebody's, and of no more than one."""
        ...


@dataclass(frozen=True, slots=True)
class _Told:
    """What the log tells of a profile: its sealed details, and whom it has become."""

    layers: Sequence[Layer] = ()
    into: str | None = None


class IdentifiedProfiles:
    """By the identities of profiles; an e-mail also by that of the profile itself."""

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
        emails = [
            identifier
            for handle, identifier in identities
            if handle == EMAIL_HANDLE and (handle, identifier) not in found
        ]
        return found | await self._by_email(emails)

    async def _by_email(self, emails: Collection[str]) -> dict[Identity, str]:
        """The index says little: it keeps what was refused and what has changed since. So the
        profile itself is looked at, and it has to be the only one."""
        candidates = {email: await self._owners(email) for email in emails}
        told = await self._told({owner for owners in candidates.values() for owner in owners})
        layers = [layer for each in told.values() for layer in each.layers]
        opened = await self._vault.opened(each for each in layers if isinstance(each, str))
        found: dict[Identity, str] = {}
        for email, owners in candidates.items():
            having = {
                told[owner].into or owner
                for owner in owners
                if self._same(email, _email(told[owner].layers, opened))
            }
            if len(having) == 1:
                found[EMAIL_HANDLE, email] = having.pop()
        return found

    async def _owners(self, email: str) -> set[str]:
        """Whoever the index names; nobody where it names too many to look at each."""
        entries = await self._vault.search("email", email, limit=OWNERS_MAX + 1)
        if len(entries) > OWNERS_MAX:
            return set()
        return {each.owner for each in entries if not each.owner.startswith(ANONYMOUS)}

    async def _told(self, owners: Collection[str]) -> dict[str, _Told]:
        if not owners:
            return {}
        streams = {account_stream(owner): owner for owner in owners}
        histories = await self._store.read_streams(sorted(streams))
        return {owner: _told_by(histories[stream]) for stream, owner in streams.items()}

    def _same(self, one: str, other: object) -> bool:
        tokens = self._vault.tokenizer.tokens
        return isinstance(other, str) and tokens("email", one) == tokens("email", other)


def _told_by(history: Iterable[Recorded]) -> _Told:
    layers: list[Layer] | None = None
    into = None
    for recorded in history:
        if recorded.type not in _TELLING:
            continue
        event = event_of(recorded)
        if isinstance(event, ProfileMergedAway):
            into = event.into
        replaced = event.replaced if isinstance(event, ProfileChanged) else ()
        layers = laid_on(layers, event.personal, replaced)
    return _Told(layers or (), into)


def _email(layers: Sequence[Layer], opened: Mapping[str, Opened]) -> object:
    """The e-mail that holds now; None where it is erased, taken away or was never there."""
    contents = [opened[each] if isinstance(each, str) else None for each in layers]
    resets = [() if isinstance(each, str) else each["without"] for each in layers]
    return merged(contents, resets).get("email")
