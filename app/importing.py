"""An import's own way to the database: no API in between, and no till that waits behind it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Final

import asyncpg

from app.garbage import settle
from app.master_key import open_vault
from app.settings import Settings
from app.wiring import now, programme_settings
from ledger.committer import Committer
from ledger.decider import ProgrammeSettings
from ledger.event_store.postgres import PostgresEventStore
from ledger.event_store.snapshots import PostgresSnapshots
from ledger.personal.identified import IdentifiedProfiles
from ledger.personal.vault import Vault
from ledger.programme.state import PROGRAMME_STREAM, Programme, fold_programme
from ledger.snapshot_keeper import SnapshotKeeper
from ledger.streams import event_of

LANES: Final = 2
"""While the database commits one group, the next is decided."""
QUEUE_MAX: Final = 10_000


@dataclass(frozen=True)
class ImportLedger:
    """What an import works with."""

    store: PostgresEventStore
    vault: Vault
    programme: ProgrammeSettings
    lanes: list[Committer]

    @property
    def profiles(self) -> IdentifiedProfiles:
        """Whom an identity means here."""
        return IdentifiedProfiles(self.vault, self.store)


@asynccontextmanager
async def import_ledger(settings: Settings) -> AsyncIterator[ImportLedger]:
    """Stores and committers of our own, straight on the database."""
    assert settings.database_url is not None
    url = settings.database_url.get_secret_value()
    stores = [await PostgresEventStore.connect(url) for _ in range(LANES)]
    async with asyncpg.create_pool(url, min_size=1, max_size=2) as pool:
        vault = await open_vault(settings, pool)
        held = programme_settings(settings)
        snapshots = SnapshotKeeper(PostgresSnapshots(pool))
        lanes = [
            Committer(store, clock=now, settings=held, queue_max=QUEUE_MAX, snapshots=snapshots)
            for store in stores
        ]
        running = [asyncio.create_task(committer.run()) for committer in lanes]
        running.append(asyncio.create_task(snapshots.run()))
        try:
            programme = (await _programme(stores[0])).settings or held
            settle()
            yield ImportLedger(stores[0], vault, programme, lanes)
        finally:
            for task in running:
                task.cancel()
            for task in running:
                with suppress(asyncio.CancelledError):
                    await task
            for store in stores:
                await store.close()


async def _programme(store: PostgresEventStore) -> Programme:
    history = (await store.read_streams([PROGRAMME_STREAM]))[PROGRAMME_STREAM]
    return fold_programme(map(event_of, history))
