"""Reads that are never stale: before a row is read, its stream's tail is folded from the log.

So a read right after a command is right whether or not Kafka has brought the event yet; the
projector meets those versions later and skips them.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import asyncpg
from tenacity import retry, retry_if_exception_type, stop_after_attempt

from projections.applying import PAGE_EVENTS_MAX, apply
from projections.log import VersionRange, read_ranges
from projections.projection import SCHEMA, Projection
from projections.read_models import transactions
from projections.stream_states import without_waiting_for_disk
from schemas.events import decode
from schemas.handover import AccountTakenOver
from schemas.profiles import AccountPartTakenOver, ProfileMerged
from schemas.transaction_changes import AttachedTransactionChanged, TransactionUnattached
from schemas.transaction_returns import AttachedGoodsReturned
from schemas.transactions import (
    AttachedTransactionVoided,
    TransactionAttached,
    TransactionLinked,
    TransactionUnlinked,
)

PARKED = "projection_parked"
STREAMS_AT_ONCE_MAX = 20
"""How many streams' tails one transaction folds: with their page size it bounds its memory."""

_NAMING_TRANSACTIONS = (
    TransactionAttached,
    TransactionLinked,
    TransactionUnlinked,
    AttachedTransactionVoided,
    AttachedTransactionChanged,
    AttachedGoodsReturned,
    TransactionUnattached,
    ProfileMerged,
    AccountPartTakenOver,
)

# One statement, so that both numbers are of the same instant. The head comes from the index.
_COMPARE = """
SELECT w.stream_id,
  coalesce(s.stream_version, 0) AS stream_version,
  coalesce(s.position, 0) AS position,
  s.parked_at_version IS NOT NULL AS is_parked,
  (SELECT r.stream_id FROM ledger.reservations r WHERE r.kind = 'merged' AND r.key = w.stream_id)
    AS leads_to,
  coalesce((
    SELECT e.stream_version FROM ledger.events e
    WHERE e.stream_id = w.stream_id ORDER BY e.stream_version DESC LIMIT 1
  ), 0) AS head_version
FROM unnest($1::text[]) AS w(stream_id)
LEFT JOIN {schema}.{streams} s ON s.stream_id = w.stream_id"""

_NAMED_SINCE = """
SELECT e.stream_version, e.position, e.type, e.schema_version, e.payload
FROM ledger.events e
WHERE e.stream_id = $1 AND e.stream_version > $2 AND e.type = ANY($3::text[])
ORDER BY e.stream_version LIMIT $4"""

_REMEMBERED = """
SELECT stream_version, position FROM {schema}.{streams} WHERE stream_id = $1"""

_REMEMBER = """
INSERT INTO {schema}.{streams} AS s (stream_id, stream_version, position) VALUES ($1, $2, $3)
ON CONFLICT (stream_id) DO UPDATE
SET stream_version = $2, position = $3, updated_at = now() WHERE s.stream_version < $2"""


@dataclass(frozen=True, slots=True)
class Freshness:
    """Where in the log the last event stands that was folded of a stream, or of all a list shows.

    A code says why something may be older than that.
    """

    position: int
    stale_code: str | None = None
    leads_to: str | None = None
    """The stream of the account this one has become."""


_one_more_try = retry(
    retry=retry_if_exception_type((asyncpg.DeadlockDetectedError, asyncpg.SerializationError)),
    stop=stop_after_attempt(2),
    reraise=True,
)


class FreshReads:
    """Catches read models up on demand."""

    def __init__(self, pool: "asyncpg.Pool[Any]") -> None:
        """`pool` is of the primary: a standby can't be written to, and lags."""
        self._pool = pool

    async def catch_up(self, projection: Projection, stream_id: str) -> Freshness:
        """Fold what the projection lacks of one stream. A parked stream is stale, not an error."""
        return (await self.catch_up_many(projection, [stream_id]))[stream_id]

    @_one_more_try
    async def catch_up_many(
        self, projection: Projection, stream_ids: Collection[str]
    ) -> Mapping[str, Freshness]:
        """Fold what the projection lacks of several streams."""
        found = await self._compare(projection, list(dict.fromkeys(stream_ids)))
        behind = [row for row in found.values() if _is_behind(row)]
        for start in range(0, len(behind), STREAMS_AT_ONCE_MAX):
            await self._fold_tails(projection, behind[start : start + STREAMS_AT_ONCE_MAX])
        if behind:
            found |= await self._compare(projection, [row["stream_id"] for row in behind])
        return {
            stream_id: Freshness(
                row["position"], PARKED if row["is_parked"] else None, row["leads_to"]
            )
            for stream_id, row in found.items()
        }

    async def catch_up_profile_transactions(self, profile_id: str) -> Freshness:
        """Fold what is lacking of all transactions of a profile.

        The account names them, so only what it has noted since the last time is looked at. What
        is parked is looked at again each time.
        """
        projection, account = transactions.PROJECTION, f"account-{profile_id}"
        remembered = await self._pool.fetchrow(_sql(_REMEMBERED, projection), account)
        after_version, position = remembered or (0, 0)
        remember = True
        while page := await self._named_since(account, after_version):
            named = {f"transaction-{number}" for row in page for number in _transactions(row)}
            fresh = await self.catch_up_many(projection, sorted(named))
            remember = remember and not any(each.stale_code for each in fresh.values())
            after_version, position = page[-1]["stream_version"], page[-1]["position"]
            if remember:
                await self._pool.execute(
                    _sql(_REMEMBER, projection), account, after_version, position
                )
        return Freshness(position, None if remember else PARKED)

    async def _compare(
        self, projection: Projection, stream_ids: Sequence[str]
    ) -> dict[str, Mapping[str, Any]]:
        rows = await self._pool.fetch(_sql(_COMPARE, projection), stream_ids)
        return {row["stream_id"]: row for row in rows}

    async def _fold_tails(
        self, projection: Projection, behind: Sequence[Mapping[str, Any]]
    ) -> None:
        """Fold the tails up to the heads that were seen, a page of each a transaction."""
        left = [
            VersionRange(row["stream_id"], row["stream_version"], row["head_version"])
            for row in behind
        ]
        while left:
            pages = [
                VersionRange(
                    r.stream_id,
                    r.after_version,
                    min(r.up_to_version, r.after_version + PAGE_EVENTS_MAX),
                )
                for r in left
            ]
            async with self._pool.acquire() as connection, connection.transaction():
                await without_waiting_for_disk(connection)
                await apply(connection, projection, await read_ranges(connection, pages))
            left = [
                VersionRange(r.stream_id, page.up_to_version, r.up_to_version)
                for r, page in zip(left, pages, strict=True)
                if page.up_to_version < r.up_to_version
            ]

    async def _named_since(self, account: str, after_version: int) -> list[Any]:
        types = [cls.__name__ for cls in _NAMING_TRANSACTIONS]
        return await self._pool.fetch(_NAMED_SINCE, account, after_version, types, PAGE_EVENTS_MAX)


def _is_behind(row: Mapping[str, Any]) -> bool:
    return row["stream_version"] < row["head_version"] and not row["is_parked"]


def _transactions(row: Mapping[str, Any]) -> Iterable[int]:
    event = decode(row["type"], row["schema_version"], row["payload"])
    assert isinstance(event, _NAMING_TRANSACTIONS)
    return event.transactions if isinstance(event, AccountTakenOver) else (event.transaction_id,)


def _sql(template: str, projection: Projection) -> str:
    return template.format(schema=SCHEMA, streams=projection.streams.name)
