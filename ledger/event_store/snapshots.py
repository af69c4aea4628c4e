"""Where snapshots are kept: a port with two adapters. Losing one costs time and nothing else."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import asyncpg

from ledger.event_store.faults import FAULTS, meaning
from ledger.event_store.port import StreamHead

# The join is the check: the log must still have the very event the snapshot was taken at.
_NEWEST = """
SELECT s.stream_id, s.stream_version, s.position, s.state
FROM ledger.snapshots s
JOIN ledger.events e ON e.position = s.position AND e.stream_id = s.stream_id
  AND e.stream_version = s.stream_version AND e.chain = s.chain
WHERE s.stream_id = ANY($1::text[]) AND s.fingerprint = $2"""

_KEEP = """
INSERT INTO ledger.snapshots AS s
  (stream_id, stream_version, position, chain, fingerprint, state)
SELECT e.stream_id, e.stream_version, e.position, e.chain, $4, $5
FROM ledger.events e WHERE e.position = $3 AND e.stream_id = $1 AND e.stream_version = $2
ON CONFLICT (stream_id) DO UPDATE SET
  (stream_version, position, chain, fingerprint, state, taken_at)
  = (excluded.stream_version, excluded.position, excluded.chain, excluded.fingerprint,
     excluded.state, now())
WHERE s.stream_version < excluded.stream_version OR s.fingerprint <> excluded.fingerprint"""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The packed state of a stream right after its event at `head`."""

    stream_id: str
    head: StreamHead
    state: bytes


class SnapshotStore(Protocol):
    """The port. Any method may raise EventStoreUnavailable or EventStoreBroken."""

    async def newest(self, stream_ids: Sequence[str], fingerprint: bytes) -> Mapping[str, Snapshot]:
        """The snapshots this fold may use, of streams that have one."""
        ...

    async def keep(self, snapshot: Snapshot, fingerprint: bytes) -> None:
        """Keep it instead of an older one; of an event the log doesn't have, nothing is kept."""
        ...


class PostgresSnapshots:
    """Snapshots beside the log."""

    def __init__(self, pool: "asyncpg.Pool[Any]") -> None:
        self._pool = pool

    async def newest(self, stream_ids: Sequence[str], fingerprint: bytes) -> Mapping[str, Snapshot]:
        """See the port."""
        try:
            rows = await self._pool.fetch(_NEWEST, list(stream_ids), fingerprint)
        except FAULTS as error:
            raise meaning(error) from error
        return {
            row["stream_id"]: Snapshot(
                row["stream_id"], StreamHead(row["stream_version"], row["position"]), row["state"]
            )
            for row in rows
        }

    async def keep(self, snapshot: Snapshot, fingerprint: bytes) -> None:
        """See the port."""
        head = snapshot.head
        try:
            await self._pool.execute(
                _KEEP,
                snapshot.stream_id,
                head.version,
                head.position,
                fingerprint,
                snapshot.state,
            )
        except FAULTS as error:
            raise meaning(error) from error


class MemorySnapshots:
    """Snapshots for tests. The log they belong to is taken at its word."""

    def __init__(self) -> None:
        self.kept: dict[str, tuple[bytes, Snapshot]] = {}

    async def newest(self, stream_ids: Sequence[str], fingerprint: bytes) -> Mapping[str, Snapshot]:
        """See the port."""
        return {
            stream_id: snapshot
            for stream_id, (made_by, snapshot) in self.kept.items()
            if stream_id in stream_ids and made_by == fingerprint
        }

    async def keep(self, snapshot: Snapshot, fingerprint: bytes) -> None:
        """See the port."""
        made_by, before = self.kept.get(snapshot.stream_id, (b"", snapshot))
        if made_by != fingerprint or before.head.version < snapshot.head.version:
            self.kept[snapshot.stream_id] = (fingerprint, snapshot)
