"""The keys on PostgreSQL, each wrapped by the master key that the database never sees."""

import os
from collections.abc import Collection, Mapping, Sequence
from typing import Any
from uuid import UUID

import asyncpg
import orjson

from ledger.personal.keys import ANONYMOUS, IndexEntry, fresh_key
from ledger.personal.master import CHECK_BYTES, MasterKeys
from ledger.personal.sealing import KEY_BYTES, DataKey

SECRET_NAME = b"secret"
REWRAPPED_MAX = 1_000
"""So many keys change their master key in one transaction."""

OF_A_TOKEN_MAX = 5_000
"""So many owners of one token are looked at: no search reads more than this, times its tokens."""

# Both are answered by the index alone, but for the owners of what is found.
FIND = """
SELECT k.owner, k.key_id, f.hits FROM (
  SELECT i.key_id, count(*) AS hits FROM unnest($2::bytea[]) AS w(token)
  CROSS JOIN LATERAL (
    SELECT x.key_id FROM ledger.personal_index x WHERE x.kind = $1 AND x.token = w.token LIMIT $4
  ) i GROUP BY i.key_id ORDER BY hits DESC, i.key_id LIMIT $3) f
JOIN ledger.personal_keys k USING (key_id) ORDER BY f.hits DESC, k.owner"""
FIND_ALL = """
SELECT k.owner, k.key_id, f.hits FROM (
  SELECT i.key_id, 1 + cardinality($3::bytea[]) AS hits FROM (
    SELECT x.key_id FROM ledger.personal_index x WHERE x.kind = $1 AND x.token = $2 LIMIT $5) i
  WHERE NOT EXISTS (
    SELECT FROM unnest($3::bytea[]) AS w(token) WHERE NOT EXISTS (
      SELECT FROM ledger.personal_index o
      WHERE o.kind = $1 AND o.token = w.token AND o.key_id = i.key_id))
  LIMIT $4) f
JOIN ledger.personal_keys k USING (key_id) ORDER BY k.owner"""

_OTHERS = """
SELECT key_id, wrapped FROM ledger.personal_keys
WHERE key_id > $1 AND destroyed_at IS NULL AND substr(wrapped, 1, octet_length($2::bytea)) <> $2
ORDER BY key_id LIMIT $3 FOR UPDATE"""
_ERASURES = """
SELECT e.payload FROM (SELECT DISTINCT stream_id FROM ledger.reservations WHERE kind = 'erasure') r
JOIN ledger.events e ON e.stream_id = r.stream_id AND e.type = 'PersonalDataErased'"""
_REWRAP = """
UPDATE ledger.personal_keys k SET wrapped = n.wrapped
FROM unnest($1::uuid[], $2::bytea[]) AS n(key_id, wrapped)
WHERE k.key_id = n.key_id AND k.destroyed_at IS NULL"""


class PostgresKeys:
    """See the port. It works on a pool that others use too."""

    def __init__(self, pool: "asyncpg.Pool[Any]", master: MasterKeys) -> None:
        self._pool = pool
        self._master = master

    async def secret(self) -> bytes:
        """See the port."""
        offered = self._master.wrap(os.urandom(KEY_BYTES), SECRET_NAME)
        await self._pool.execute(
            "INSERT INTO ledger.personal_secret (wrapped) SELECT $1 WHERE NOT EXISTS "
            "(SELECT FROM ledger.personal_secret) ON CONFLICT DO NOTHING",
            offered,
        )
        wrapped = await self._pool.fetchval("SELECT wrapped FROM ledger.personal_secret")
        return self._master.unwrap(wrapped, SECRET_NAME)

    async def is_set_up(self) -> bool:
        """Whether this database has been used with a master key; changes nothing.

        Raises:
            WrongMasterKey: with another one.
        """
        wrapped = await self._pool.fetchval("SELECT wrapped FROM ledger.personal_secret")
        if wrapped is not None:
            self._master.unwrap(wrapped, SECRET_NAME)
        return wrapped is not None

    async def sealing(self, owners: Collection[str]) -> Mapping[str, DataKey]:
        """See the port."""
        named = list(dict.fromkeys(owners))
        offered = [fresh_key() for _ in named]
        rows = await self._pool.fetch(
            "SELECT owner, key_id, wrapped FROM ledger.sealing_keys($1, $2, $3)",
            named,
            [key.key_id for key in offered],
            [self._master.wrap(key.secret, key.key_id.bytes) for key in offered],
        )
        return {row["owner"]: self._unwrapped(row) for row in rows}

    async def opening(self, key_ids: Collection[UUID]) -> Mapping[UUID, DataKey]:
        """See the port."""
        rows = await self._pool.fetch(
            "SELECT key_id, wrapped FROM ledger.personal_keys "
            "WHERE key_id = ANY($1) AND destroyed_at IS NULL",
            list(key_ids),
        )
        keys = map(self._unwrapped, rows)
        return {key.key_id: key for key in keys}

    async def living(self, owners: Collection[str], key_ids: Collection[UUID]) -> Sequence[UUID]:
        """See the port."""
        rows = await self._pool.fetch(
            "SELECT key_id FROM ledger.personal_keys WHERE destroyed_at IS NULL "
            "AND (owner = ANY($1) OR (key_id = ANY($2) AND starts_with(owner, $3))) "
            "ORDER BY created_at, key_id",
            list(owners),
            list(key_ids),
            ANONYMOUS,
        )
        return [_uuid(row["key_id"]) for row in rows]

    async def destroy(self, key_ids: Collection[UUID]) -> Sequence[UUID]:
        """See the port."""
        rows = await self._pool.fetch(
            "SELECT key_id FROM ledger.destroy_keys($1) AS d(key_id)", list(key_ids)
        )
        return [_uuid(row["key_id"]) for row in rows]

    async def index(self, owner: str, key_id: UUID, tokens: Collection[tuple[str, bytes]]) -> None:
        """See the port."""
        kinds, values = [kind for kind, _ in tokens], [token for _, token in tokens]
        await self._pool.execute(
            "SELECT ledger.index_personal($1, $2, $3, $4)", key_id, owner, kinds, values
        )

    async def find(self, kind: str, tokens: Collection[bytes], limit: int) -> Sequence[IndexEntry]:
        """See the port."""
        rows = await self._pool.fetch(FIND, kind, list(tokens), limit, OF_A_TOKEN_MAX)
        return list(map(_entry, rows))

    async def find_all(
        self, kind: str, tokens: Sequence[bytes], limit: int
    ) -> Sequence[IndexEntry]:
        """See the port."""
        rest = list(tokens[1:])
        rows = await self._pool.fetch(FIND_ALL, kind, tokens[0], rest, limit, OF_A_TOKEN_MAX)
        return list(map(_entry, rows))

    async def find_each(
        self, kind: str, tokens: Collection[bytes], limit: int
    ) -> Mapping[bytes, Sequence[IndexEntry]]:
        """See the port."""
        found: dict[bytes, list[IndexEntry]] = {}
        for row in await self._pool.fetch(
            "SELECT t.token, i.owner, i.key_id FROM unnest($2::bytea[]) AS t(token) "
            "CROSS JOIN LATERAL (SELECT owner, key_id FROM ledger.personal_index i "
            "WHERE i.kind = $1 AND i.token = t.token LIMIT $3) AS i",
            kind,
            list(tokens),
            limit,
        ):
            entry = IndexEntry(row["owner"], _uuid(row["key_id"]), 1)
            found.setdefault(row["token"], []).append(entry)
        return found

    async def recorded_erasures(self) -> Sequence[UUID]:
        """The keys of every erasure the log tells of, destroyed or not."""
        rows = await self._pool.fetch(_ERASURES)
        return [UUID(key) for row in rows for key in orjson.loads(row["payload"])["keys"]]

    async def rewrap(self) -> int:
        """Wrap what an earlier master key has wrapped with the current one; how many there were.

        It can be stopped at any time and called again: what is done stays done.
        """
        done, after = 0, UUID(int=0)
        while True:
            async with self._pool.acquire() as connection, connection.transaction():
                rows = await connection.fetch(_OTHERS, after, self._master.check, REWRAPPED_MAX)
                await connection.execute(
                    _REWRAP,
                    [row["key_id"] for row in rows],
                    [self._rewrapped(row["wrapped"], row["key_id"].bytes) for row in rows],
                )
            if not rows:
                return done + await self._rewrap_secret()
            done, after = done + len(rows), rows[-1]["key_id"]

    async def _rewrap_secret(self) -> int:
        async with self._pool.acquire() as connection, connection.transaction():
            wrapped = await connection.fetchval(
                "SELECT wrapped FROM ledger.personal_secret FOR UPDATE"
            )
            if wrapped is None or wrapped[:CHECK_BYTES] == self._master.check:
                return 0
            await connection.execute(
                "UPDATE ledger.personal_secret SET wrapped = $1",
                self._rewrapped(wrapped, SECRET_NAME),
            )
            return 1

    def _rewrapped(self, wrapped: bytes, name: bytes) -> bytes:
        return self._master.wrap(self._master.unwrap(wrapped, name), name)

    def _unwrapped(self, row: Any) -> DataKey:
        key_id = _uuid(row["key_id"])
        return DataKey(key_id, self._master.unwrap(row["wrapped"], key_id.bytes))


def _entry(row: Any) -> IndexEntry:
    return IndexEntry(row["owner"], _uuid(row["key_id"]), row["hits"])


def _uuid(value: Any) -> UUID:
    """The driver's own kind of UUID as Python's."""
    return UUID(bytes=value.bytes)
