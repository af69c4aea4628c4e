"""Imports as they are kept: the file sealed, and how far each has come.

Whoever has the row locked by nobody's hand but the worker's changes its progress; a row that is
deleted meanwhile is an import that is called off.
"""

import asyncio
import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import asyncpg
import orjson

from ledger.imports.run import Tally
from ledger.personal.keys import nobody
from ledger.personal.sealing import DataKey, seal, unseal
from ledger.personal.vault import Vault

PART_BYTES: Final = 256 * 1024
REJECTED_PART_ROWS: Final = 2_000
FORGOTTEN_MAX: Final = 100

Row = Mapping[str, Any]
Rejected = tuple[int, str]
"""A rejected line's number, and its row of the file of rejected rows."""

_ADD: Final = """
INSERT INTO ledger.imports (client, actor, key, fingerprint, digest, columns, handler, dry_run,
  create_profiles, limited, key_id)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
ON CONFLICT (client, key) DO NOTHING RETURNING *"""
_PARTS: Final = """
INSERT INTO ledger.import_parts SELECT $1, $2, n.number, n.sealed
FROM unnest($3::integer[], $4::text[]) AS n(number, sealed)"""
_NEXT: Final = """
UPDATE ledger.imports SET begun = true WHERE id = (
  SELECT id FROM ledger.imports WHERE phase IN ('checking', 'writing') ORDER BY id LIMIT 1)
RETURNING *"""
_PROGRESS: Final = """
UPDATE ledger.imports SET count = greatest(count, $2), done = $2, written = $3, failed_count = $4,
  totals = coalesce($5, totals) WHERE id = $1 RETURNING true"""
_CONFIRM: Final = """
UPDATE ledger.imports SET phase = 'writing', begun = false, done = 0, phase_at = now()
WHERE id = $1 AND phase = 'checked' AND key_id IS NOT NULL"""
_PHASE: Final = """
UPDATE ledger.imports SET phase = $2, begun = false, fault = $3, phase_at = now(), key_id = $4
WHERE id = $1"""
_OLD: Final = """
SELECT id, phase FROM ledger.imports
WHERE key_id IS NOT NULL AND phase NOT IN ('checking', 'writing') AND phase_at < $1
ORDER BY phase_at LIMIT $2"""


@dataclass(frozen=True, slots=True)
class NewImport:
    """What came in."""

    client: str
    actor: str
    key: str | None
    fingerprint: bytes
    digest: str
    columns: Sequence[str]
    handler: str
    dry_run: bool
    create_profiles: bool
    limited: bool
    content: bytes


class KeptImports:
    """On PostgreSQL. Each import has one key, and nothing of its file is left when that is gone."""

    def __init__(self, pool: "asyncpg.Pool[Any]", vault: Vault) -> None:
        self._pool = pool
        self._vault = vault

    async def add(self, new: NewImport) -> Row | None:
        """Keep it; None if its client has used the key before."""
        owner = nobody()
        key = (await self._vault.keys.sealing([owner]))[owner]
        parts = await asyncio.to_thread(_sealed_parts, new.content, key)
        values = [getattr(new, name) for name in NewImport.__slots__ if name != "content"]
        async with self._pool.acquire() as connection, connection.transaction():
            row: Row | None = await connection.fetchrow(_ADD, *values, key.key_id)
            if row is not None:
                await connection.execute(_PARTS, row["id"], "file", *_numbered(parts))
        if row is None:
            await self._vault.keys.destroy([key.key_id])
        return row

    async def under_key(self, client: str, key: str) -> Row | None:
        """The import a client has sent under this key."""
        row: Row | None = await self._pool.fetchrow(
            "SELECT * FROM ledger.imports WHERE client = $1 AND key = $2", client, key
        )
        return row

    async def read(self, import_id: int) -> Row | None:
        """One import."""
        row: Row | None = await self._pool.fetchrow(
            "SELECT * FROM ledger.imports WHERE id = $1", import_id
        )
        return row

    async def next(self) -> Row | None:
        """The oldest that has work left, begun from now on."""
        row: Row | None = await self._pool.fetchrow(_NEXT)
        return row

    async def checked_so_far(self, import_id: int, tally: Tally) -> bool:
        """Say how far the check is, and what it found; False when the import was called off."""
        totals = [
            {"definition": number, "rewards": of.rewards, "value_minor": of.value_minor}
            for number, of in sorted(tally.definitions.items())
        ]
        said = orjson.dumps(totals).decode()
        return await self._progress(import_id, tally, tally.done_before, tally.rejected, said)

    async def written_so_far(self, import_id: int, tally: Tally, failed_before: int) -> bool:
        """Say how far the writing is; False when the import was called off."""
        written, failed = tally.good + tally.done_before, failed_before + tally.rejected
        return await self._progress(import_id, tally, written, failed, None)

    async def _progress(
        self, import_id: int, tally: Tally, written: int, failed: int, totals: str | None
    ) -> bool:
        found = await self._pool.fetchval(_PROGRESS, import_id, tally.rows, written, failed, totals)
        return bool(found)

    async def end_phase(
        self, row: Row, phase: str, rejected: Sequence[Rejected] = (), fault: str | None = None
    ) -> None:
        """The next phase, and the rejected rows of this one, in one transaction.

        What needs its file no more has no file left; without rejected rows it has no key left.
        """
        import_id, key_id = row["id"], _uuid(row["key_id"])
        key = (await self._vault.keys.opening([key_id])).get(key_id)
        parts = [] if key is None else await asyncio.to_thread(_sealed_rows, rejected, key)
        over = phase in ("written", "failed")
        async with self._pool.acquire() as connection, connection.transaction():
            first = await connection.fetchval(
                "SELECT count(*) FROM ledger.import_parts WHERE import_id = $1 AND kind = $2",
                import_id,
                "rejected",
            )
            numbers, sealed = _numbered(parts, first)
            # An import that was called off meanwhile takes no parts any more.
            if not await connection.fetchval(
                "SELECT true FROM ledger.imports WHERE id = $1 FOR UPDATE", import_id
            ):
                return
            await connection.execute(_PARTS, import_id, "rejected", numbers, sealed)
            if over:
                await connection.execute(
                    "DELETE FROM ledger.import_parts WHERE import_id = $1 AND kind = 'file'",
                    import_id,
                )
            left = None if over and not (first or parts) else key_id
            await connection.execute(_PHASE, import_id, phase, fault, left)
        if left is None:
            await self._vault.keys.destroy([key_id])

    async def confirm(self, import_id: int) -> None:
        """Let what is checked be written; again is fine."""
        await self._pool.execute(_CONFIRM, import_id)

    async def delete(self, row: Row) -> None:
        """Call it off, or forget it: its key first, so that nobody reads its file any more."""
        if row["key_id"] is not None:
            await self._vault.keys.destroy([_uuid(row["key_id"])])
        await self._pool.execute("DELETE FROM ledger.imports WHERE id = $1", row["id"])

    async def forget(self, before: datetime) -> None:
        """Leave nothing of the files and rejected rows of imports that ended before this."""
        for old in await self._pool.fetch(_OLD, before, FORGOTTEN_MAX):
            row = await self.read(old["id"])
            if row is None or row["key_id"] is None:
                continue
            await self._vault.keys.destroy([_uuid(row["key_id"])])
            waited = row["phase"] == "checked"
            phase = "failed" if waited else row["phase"]
            fault = "It was not confirmed in time." if waited else row["fault"]
            await self._pool.execute(
                "DELETE FROM ledger.import_parts WHERE import_id = $1", row["id"]
            )
            await self._pool.execute(_PHASE, row["id"], phase, fault, None)

    async def content(self, row: Row) -> bytes | None:
        """The file; None when its key is destroyed."""
        parts = await self._opened(row, "file")
        return None if parts is None else b"".join(base64.b64decode(p["part"]) for p in parts)

    async def rejected(self, row: Row) -> list[Rejected] | None:
        """The rejected rows so far; None when they are forgotten."""
        parts = await self._opened(row, "rejected")
        if parts is None:
            return None
        return [(number, text) for part in parts for number, text in part["rows"]]

    async def _opened(self, row: Row, kind: str) -> list[dict[str, Any]] | None:
        if row["key_id"] is None:
            return None
        key_id = _uuid(row["key_id"])
        key = (await self._vault.keys.opening([key_id])).get(key_id)
        if key is None:
            return None
        found = await self._pool.fetch(
            "SELECT sealed FROM ledger.import_parts WHERE import_id = $1 AND kind = $2"
            " ORDER BY number",
            row["id"],
            kind,
        )
        return await asyncio.to_thread(lambda: [unseal(part["sealed"], key) for part in found])


def _sealed_parts(content: bytes, key: DataKey) -> list[str]:
    starts = range(0, len(content), PART_BYTES)
    parts = (base64.b64encode(content[at : at + PART_BYTES]).decode() for at in starts)
    return [seal({"part": part}, key) for part in parts]


def _sealed_rows(rows: Sequence[Rejected], key: DataKey) -> list[str]:
    starts = range(0, len(rows), REJECTED_PART_ROWS)
    return [seal({"rows": rows[at : at + REJECTED_PART_ROWS]}, key) for at in starts]


def _numbered(parts: Sequence[str], first: int = 0) -> tuple[list[int], list[str]]:
    return list(range(first, first + len(parts))), list(parts)


def _uuid(value: Any) -> UUID:
    """The driver's own kind of UUID as Python's."""
    return UUID(bytes=value.bytes)
