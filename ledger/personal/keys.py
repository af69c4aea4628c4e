"""Where the keys of personal data are kept: the port, and a keeper in memory for tests."""

import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol
from uuid import UUID, uuid4

from ledger.personal.sealing import KEY_BYTES, DataKey

ANONYMOUS = "anonymous:"
"""Before an owner that is no profile: a sale of nobody's. No profile id has a colon."""


def nobody() -> str:
    """An owner for one sale of nobody's."""
    return f"{ANONYMOUS}{uuid4()}"


def fresh_key() -> DataKey:
    """A new key, kept nowhere yet."""
    return DataKey(uuid4(), os.urandom(KEY_BYTES))


@dataclass(frozen=True, slots=True)
class IndexEntry:
    """A token a profile is found by, with the key that opens what it was made from."""

    owner: str
    key_id: UUID
    hits: int
    """How many of the tokens asked for it has."""


class PersonalKeys(Protocol):
    """Keys by owner and by id, and the tokens that go with a key.

    Nothing here is cached: a destroyed key must not open anything a moment later.
    """

    async def secret(self) -> bytes:
        """The deployment's own secret; made when there is none.

        Raises:
            WrongMasterKey: the database was set up with another master key.
        """
        ...

    async def sealing(self, owners: Collection[str]) -> Mapping[str, DataKey]:
        """The live key of each owner; made for those who have none."""
        ...

    async def opening(self, key_ids: Collection[UUID]) -> Mapping[UUID, DataKey]:
        """Those of the keys that are not destroyed."""
        ...

    async def living(self, owners: Collection[str], key_ids: Collection[UUID]) -> Sequence[UUID]:
        """The live keys of these owners, and which of `key_ids` live and are of nobody's."""
        ...

    async def destroy(self, key_ids: Collection[UUID]) -> Sequence[UUID]:
        """Destroy keys and forget their tokens; which of them still lived. Again is fine."""
        ...

    async def index(self, owner: str, key_id: UUID, tokens: Collection[tuple[str, bytes]]) -> None:
        """Let an owner be found by (kind, token)s, as long as the key lives."""
        ...

    async def find(self, kind: str, tokens: Collection[bytes], limit: int) -> Sequence[IndexEntry]:
        """Who has most of these tokens, best first. Of a token that very many have, only some are
        counted: the rare ones decide."""
        ...

    async def find_all(
        self, kind: str, tokens: Sequence[bytes], limit: int
    ) -> Sequence[IndexEntry]:
        """Who has all of these tokens; of those who have the first, which should be the rarest."""
        ...

    async def find_each(
        self, kind: str, tokens: Collection[bytes], limit: int
    ) -> Mapping[bytes, Sequence[IndexEntry]]:
        """Who has each of these tokens, with one look; no more than so many of each."""
        ...


@dataclass
class MemoryKeys:
    """All of it in one process, for tests."""

    _secret: bytes = field(default_factory=lambda: os.urandom(KEY_BYTES))
    _live: dict[str, DataKey] = field(default_factory=dict)
    _tokens: set[tuple[str, bytes, UUID, str]] = field(default_factory=set)

    async def secret(self) -> bytes:
        """See the port."""
        return self._secret

    async def sealing(self, owners: Collection[str]) -> Mapping[str, DataKey]:
        """See the port."""
        return {owner: self._live.setdefault(owner, fresh_key()) for owner in owners}

    async def opening(self, key_ids: Collection[UUID]) -> Mapping[UUID, DataKey]:
        """See the port."""
        return {key.key_id: key for key in self._live.values() if key.key_id in key_ids}

    async def living(self, owners: Collection[str], key_ids: Collection[UUID]) -> Sequence[UUID]:
        """See the port."""
        return [
            key.key_id
            for owner, key in self._live.items()
            if owner in owners or (owner.startswith(ANONYMOUS) and key.key_id in key_ids)
        ]

    async def destroy(self, key_ids: Collection[UUID]) -> Sequence[UUID]:
        """See the port."""
        dead = {owner: key for owner, key in self._live.items() if key.key_id in key_ids}
        for owner in dead:
            del self._live[owner]
        self._tokens = {each for each in self._tokens if each[2] not in key_ids}
        return [key.key_id for key in dead.values()]

    async def index(self, owner: str, key_id: UUID, tokens: Collection[tuple[str, bytes]]) -> None:
        """See the port."""
        if key_id in await self.opening([key_id]):
            self._tokens |= {(kind, token, key_id, owner) for kind, token in tokens}

    async def find(self, kind: str, tokens: Collection[bytes], limit: int) -> Sequence[IndexEntry]:
        """See the port."""
        hits: dict[tuple[str, UUID], int] = {}
        for of_kind, token, key_id, owner in self._tokens:
            if of_kind == kind and token in tokens:
                hits[(owner, key_id)] = hits.get((owner, key_id), 0) + 1
        ranked = sorted(hits.items(), key=lambda each: (-each[1], each[0][0]))
        return [IndexEntry(owner, key_id, count) for (owner, key_id), count in ranked[:limit]]

    async def find_all(
        self, kind: str, tokens: Sequence[bytes], limit: int
    ) -> Sequence[IndexEntry]:
        """See the port."""
        having = await self.find(kind, tokens, len(self._tokens))
        return [each for each in having if each.hits == len(tokens)][:limit]

    async def find_each(
        self, kind: str, tokens: Collection[bytes], limit: int
    ) -> Mapping[bytes, Sequence[IndexEntry]]:
        """See the port."""
        return {
            token: found for token in tokens if (found := await self.find(kind, [token], limit))
        }
