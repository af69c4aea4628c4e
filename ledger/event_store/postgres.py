"""The event store on PostgreSQL: one call per group, which holds no lock after it."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import asyncpg
import orjson
import structlog

from ledger.event_store.faults import FAULTS, meaning
from ledger.event_store.group_check import check_group
from ledger.event_store.port import (
    NEW_IDS_MAX,
    Append,
    Claim,
    CommandRecord,
    Committed,
    Conflicted,
    EventStoreBroken,
    Payload,
    StreamHead,
)
from ledger.event_store.writer import Writer
from schemas.envelope import Recorded

APPEND_SECONDS_MAX = 10.0
READ_SECONDS_MAX = 10.0
WATCHDOG_SECONDS_MAX = 2.0

_PARAMETERS = ", ".join(f"${n}" for n in range(1, 30))
_APPEND = f"CALL ledger.append_batch_tx({_PARAMETERS}, NULL, NULL, NULL, NULL)"
_COLUMNS = (
    "position, stream_id, stream_version, type, schema_version, payload, command_id, "
    "correlation_id, causation_id, occurred_at, recorded_at, actor, batch_index, batch_size, chain"
)
_READING = {
    "application_name": "ledger-reader",
    # A kept plan may be from a time when the tables were small.
    "plan_cache_mode": "force_custom_plan",
}

log = structlog.get_logger()


class PostgresEventStore:
    """Open it with `connect`, close it with `close`. Reads use a pool, appends one connection."""

    def __init__(self, dsn: str, pool: "asyncpg.Pool[Any]") -> None:
        self._writer = Writer(dsn, APPEND_SECONDS_MAX)
        self._pool = pool

    @classmethod
    async def connect(cls, dsn: str) -> "PostgresEventStore":
        """A store on a migrated database.

        Raises:
            EventStoreUnavailable: the database is down.
            EventStoreBroken: it is not migrated, or does not let us in; the message says more.
        """
        try:
            pool = await asyncpg.create_pool(
                dsn, min_size=1, max_size=8, timeout=READ_SECONDS_MAX, server_settings=_READING
            )
        except ValueError as error:
            raise EventStoreBroken(f"the database URL can't be used: {error}") from error
        except FAULTS as error:
            raise meaning(error) from error
        store = cls(dsn, pool)
        try:
            await store.incarnation()
        except BaseException:
            pool.terminate()
            raise
        return store

    async def close(self) -> None:
        """Give all connections back."""
        self._writer.discard()
        await self._pool.close()

    async def append(self, group: Append) -> Committed | Conflicted:
        """See the port."""
        check_group(group)
        try:
            row = await self._writer.call(_APPEND, group.append_id, *_arrays(group))
        except FAULTS as error:
            if isinstance(error, (TimeoutError, asyncpg.LockNotAvailableError)):
                await self._end_stale_writer()
            raise meaning(error) from error
        if row["o_conflicts"] is None:
            return Committed(row["o_first"], row["o_count"], row["o_recorded"])
        return _conflicted(orjson.loads(row["o_conflicts"]))

    async def _end_stale_writer(self) -> None:
        """Whoever sits on the lock would make every append time out: end it, so that the next
        try gets through."""
        try:
            async with asyncio.timeout(WATCHDOG_SECONDS_MAX):
                ended = await self._pool.fetchval("SELECT ledger.end_stale_writer()")
        except FAULTS as error:
            log.warning("stale_writer_not_ended", error=str(meaning(error)))
        else:
            log.warning("append_timed_out", stale_writers_ended=ended)

    async def read_streams(self, stream_ids: Sequence[str]) -> Mapping[str, Sequence[Recorded]]:
        """See the port."""
        streams: dict[str, list[Recorded]] = {stream_id: [] for stream_id in stream_ids}
        query = (
            f"SELECT {_COLUMNS} FROM unnest($1::text[]) AS w(stream_id) "  # noqa: S608
            "JOIN ledger.events USING (stream_id) ORDER BY stream_id, stream_version"
        )
        for recorded in await self._events(query, list(streams)):
            streams[recorded.stream_id].append(recorded)
        return streams

    async def payloads(self, after: Mapping[str, int]) -> Mapping[str, Sequence[Payload]]:
        """See the port."""
        streams: dict[str, list[Payload]] = {stream_id: [] for stream_id in after}
        query = (
            f"SELECT {', '.join(Payload._fields)} "  # noqa: S608
            "FROM unnest($1::text[], $2::integer[]) AS w(stream_id, after) "
            "JOIN ledger.events USING (stream_id) WHERE stream_version > w.after "
            "ORDER BY stream_id, stream_version"
        )
        for row in await self._fetch(query, list(after), list(after.values())):
            payload = Payload(*row)
            streams[payload.stream_id].append(payload)
        return streams

    async def read_stream(
        self, stream_id: str, *, after_version: int = 0, limit: int = 1_000
    ) -> Sequence[Recorded]:
        """See the port."""
        query = (
            f"SELECT {_COLUMNS} FROM ledger.events WHERE stream_id = $1 "  # noqa: S608
            "AND stream_version > $2 ORDER BY stream_version LIMIT $3"
        )
        return await self._events(query, stream_id, after_version, limit)

    async def last_events(self, stream_ids: Sequence[str]) -> Mapping[str, Recorded]:
        """See the port."""
        query = (
            f"SELECT {_COLUMNS} FROM (SELECT e.* FROM unnest($1::text[]) AS w(stream_id) "  # noqa: S608
            "CROSS JOIN LATERAL (SELECT * FROM ledger.events e WHERE e.stream_id = w.stream_id "
            "ORDER BY e.stream_version DESC LIMIT 1) e) AS last"
        )
        return {e.stream_id: e for e in await self._events(query, list(stream_ids))}

    async def read_log(self, *, after_position: int, limit: int) -> Sequence[Recorded]:
        """See the port."""
        query = (
            f"SELECT {_COLUMNS} FROM ledger.events WHERE position > $1 "  # noqa: S608
            "ORDER BY position LIMIT $2"
        )
        return await self._events(query, after_position, limit)

    async def head(self) -> int:
        """See the port."""
        (row,) = await self._fetch("SELECT coalesce(max(position), 0) AS head FROM ledger.events")
        return int(row["head"])

    async def incarnation(self) -> UUID:
        """See the port."""
        (row,) = await self._fetch("SELECT incarnation FROM ledger.log")
        return UUID(str(row["incarnation"]))

    async def claims(self, names: Sequence[tuple[str, str]]) -> Mapping[tuple[str, str], Claim]:
        """See the port."""
        rows = await self._fetch(
            "SELECT kind, key, stream_id, fingerprint FROM unnest($1::text[], $2::text[]) "
            "AS x(kind, key) JOIN ledger.reservations USING (kind, key)",
            *_columns(names),
        )
        return {(r["kind"], r["key"]): Claim(**dict(r)) for r in rows}

    async def records(
        self, keys: Sequence[tuple[str, str]]
    ) -> Mapping[tuple[str, str], CommandRecord]:
        """See the port."""
        rows = await self._fetch(
            "SELECT client, key, fingerprint, outcome, first_position, event_count "
            "FROM unnest($1::text[], $2::text[]) AS x(client, key) "
            "JOIN ledger.commands USING (client, key)",
            *_columns(keys),
        )
        return {(r["client"], r["key"]): CommandRecord(**dict(r)) for r in rows}

    async def records_of(self, first_positions: Sequence[int]) -> Mapping[int, CommandRecord]:
        """See the port."""
        rows = await self._fetch(
            "SELECT client, key, fingerprint, outcome, first_position, event_count "
            "FROM ledger.commands WHERE first_position = ANY($1::bigint[]) AND event_count > 0",
            list(first_positions),
        )
        return {r["first_position"]: CommandRecord(**dict(r)) for r in rows}

    async def new_ids(self, count: int) -> range:
        """See the port. One step of `ledger.ids` is NEW_IDS_MAX, so blocks never overlap."""
        if count > NEW_IDS_MAX:
            raise ValueError(f"at most {NEW_IDS_MAX} identifiers at once")
        (row,) = await self._fetch("SELECT nextval('ledger.ids') AS id")
        return range(row["id"], row["id"] + count)

    async def _events(self, query: str, *arguments: Any) -> list[Recorded]:
        return [Recorded(*row) for row in await self._fetch(query, *arguments)]

    async def _fetch(self, query: str, *arguments: Any) -> list[Any]:
        try:
            # The outer limit is for a pool without a free connection, or a server frozen while
            # the driver hands the connection back.
            async with asyncio.timeout(READ_SECONDS_MAX + WATCHDOG_SECONDS_MAX):
                return await self._pool.fetch(query, *arguments, timeout=READ_SECONDS_MAX)
        except FAULTS as error:
            raise meaning(error) from error


def _conflicted(found: dict[str, list[list[Any]]]) -> Conflicted:
    """The standing rows as the call returned them, bytes in hexadecimal."""
    records = [
        CommandRecord(client, key, bytes.fromhex(fingerprint), bytes.fromhex(outcome), first, count)
        for client, key, fingerprint, outcome, first, count in found.get("records", ())
    ]
    claims = [
        Claim(kind, key, stream, None if fingerprint is None else bytes.fromhex(fingerprint))
        for kind, key, stream, fingerprint in found.get("claims", ())
    ]
    return Conflicted(
        streams={s: StreamHead(v, p) for s, v, p in found.get("streams", ())},
        records={(r.client, r.key): r for r in records},
        claims={(c.kind, c.key): c for c in claims},
    )


def _columns(pairs: Sequence[tuple[str, str]]) -> tuple[list[str], list[str]]:
    return [first for first, _ in pairs], [second for _, second in pairs]


def _arrays(group: Append) -> list[Sequence[Any]]:
    """The group as parallel arrays, in the order of the procedure's parameters."""
    expected = [(s, head.version, head.position) for s, head in group.expected.items()]
    events = [
        (e.stream_id, e.stream_version, e.type, e.schema_version, e.payload, u.command_id,
         u.correlation_id, u.causation_id, e.occurred_at, u.actor, index, len(u.events))
        for u in group.units
        for index, e in enumerate(u.events)
    ]  # fmt: skip
    records: list[tuple[Any, ...]] = []
    first = 1
    for unit in group.units:
        if unit.record:
            r, count = unit.record, len(unit.events)
            records.append((r.client, r.key, r.fingerprint, r.outcome, first, count))
        first += len(unit.events)
    claims = [(c.kind, c.key, c.stream_id, c.fingerprint) for u in group.units for c in u.claims]
    releases = [name for unit in group.units for name in unit.releases]
    return [
        *_transposed(expected, 3),
        *_transposed(events, 12),
        *_transposed(records, 6),
        *_transposed(claims, 4),
        *_transposed(releases, 2),
        [stream_id for unit in group.units for stream_id in unit.forgets],
    ]


def _transposed(rows: Sequence[tuple[Any, ...]], width: int) -> Sequence[tuple[Any, ...]]:
    return list(zip(*rows, strict=True)) or [()] * width
