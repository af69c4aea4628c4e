"""The programme's settings as this process knows them, for the amounts its answers show.

They may be a moment behind a change made elsewhere. That harms nobody: what an amount means is
fixed before the first one exists, and decisions never look here.
"""

import asyncio
from contextlib import suppress
from typing import Any, Final

import asyncpg
import structlog

from ledger.decider import ProgrammeSettings
from ledger.programme.settings import settings_of
from ledger.programme.state import PROGRAMME_STREAM
from schemas.events import decode
from schemas.programme import ProgrammeSettingsChanged

POLL_SECONDS: Final = 1.0

_SINCE: Final = """
SELECT stream_version, type, schema_version, payload FROM ledger.events
WHERE stream_id = $1 AND stream_version > $2 ORDER BY stream_version LIMIT $3"""
_PAGE_MAX: Final = 1_000

log = structlog.get_logger("programme")


class CurrentSettings:
    """The newest settings heard of: from an answer of this process, or from the log."""

    def __init__(self, settings: ProgrammeSettings, pool: "asyncpg.Pool[Any]") -> None:
        """`settings` are those of the environment."""
        self.settings = self.of_environment = settings
        self._pool = pool
        self._seen_version = 0
        self._stopping = asyncio.Event()

    def learn(self, settings: ProgrammeSettings) -> None:
        """Keep them if they are newer than those known."""
        if settings.version > self.settings.version:
            self.settings = settings

    async def refresh(self) -> None:
        """Read what the log has of the programme since the last time."""
        while True:
            rows = await self._pool.fetch(_SINCE, PROGRAMME_STREAM, self._seen_version, _PAGE_MAX)
            for row in rows:
                if row["type"] == ProgrammeSettingsChanged.__name__:
                    event = decode(row["type"], row["schema_version"], row["payload"])
                    assert isinstance(event, ProgrammeSettingsChanged)
                    self.learn(settings_of(event))
                self._seen_version = row["stream_version"]
            if len(rows) < _PAGE_MAX:
                return

    async def follow(self) -> None:
        """Refresh again and again until `stop()`. What fails is tried again."""
        while not self._stopping.is_set():
            try:
                await self.refresh()
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
                log.warning("settings_not_refreshed", error=repr(error))
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), POLL_SECONDS)

    async def stop(self) -> None:
        """End `follow()`."""
        self._stopping.set()
