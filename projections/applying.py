"""Applying events to a read model inside the caller's transaction: each exactly once, in order.

What came before is skipped, what is missing is fetched from the log, and an event that can't be
folded parks its stream alone: its rows stay as the last good event left them. An event that takes
over rows of another stream waits for that one, and parks where that one is parked.
"""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import asyncpg
from pydantic import ValidationError

from projections.log import VersionRange, read_at, read_ranges, version_before
from projections.metrics import EVENTS_APPLIED, GAPS_FILLED, STREAMS_PARKED
from projections.projection import SCHEMA, EventRecord, Key, Projection, Row
from projections.statements import load, write
from projections.stream_states import StreamState, lock_streams, write_streams
from schemas.events import Event, decode

REASON_MAX = 1_000
PAGE_EVENTS_MAX = 500
"""A longer tail or gap is folded in pages, so that no batch grows without bound."""

_decode = lru_cache(maxsize=2_048)(decode)
"""Every read model gets the same events at about the same time; they never change."""

_REFUSED_VALUES = (
    asyncpg.DataError,
    asyncpg.IntegrityConstraintViolationError,
    ArithmeticError,
    LookupError,
    TypeError,
    ValueError,
)
"""What a row's values alone can be guilty of: trying again would not help."""


@dataclass(slots=True)
class Applied:
    """What one call did."""

    events: int = 0
    skipped: int = 0
    gaps_filled: int = 0
    parked: dict[str, str] = field(default_factory=dict)
    """Streams this call parked → why."""


class NotInTheLog(Exception):
    """A record stands for an event the log doesn't have: they are not of the same log."""

    def __init__(self, stream_id: str, version: int) -> None:
        super().__init__(f"the log has no version {version} of {stream_id}, a record has")


class OtherStreamParked(Exception):
    """An event takes over rows of a stream that is parked: unpark that one first."""


class ValuesRefused(Exception):
    """An event's values can't be written, and which one's was not asked. Roll back."""


async def apply(
    connection: Any,
    projection: Projection,
    records: Sequence[EventRecord],
    schema: str = SCHEMA,
    *,
    narrowing: bool = True,
) -> Applied:
    """Fold records into the read model. They may repeat, jump, and be of other categories.

    The connection is asyncpg's, inside a transaction; `schema` holds the tables. Finding the one
    event whose values can't be written takes savepoints: without `narrowing` they are spared.

    Raises:
        NotInTheLog: a record can't be one of this log's.
        ValuesRefused: apply them again with `narrowing`, in another transaction.
    """
    followed = [record for record in records if projection.follows(record.stream_id)]
    applied = Applied(skipped=len(records) - len(followed))
    if followed:
        await _Job(connection, projection, schema, applied, narrowing=narrowing).run(followed)
        EVENTS_APPLIED.labels(projection.name).inc(applied.events)
        GAPS_FILLED.labels(projection.name).inc(applied.gaps_filled)
        STREAMS_PARKED.labels(projection.name).inc(len(applied.parked))
    return applied


async def unpark(
    connection: Any, projection: Projection, stream_id: str, schema: str = SCHEMA
) -> Applied:
    """Try a parked stream again, from the log, in order; it parks again where it still fails."""
    state = (await lock_streams(connection, projection, [stream_id], schema))[stream_id]
    state.parked_at_version = state.parked_reason = None
    await write_streams(connection, projection, {stream_id: state}, schema)
    total = Applied()
    after = state.stream_version
    while not total.parked:
        page = VersionRange(stream_id, after, after + PAGE_EVENTS_MAX)
        tail = await read_ranges(connection, [page])
        if not tail:
            break
        applied = await apply(connection, projection, tail, schema)
        total.events += applied.events
        total.parked |= applied.parked
        after = tail[-1].stream_version
    return total


@dataclass(slots=True)
class _Decoded:
    """A record with its event, or with what went wrong. Neither: it can't change a row."""

    record: EventRecord
    event: Event | None = None
    keys: Sequence[Key] = ()
    error: Exception | None = None


class _Job:
    """One call of `apply`."""

    def __init__(
        self,
        connection: Any,
        projection: Projection,
        schema: str,
        applied: Applied,
        *,
        narrowing: bool,
    ) -> None:
        self._narrowing = narrowing
        self._connection = connection
        self._projection = projection
        self._schema = schema
        self._applied = applied
        self._streams: dict[str, StreamState] = {}

    async def run(self, records: Sequence[EventRecord]) -> None:
        others = {other for record in records for other in self._projection.origins(record)}
        await self._lock({record.stream_id for record in records} | others)
        ready, ahead = self._sorted(records)
        if self._projection.from_log:
            ready = await self._whole(ready)
        await self._fold_in_turn(ready)
        for stream_id in sorted(ahead):
            await self._fill(stream_id, ahead[stream_id])

    async def _lock(self, stream_ids: AbstractSet[str]) -> None:
        wanted = stream_ids - self._streams.keys()
        self._streams |= await lock_streams(
            self._connection, self._projection, wanted, self._schema
        )

    def _sorted(self, records: Sequence[EventRecord]) -> tuple[list[EventRecord], dict[str, int]]:
        """What follows at once, and up to which version the other streams have to be fetched."""
        ready: list[EventRecord] = []
        ahead: dict[str, int] = {}
        reached = {stream_id: state.stream_version for stream_id, state in self._streams.items()}
        for record in records:
            stream_id, version = record.stream_id, record.stream_version
            last = reached[stream_id]
            if version <= last or self._streams[stream_id].is_parked:
                self._applied.skipped += 1
            elif version == last + 1 and stream_id not in ahead:
                ready.append(record)
                reached[stream_id] = version
            else:
                ahead[stream_id] = max(version, ahead.get(stream_id, 0))
        return ready, ahead

    async def _whole(self, records: Sequence[EventRecord]) -> list[EventRecord]:
        found = await read_at(self._connection, [record.position for record in records])
        for record in records:
            event = found.get(record.position)
            named = (record.stream_id, record.stream_version)
            if event is None or (event.stream_id, event.stream_version) != named:
                raise NotInTheLog(*named)
        return [found[record.position] for record in records]

    async def _fill(self, stream_id: str, up_to: int) -> None:
        """Bring a stream to a version from the log alone."""
        while (state := self._streams[stream_id]).stream_version < up_to and not state.is_parked:
            after = state.stream_version
            page = VersionRange(stream_id, after, min(up_to, after + PAGE_EVENTS_MAX))
            missing = await read_ranges(self._connection, [page])
            if not missing:
                raise NotInTheLog(stream_id, up_to)
            await self._fold_in_turn(missing)
            self._applied.gaps_filled += len(missing)

    async def _fold_in_turn(self, records: Sequence[EventRecord]) -> None:
        """Fold, but what builds on another stream only after that one's earlier events."""
        start = 0
        for index, record in enumerate(records):
            for other in self._projection.origins(record):
                await self._fold(records[start:index])
                start = index
                await self._bring_up(other, record)
        await self._fold(records[start:])

    async def _bring_up(self, other: str, record: EventRecord) -> None:
        """Fold what another stream had before an event; park the event's own where that fails."""
        if self._streams[record.stream_id].is_parked:
            return
        await self._lock({other})
        version = await version_before(self._connection, other, record.position)
        await self._fill(other, version)
        if self._streams[other].stream_version < version:
            await self._park_refused(record, OtherStreamParked(other))

    async def _fold(self, records: Sequence[EventRecord]) -> None:
        """Fold and write. Values that can't be written are narrowed down to their event."""
        if not records:
            return
        if not self._narrowing:
            try:
                await self._fold_and_write(records)
            except _REFUSED_VALUES as error:
                raise ValuesRefused from error
            return
        touched = {record.stream_id for record in records}
        before = {stream_id: self._streams[stream_id].copy() for stream_id in touched}
        counted = (self._applied.events, self._applied.skipped, dict(self._applied.parked))
        try:
            async with self._connection.transaction():
                await self._fold_and_write(records)
        except _REFUSED_VALUES as error:
            self._applied.events, self._applied.skipped, self._applied.parked = counted
            self._streams |= before
            if len(records) == 1:
                await self._park_refused(records[0], error)
                return
            middle = len(records) // 2
            await self._fold(records[:middle])
            await self._fold(records[middle:])

    async def _park_refused(self, record: EventRecord, error: Exception) -> None:
        state = self._streams[record.stream_id]
        self._park(state, record, error)
        await write_streams(
            self._connection, self._projection, {record.stream_id: state}, self._schema
        )

    async def _fold_and_write(self, records: Sequence[EventRecord]) -> None:
        decoded = [self._decoded(record) for record in records]
        keys = {key for item in decoded for key in item.keys}
        rows = await load(self._connection, self._projection, keys, self._schema)
        changed: dict[Key, Row | None] = {}
        for item in decoded:
            self._fold_one(item, rows, changed)
        await write(self._connection, self._projection, changed, self._schema)
        touched = {record.stream_id: self._streams[record.stream_id] for record in records}
        await write_streams(self._connection, self._projection, touched, self._schema)

    def _decoded(self, record: EventRecord) -> _Decoded:
        if not self._projection.relevant(record):
            return _Decoded(record)
        try:
            event = _decode(record.type, record.schema_version, record.payload)
            return _Decoded(record, event, tuple(self._projection.keys(record, event)))
        except Exception as error:
            return _Decoded(record, error=error)

    def _fold_one(
        self, item: _Decoded, rows: dict[Key, Row | None], changed: dict[Key, Row | None]
    ) -> None:
        record, state = item.record, self._streams[item.record.stream_id]
        if state.is_parked or record.stream_version <= state.stream_version:
            self._applied.skipped += 1
            return
        try:
            if item.error is not None:
                raise item.error
            if item.event is not None:
                changes = self._projection.evolve(rows, record, item.event)
                rows.update(changes)
                changed.update(changes)
        except Exception as error:
            self._park(state, record, error)
            return
        state.stream_version, state.position = record.stream_version, record.position
        self._applied.events += 1

    def _park(self, state: StreamState, record: EventRecord, error: Exception) -> None:
        state.parked_at_version = record.stream_version
        # PostgreSQL keeps no NUL in text.
        said = f"{record.type} at position {record.position}: {_without_input(error)}"
        reason = said.replace("\x00", "")
        state.parked_reason = reason[:REASON_MAX]
        self._applied.parked[record.stream_id] = state.parked_reason


def _without_input(error: Exception) -> str:
    """What went wrong; never what it went wrong with, as pydantic's own text has it."""
    if not isinstance(error, ValidationError):
        return repr(error)
    wrong = error.errors(include_input=False, include_url=False, include_context=False)
    return "; ".join(f"{'.'.join(map(str, each['loc']))}: {each['type']}" for each in wrong)
