"""The event store in memory: for tests and for trying things out. Nothing survives the process."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID, uuid4

from ledger.event_store import chain
from ledger.event_store.group_check import check_group
from ledger.event_store.port import (
    RELEASABLE,
    Append,
    Claim,
    CommandRecord,
    Committed,
    Conflicted,
    NewEvent,
    Payload,
    StreamHead,
    Unit,
)
from schemas.envelope import Recorded


class MemoryEventStore:
    """Keeps every promise of the port but durability."""

    def __init__(self, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._clock = clock
        self._incarnation = uuid4()
        self._log: list[Recorded] = []
        self._streams: dict[str, list[Recorded]] = {}
        self._records: dict[tuple[str, str], CommandRecord] = {}
        self._claims: dict[tuple[str, str], Claim] = {}
        self._appends: dict[UUID, Committed] = {}
        self._next_id = 1

    async def append(self, group: Append) -> Committed | Conflicted:
        """See the port."""
        check_group(group)
        if group.append_id in self._appends:
            return self._appends[group.append_id]
        conflicted = self._conflicts(group)
        if conflicted.streams or conflicted.records or conflicted.claims:
            return conflicted
        committed = self._written(group)
        self._appends[group.append_id] = committed
        return committed

    async def read_streams(self, stream_ids: Sequence[str]) -> Mapping[str, Sequence[Recorded]]:
        """See the port."""
        return {stream_id: tuple(self._streams.get(stream_id, ())) for stream_id in stream_ids}

    async def payloads(self, after: Mapping[str, int]) -> Mapping[str, Sequence[Payload]]:
        """See the port."""
        return {
            stream_id: [
                Payload(*(getattr(event, name) for name in Payload._fields))
                for event in self._streams.get(stream_id, ())[version:]
            ]
            for stream_id, version in after.items()
        }

    async def read_stream(
        self, stream_id: str, *, after_version: int = 0, limit: int = 1_000
    ) -> Sequence[Recorded]:
        """See the port."""
        return self._streams.get(stream_id, [])[after_version : after_version + limit]

    async def last_events(self, stream_ids: Sequence[str]) -> Mapping[str, Recorded]:
        """See the port."""
        return {s: self._streams[s][-1] for s in stream_ids if s in self._streams}

    async def read_log(self, *, after_position: int, limit: int) -> Sequence[Recorded]:
        """See the port."""
        return self._log[after_position : after_position + limit]

    async def head(self) -> int:
        """See the port."""
        return len(self._log)

    async def incarnation(self) -> UUID:
        """See the port."""
        return self._incarnation

    async def claims(self, names: Sequence[tuple[str, str]]) -> Mapping[tuple[str, str], Claim]:
        """See the port."""
        return {name: self._claims[name] for name in names if name in self._claims}

    async def records(
        self, keys: Sequence[tuple[str, str]]
    ) -> Mapping[tuple[str, str], CommandRecord]:
        """See the port."""
        return {key: self._records[key] for key in keys if key in self._records}

    async def records_of(self, first_positions: Sequence[int]) -> Mapping[int, CommandRecord]:
        """See the port."""
        wanted = set(first_positions)
        found = (r for r in self._records.values() if r.event_count)
        return {r.first_position: r for r in found if r.first_position in wanted}

    async def new_ids(self, count: int) -> range:
        """See the port."""
        first, self._next_id = self._next_id, self._next_id + count
        return range(first, self._next_id)

    def _head_of(self, stream_id: str) -> StreamHead:
        stream = self._streams.get(stream_id)
        return (
            StreamHead(stream[-1].stream_version, stream[-1].position) if stream else StreamHead()
        )

    def _conflicts(self, group: Append) -> Conflicted:
        heads = {stream_id: self._head_of(stream_id) for stream_id in group.expected}
        claims = [claim for unit in group.units for claim in unit.claims]
        records = [unit.record for unit in group.units if unit.record]
        return Conflicted(
            streams={s: head for s, head in heads.items() if head != group.expected[s]},
            records={
                (r.client, r.key): self._records[r.client, r.key]
                for r in records
                if (r.client, r.key) in self._records
            },
            claims={
                (c.kind, c.key): self._claims[c.kind, c.key]
                for c in claims
                if self._claims.get((c.kind, c.key), c).stream_id != c.stream_id
            },
        )

    def _written(self, group: Append) -> Committed:
        first = len(self._log) + 1
        recorded_at = self._clock()
        if self._log:
            recorded_at = max(recorded_at, self._log[-1].recorded_at)
        for unit in group.units:
            self._write(unit, recorded_at)
        return Committed(first, len(self._log) - first + 1, recorded_at)

    def _write(self, unit: Unit, recorded_at: datetime) -> None:
        first = len(self._log) + 1
        for index, event in enumerate(unit.events):
            self._add(self._recorded(event, unit, index, recorded_at))
        for name in (*unit.releases, *self._forgotten(unit)):
            self._claims.pop(name, None)
        for claim in unit.claims:
            self._claims.setdefault((claim.kind, claim.key), claim)
        if unit.record:
            count = len(unit.events)
            record = replace(
                unit.record, first_position=first if count else first - 1, event_count=count
            )
            self._records[record.client, record.key] = record

    def _forgotten(self, unit: Unit) -> list[tuple[str, str]]:
        if not unit.forgets:
            return []
        every = self._claims.items()
        return [n for n, c in every if n[0] == RELEASABLE and c.stream_id in unit.forgets]

    def _recorded(self, event: NewEvent, unit: Unit, index: int, recorded_at: datetime) -> Recorded:
        return Recorded(
            position=len(self._log) + 1,
            stream_id=event.stream_id,
            stream_version=event.stream_version,
            type=event.type,
            schema_version=event.schema_version,
            payload=event.payload,
            command_id=unit.command_id,
            correlation_id=unit.correlation_id,
            causation_id=unit.causation_id,
            occurred_at=event.occurred_at,
            recorded_at=recorded_at,
            actor=unit.actor,
            batch_index=index,
            batch_size=len(unit.events),
            chain=b"",
        )

    def _add(self, recorded: Recorded) -> None:
        previous = self._log[-1].chain if self._log else chain.genesis(self._incarnation)
        linked = replace(recorded, chain=chain.link(previous, recorded, self._incarnation))
        self._log.append(linked)
        self._streams.setdefault(linked.stream_id, []).append(linked)
