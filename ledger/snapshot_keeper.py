"""Takes snapshots of long accounts beside the committer's work, and starts loads from them."""

import asyncio
from collections.abc import Sequence

import structlog

from ledger.account.state import Account
from ledger.event_store.port import EventStoreBroken, EventStoreUnavailable
from ledger.event_store.snapshots import Snapshot, SnapshotStore
from ledger.group import Versioned
from ledger.snapshots import fingerprint, pack, unpack

EVENTS_BETWEEN = 500
"""An account gets a snapshot after so many more events: fewer are folded in a few milliseconds."""
WAITING_MAX = 1_000

log = structlog.get_logger("snapshots")


class SnapshotKeeper:
    """Start `run()` as a task. Without it nothing is taken, and nothing else is missing."""

    def __init__(self, store: SnapshotStore, *, events_between: int = EVENTS_BETWEEN) -> None:
        self._store = store
        self._waiting: dict[str, Versioned] = {}
        self._offered = asyncio.Event()
        self.events_between = events_between

    async def newest(self, stream_ids: Sequence[str]) -> dict[str, Versioned]:
        """The states to go on from. One that can't be unpacked is as good as none.

        Raises:
            EventStoreUnavailable, EventStoreBroken: the database gives no answer.
        """
        found: dict[str, Versioned] = {}
        for stream_id, snapshot in (await self._store.newest(stream_ids, fingerprint())).items():
            try:
                found[stream_id] = Versioned(unpack(snapshot.state), snapshot.head)
            except Exception as error:
                log.warning("snapshot_unusable", stream_id=stream_id, error=repr(error))
        return found

    def offer(self, stream_id: str, versioned: Versioned, taken_at_version: int) -> bool:
        """Take a snapshot soon, if the last one is long ago; whether it will be taken."""
        due = versioned.head.version - taken_at_version >= self.events_between
        if not (due and isinstance(versioned.state, Account)):
            return False
        if len(self._waiting) >= WAITING_MAX:
            return False
        self._waiting[stream_id] = versioned
        self._offered.set()
        return True

    async def run(self) -> None:
        """Take what is offered, until cancelled. One that fails is offered again some day."""
        while True:
            await self._offered.wait()
            self._offered.clear()
            while self._waiting:
                stream_id, versioned = self._waiting.popitem()
                try:
                    await self._take(stream_id, versioned)
                except (EventStoreUnavailable, EventStoreBroken) as error:
                    log.warning("snapshot_not_taken", stream_id=stream_id, error=str(error))

    async def _take(self, stream_id: str, versioned: Versioned) -> None:
        # The state is immutable: another thread may read it while commands go on.
        state = await asyncio.to_thread(pack, versioned.state)
        await self._store.keep(Snapshot(stream_id, versioned.head, state), fingerprint())
