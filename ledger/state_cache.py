"""Folded state of streams, kept between groups. Never trusted: the append checks every head."""

from collections import OrderedDict
from collections.abc import Iterable, Sequence

from ledger.event_store.port import EventStore, StreamHead
from ledger.group import Versioned
from ledger.snapshot_keeper import SnapshotKeeper
from ledger.streams import fold_recorded, initial_state, last_event_tells

STREAMS_MAX = 20_000


class StateCache:
    """The streams used last, up to `streams_max`. Long ones are loaded from their snapshot on."""

    def __init__(
        self,
        store: EventStore,
        snapshots: SnapshotKeeper | None = None,
        streams_max: int = STREAMS_MAX,
    ) -> None:
        self._store = store
        self._snapshots = snapshots
        self._streams_max = streams_max
        self._streams: OrderedDict[str, Versioned] = OrderedDict()
        self._snapshot_versions: dict[str, int] = {}

    async def load(self, stream_ids: Iterable[str]) -> dict[str, Versioned]:
        """The streams as this process knows them; the unknown ones are read, all in one query.

        Raises:
            EventStoreUnavailable: the store can't be read.
        """
        wanted = list(stream_ids)
        missing = [stream_id for stream_id in wanted if stream_id not in self._streams]
        if missing:
            await self._read(missing)
        for stream_id in wanted:
            self._streams.move_to_end(stream_id)
        loaded = {stream_id: self._streams[stream_id] for stream_id in wanted}
        self._trim()
        return loaded

    def keep(self, stream_id: str, versioned: Versioned) -> None:
        """What a commit has made of a stream."""
        self._streams[stream_id] = versioned
        self._streams.move_to_end(stream_id)
        self._offer(stream_id, versioned)
        self._trim()

    def drop(self, stream_ids: Iterable[str]) -> None:
        """Another process has written there: read again next time."""
        for stream_id in stream_ids:
            self._streams.pop(stream_id, None)

    def clear(self) -> None:
        """Forget everything."""
        self._streams.clear()
        self._snapshot_versions.clear()

    async def _read(self, stream_ids: Sequence[str]) -> None:
        """Fold what comes after the snapshot, which for most streams is everything."""
        await self._read_last([each for each in stream_ids if last_event_tells(each)])
        stream_ids = [each for each in stream_ids if not last_event_tells(each)]
        if not stream_ids:
            return
        started = dict(await self._snapshots.newest(stream_ids)) if self._snapshots else {}
        for stream_id in stream_ids:
            started.setdefault(stream_id, Versioned(initial_state(stream_id), StreamHead()))
        after = {stream_id: start.head.version for stream_id, start in started.items()}
        for stream_id, history in (await self._store.payloads(after)).items():
            start = started[stream_id]
            head = start.head
            if history:
                head = StreamHead(history[-1].stream_version, history[-1].position)
            versioned = Versioned(fold_recorded(start.state, history), head)
            self._streams[stream_id] = versioned
            self._snapshot_versions[stream_id] = start.head.version
            self._offer(stream_id, versioned)

    async def _read_last(self, stream_ids: Sequence[str]) -> None:
        last = await self._store.last_events(stream_ids) if stream_ids else {}
        for stream_id in stream_ids:
            found, state = last.get(stream_id), initial_state(stream_id)
            head = StreamHead(found.stream_version, found.position) if found else StreamHead()
            history = (found,) if found else ()
            self._streams[stream_id] = Versioned(fold_recorded(state, history), head)

    def _offer(self, stream_id: str, versioned: Versioned) -> None:
        if self._snapshots is None:
            return
        taken_at = self._snapshot_versions.get(stream_id, 0)
        if self._snapshots.offer(stream_id, versioned, taken_at):
            self._snapshot_versions[stream_id] = versioned.head.version

    def _trim(self) -> None:
        while len(self._streams) > self._streams_max:
            stream_id, _ = self._streams.popitem(last=False)
            self._snapshot_versions.pop(stream_id, None)
