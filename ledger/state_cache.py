"""Folded state of streams, kept between groups. Never trusted: the append checks every head."""

from collections import OrderedDict
from collections.abc import Iterable

from ledger.event_store.port import EventStore, StreamHead
from ledger.group import Versioned
from ledger.streams import fold_recorded

STREAMS_MAX = 20_000


class StateCache:
    """The streams used last, up to `streams_max`."""

    def __init__(self, store: EventStore, streams_max: int = STREAMS_MAX) -> None:
        self._store = store
        self._streams_max = streams_max
        self._streams: OrderedDict[str, Versioned] = OrderedDict()

    async def load(self, stream_ids: Iterable[str]) -> dict[str, Versioned]:
        """The streams as this process knows them; the unknown ones are read, all in one query.

        Raises:
            EventStoreUnavailable: the store can't be read.
        """
        wanted = list(stream_ids)
        missing = [stream_id for stream_id in wanted if stream_id not in self._streams]
        if missing:
            for stream_id, history in (await self._store.read_streams(missing)).items():
                last = history[-1] if history else None
                head = StreamHead(last.stream_version, last.position) if last else StreamHead()
                self._streams[stream_id] = Versioned(fold_recorded(stream_id, history), head)
        for stream_id in wanted:
            self._streams.move_to_end(stream_id)
        loaded = {stream_id: self._streams[stream_id] for stream_id in wanted}
        self._trim()
        return loaded

    def keep(self, stream_id: str, versioned: Versioned) -> None:
        """What a commit has made of a stream."""
        self._streams[stream_id] = versioned
        self._streams.move_to_end(stream_id)
        self._trim()

    def drop(self, stream_ids: Iterable[str]) -> None:
        """Another process has written there: read again next time."""
        for stream_id in stream_ids:
            self._streams.pop(stream_id, None)

    def clear(self) -> None:
        """Forget everything."""
        self._streams.clear()

    def _trim(self) -> None:
        while len(self._streams) > self._streams_max:
            self._streams.popitem(last=False)
