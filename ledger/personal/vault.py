"""Personal data for those at the edge: seal what came in, open what is shown, find, erase.

No decision ever needs it in clear, so only the edge comes here.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal
from uuid import UUID

from ledger.personal.keys import IndexEntry, PersonalKeys, fresh_key
from ledger.personal.master import derived
from ledger.personal.sealing import DataKey, key_id_of, seal, unseal
from ledger.personal.tokens import Kind, Tokenizer

FOUND_MAX: Final = 50

Opened = dict[str, Any] | None
"""What a sealed text holds; None when its key is destroyed."""


@dataclass(frozen=True, slots=True)
class Sealed:
    """A sealed text, and the key that has just sealed it."""

    text: str
    key: DataKey


class Vault:
    """Seals and opens with the keys of one deployment. Make it with `open`."""

    def __init__(self, keys: PersonalKeys, secret: bytes) -> None:
        self.keys = keys
        self.tokenizer = Tokenizer(secret)
        self.fingerprint_key = derived(secret, "fingerprints")
        """The deployment's key for what tells repeats: a copy of the database alone has it not."""

    @classmethod
    async def open(cls, keys: PersonalKeys) -> "Vault":
        """The vault over these keys.

        Raises:
            WrongMasterKey: the database was set up with another master key.
        """
        return cls(keys, await keys.secret())

    async def sealed(self, owner: str, fields: Mapping[str, Any]) -> Sealed:
        """The fields under the owner's key, which is made when there is none."""
        key = (await self.keys.sealing([owner]))[owner]
        return Sealed(seal(fields, key), key)

    async def all_sealed(self, owned: Sequence[tuple[str, Mapping[str, Any]]]) -> Sequence[Sealed]:
        """Many at once, with one look for their keys."""
        keys = await self.keys.sealing({owner for owner, _ in owned})
        return [Sealed(seal(fields, keys[owner]), keys[owner]) for owner, fields in owned]

    def rehearsed(self, fields: Mapping[str, Any]) -> Sealed:
        """The fields under a key that is kept nowhere: for a dry run, which leaves nothing."""
        key = fresh_key()
        return Sealed(seal(fields, key), key)

    async def opened(
        self, sealed: Iterable[str], at_hand: Collection[DataKey] = ()
    ) -> Mapping[str, Opened]:
        """What each sealed text holds. Keys at hand need not be looked for.

        Raises:
            Unopenable: a text is damaged.
        """
        wanted = {text: key_id_of(text) for text in sealed}
        keys = {key.key_id: key for key in at_hand}
        missing = set(wanted.values()) - set(keys)
        if missing:
            keys |= await self.keys.opening(missing)
        return {
            text: unseal(text, keys[key_id]) if key_id in keys else None
            for text, key_id in wanted.items()
        }

    async def index(self, owner: str, key_id: UUID, texts: Iterable[tuple[Kind, str]]) -> None:
        """Let an owner be found by these texts."""
        tokens = {
            (kind, token) for kind, text in texts for token in self.tokenizer.tokens(kind, text)
        }
        if tokens:
            await self.keys.index(owner, key_id, tokens)

    async def search(self, kind: Kind, text: str, limit: int = FOUND_MAX) -> Sequence[IndexEntry]:
        """Whom a text may mean, best first. A hit says little: look at the opened data."""
        tokens = self.tokenizer.tokens(kind, text)
        if not tokens:
            return []
        found = list(await self.keys.find(kind, tokens, limit))
        if kind != "name":
            return found
        # Whose name has all the words, however many there are who have some of the letters.
        same = await self.keys.find_all(kind, self.tokenizer.whole_words(text), limit)
        known = {each.key_id for each in same}
        return [*same, *(each for each in found if each.key_id not in known)][:limit]

    async def search_each(
        self, kind: Literal["email", "identity"], texts: Collection[str], limit: int
    ) -> Mapping[str, Sequence[IndexEntry]]:
        """The same for each of many texts that are looked for as a whole."""
        tokens = {text: self.tokenizer.tokens(kind, text) for text in texts}
        wanted = {token for each in tokens.values() for token in each}
        found = await self.keys.find_each(kind, wanted, limit) if wanted else {}
        return {
            text: [entry for token in each for entry in found.get(token, ())]
            for text, each in tokens.items()
        }

    def identity_name(self, handle: str, identifier: str) -> str:
        """The name under which an identity is unique across all profiles, in hexadecimal."""
        return self.tokenizer.identity_name(handle, identifier)
