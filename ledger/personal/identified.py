"""Whom an identity means: looked up, and never guessed."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final, Protocol

from ledger.claims import MERGED
from ledger.commands.identities import IDENTITY
from ledger.event_store.port import EventStore
from ledger.personal.keys import ANONYMOUS, IndexEntry
from ledger.personal.tokens import EMAIL
from ledger.personal.vault import Opened, Vault
from ledger.streams import account_stream, event_of
from schemas.envelope import Recorded
from schemas.personal import Layer, laid_on, merged
from schemas.profiles import ProfileRegistered
from schemas.registrations import ProfileChanged

OWNERS_MAX: Final = 10
_ACCOUNT: Final = account_stream("")
_TELLING: Final = {each.__name__ for each in (ProfileRegistered, ProfileChanged)}

Identity = tuple[str, str]
"""A handle and an identifier, such as ("email", "ada@example.org")."""


class ProfilesByIdentity(Protocol):
    """Finds profiles."""

    async def __call__(self, identities: Collection[Identity]) -> Mapping[Identity, str]:
        """The profile's id of each identity that is somebody's, and of no more than one."""
        ...


class IdentifiedProfiles:
    """By the identities of profiles; an e-mail also by that of the profile itself.

    Who has become another profile is that one. However many are asked for, the store and the index
    are looked at a few times.
    """

    def __init__(self, vault: Vault, store: EventStore) -> None:
        self._vault = vault
        self._store = store

    async def __call__(self, identities: Collection[Identity]) -> Mapping[Identity, str]:
        """See `ProfilesByIdentity`."""
        by_name = await self._by_name(identities)
        emails = [each[1] for each in identities if each[0] == EMAIL and each not in by_name]
        by_email = await self._by_email(emails) if emails else {}
        owners = {*by_name.values(), *(owner for each in by_email.values() for owner in each)}
        now = await self._now(owners)
        found = {identity: now[owner] for identity, owner in by_name.items()}
        for email, having in by_email.items():
            if len(same := {now[owner] for owner in having}) == 1:
                found[EMAIL, email] = same.pop()
        return found

    async def _by_name(self, identities: Collection[Identity]) -> dict[Identity, str]:
        names = {each: (IDENTITY, self._vault.identity_name(*each)) for each in identities}
        claims = await self._store.claims(sorted(set(names.values()))) if names else {}
        return {
            identity: claims[name].stream_id.removeprefix(_ACCOUNT)
            for identity, name in names.items()
            if name in claims
        }

    async def _by_email(self, emails: Collection[str]) -> dict[str, Sequence[str]]:
        """The index says little: it keeps what was refused and what has changed since. So the
        profiles themselves are looked at."""
        entries = await self._vault.search_each("email", emails, limit=OWNERS_MAX + 1)
        candidates = {email: _owners(entries[email]) for email in emails}
        told = await self._told({owner for owners in candidates.values() for owner in owners})
        opened = await self._vault.opened(
            each for layers in told.values() for each in layers if isinstance(each, str)
        )
        return {
            email: [own for own in owners if self._same(email, _email(told[own], opened))]
            for email, owners in candidates.items()
        }

    async def _told(self, owners: Collection[str]) -> dict[str, Sequence[Layer]]:
        """What the log tells of each, sealed."""
        if not owners:
            return {}
        streams = {account_stream(owner): owner for owner in owners}
        histories = await self._store.read_streams(sorted(streams))
        return {owner: _layers(histories[stream]) for stream, owner in streams.items()}

    async def _now(self, owners: Collection[str]) -> dict[str, str]:
        """Whom each has become."""
        now = {owner: account_stream(owner) for owner in owners}
        while ahead := sorted({(MERGED, stream) for stream in now.values()}):
            claims = await self._store.claims(ahead)
            if not claims:
                break
            into = {name[1]: claim.stream_id for name, claim in claims.items()}
            now = {owner: into.get(stream, stream) for owner, stream in now.items()}
        return {owner: stream.removeprefix(_ACCOUNT) for owner, stream in now.items()}

    def _same(self, one: str, other: object) -> bool:
        tokens = self._vault.tokenizer.tokens
        return isinstance(other, str) and tokens("email", one) == tokens("email", other)


def _owners(entries: Sequence[IndexEntry]) -> set[str]:
    """Whoever the index names; nobody where it names too many to look at each."""
    if len(entries) > OWNERS_MAX:
        return set()
    return {each.owner for each in entries if not each.owner.startswith(ANONYMOUS)}


def _layers(history: Iterable[Recorded]) -> Sequence[Layer]:
    layers: list[Layer] | None = None
    for recorded in history:
        if recorded.type not in _TELLING:
            continue
        event = event_of(recorded)
        replaced = event.replaced if isinstance(event, ProfileChanged) else ()
        layers = laid_on(layers, event.personal, replaced)
    return layers or ()


def _email(layers: Sequence[Layer], opened: Mapping[str, Opened]) -> object:
    """The e-mail that holds now; None where it is erased, taken away or was never there."""
    contents = [opened[each] if isinstance(each, str) else None for each in layers]
    resets = [() if isinstance(each, str) else each["without"] for each in layers]
    return merged(contents, resets).get("email")
