"""Carries imports out that came over HTTP: one at a time in the whole deployment.

What it does can be cut off anywhere: the phase is begun again, and rows that are written are passed
over. Tills go first: it hands the committer patient commands, a few at a time.
"""

import asyncio
import io
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final

import asyncpg
import structlog

from ledger.decider import ProgrammeSettings
from ledger.event_store.faults import FAULTS
from ledger.event_store.port import EventStore, EventStoreUnavailable
from ledger.imports.checking import Check, Rules
from ledger.imports.csv_lines import CsvLines, Line, UnreadableFile
from ledger.imports.kept import KeptImports, Rejected, Row
from ledger.imports.rejected_rows import RejectedRows
from ledger.imports.reward_rows import RewardRows
from ledger.imports.run import FileOfRows
from ledger.imports.writing import Halted, Sender, SubmitAll, Writing
from ledger.personal.identified import IdentifiedProfiles
from ledger.personal.vault import Vault

PIECE_ROWS: Final = 50
"""Few at once: whoever waits for an answer of this process waits for a piece at most."""
POLL_SECONDS: Final = 2.0
PROGRESS_SECONDS: Final = 0.5
KEPT: Final = timedelta(days=7)
_ONE_AT_A_TIME: Final = (7236452, 2)
_LOCK: Final = "SELECT pg_try_advisory_lock($1, $2)"
_UNLOCK: Final = "SELECT pg_advisory_unlock($1, $2)"

log = structlog.get_logger("imports")


class _CalledOff(Exception):
    """Somebody has deleted the import."""


@dataclass
class ImportWorker:
    """A part of the API's process. `wake()` spares what has just come the wait for a look."""

    pool: "asyncpg.Pool[Any]"
    store: EventStore
    vault: Vault
    submit_all: SubmitAll
    clock: Callable[[], datetime]
    settings: Callable[[], ProgrammeSettings]
    kept: KeptImports = field(init=False)
    _woken: asyncio.Event = field(default_factory=asyncio.Event)
    _stopping: bool = False

    def __post_init__(self) -> None:
        """It keeps imports on the same pool."""
        self.kept = KeptImports(self.pool, self.vault)

    def wake(self) -> None:
        """Something has come."""
        self._woken.set()

    async def run(self) -> None:
        """Carry out one import after the other until `stop()` or a cancel."""
        while not self._stopping:
            try:
                await self.work()
                await self.kept.forget(self.clock() - KEPT)
            except (Halted, EventStoreUnavailable, *FAULTS) as error:
                log.warning("imports_wait", reason=type(error).__name__)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._woken.wait(), POLL_SECONDS)
            self._woken.clear()

    async def stop(self) -> None:
        """Begin nothing more."""
        self._stopping = True
        self._woken.set()

    async def work(self) -> None:
        """All imports that have work left, unless another process is at it."""
        async with self.pool.acquire() as connection:
            if not await connection.fetchval(_LOCK, *_ONE_AT_A_TIME):
                return
            try:
                while not self._stopping and (row := await self.kept.next()) is not None:
                    with suppress(_CalledOff):
                        await self._carry_out(row)
            finally:
                await connection.execute(_UNLOCK, *_ONE_AT_A_TIME)

    async def _carry_out(self, row: Row) -> None:
        phase = self._check if row["phase"] == "checking" else self._write
        try:
            content = await self.kept.content(row)
            if content is None:
                await self.kept.end_phase(row, "failed", fault="Its file is not there any more.")
                return
            await phase(row, content)
        except UnreadableFile as error:
            await self.kept.end_phase(row, "failed", fault=str(error))
        except (Halted, EventStoreUnavailable, _CalledOff, *FAULTS):
            raise
        except Exception:
            log.exception("import_failed", import_id=row["id"])
            await self.kept.end_phase(row, "failed", fault="A mistake of ours; see the log.")

    async def _check(self, row: Row, content: bytes) -> None:
        file, rejected, note = _opened(row, content)
        rules = Rules(self.clock, self.settings(), row["create_profiles"], row["limited"])
        profiles = IdentifiedProfiles(self.vault, self.store)
        check = Check(self.store, profiles, rules, note, piece_rows=PIECE_ROWS)
        tell = partial(self.kept.checked_so_far, row["id"], check.tally)
        await self._watched(check.run(file), tell)
        # Nothing to write: it is over without anybody's word.
        done = not check.tally.good
        phase = "written" if done else "checked" if row["dry_run"] else "writing"
        await self.kept.end_phase(row, phase, rejected)

    async def _write(self, row: Row, content: bytes) -> None:
        before = await self.kept.rejected(row) or []
        file, rejected, note = _opened(row, content)
        writing = Writing(
            self.store,
            IdentifiedProfiles(self.vault, self.store),
            [self.submit_all],
            Sender(row["actor"], self.vault.fingerprint_key, True, row["limited"]),
            note,
            piece_rows=PIECE_ROWS,
        )
        spoilt = {number for number, _ in before}
        tell = partial(self.kept.written_so_far, row["id"], writing.tally, len(before))
        await self._watched(writing.run(file, spoilt), tell)
        await self.kept.end_phase(row, "written", rejected)

    async def _watched(self, work: Awaitable[None], tell: Callable[[], Awaitable[bool]]) -> None:
        """Tell how far it is while it works, and end it when it is called off."""
        task = asyncio.ensure_future(work)
        try:
            ended = False
            while not ended:
                ended = bool((await asyncio.wait({task}, timeout=PROGRESS_SECONDS))[0])
                if not await tell():
                    raise _CalledOff
            await task
        finally:
            task.cancel()
            await asyncio.wait({task})


def _opened(
    row: Row, content: bytes
) -> tuple[FileOfRows, list[Rejected], Callable[[Line, str], None]]:
    """The file, where its rejected rows go, and who puts them there."""
    rows = RewardRows(CsvLines(io.BytesIO(content)))
    made, rejected = RejectedRows(rows.lines.columns), list[Rejected]()

    def note(line: Line, why: str) -> None:
        rejected.append((line.number, made.row(line, why)))

    return FileOfRows(row["digest"], rows), rejected, note
