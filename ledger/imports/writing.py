"""Phase 2: the rows that passed the check, through the committer, many at once.

Each has a key for ever, so an interrupted import is run again and doubles nothing. Rows of one
profile keep their order: they go one way, and one after the other.
"""

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol
from zlib import crc32

from ledger.event_store.port import EventStore, EventStoreUnavailable
from ledger.fingerprints import fingerprint
from ledger.imports.csv_lines import Line
from ledger.imports.reward_rows import RewardRow
from ledger.imports.run import (
    CLIENT,
    Addressed,
    FileOfRows,
    Rejected,
    Tally,
    addressed,
    done_before,
    pieces,
    told,
)
from ledger.personal.identified import ProfilesByIdentity
from ledger.rejections import Rejection, TooMuchContention
from ledger.submission import (
    Accepted,
    AlreadyThere,
    Answer,
    OutcomeUnknown,
    Overloaded,
    Submission,
    Unavailable,
)
from schemas.rewards import RewardIssued

PIECE_ROWS: Final = 500
PIECES_AHEAD: Final = 2
TRIES_MAX: Final = 20
PAUSE_SECONDS: Final = 0.5
"""Before what nobody had room for is sent again."""

Progress = Callable[[Tally], None]


class SubmitAll(Protocol):
    """`ledger.committer.Committer.submit_all`."""

    async def __call__(
        self, submissions: Sequence[Submission], /
    ) -> Sequence[Answer | BaseException]:
        """The answers, in order."""
        ...


class Halted(Exception):
    """The import stopped where it was; the same file again goes on from there."""


@dataclass(frozen=True, slots=True)
class Sender:
    """In whose name rewards are issued."""

    actor: str
    fingerprint_key: bytes
    patient: bool = False
    limited: bool = False


@dataclass
class Writing:
    """One pass over a file that has been checked. Each lane is a committer of its own, or one."""

    store: EventStore
    profiles: ProfilesByIdentity
    lanes: Sequence[SubmitAll]
    sender: Sender
    rejected: Rejected
    piece_rows: int = PIECE_ROWS
    tally: Tally = field(default_factory=Tally)

    async def run(
        self,
        file: FileOfRows,
        spoilt: Collection[int],
        progress: Progress = lambda _: None,
    ) -> None:
        """Write every row whose line isn't spoilt.

        Raises:
            Halted: the store can't be reached.
        """
        queues: list[asyncio.Queue[list[Addressed] | None]] = [
            asyncio.Queue(PIECES_AHEAD) for _ in self.lanes
        ]
        try:
            async with asyncio.TaskGroup() as group:
                for lane, queue in zip(self.lanes, queues, strict=True):
                    group.create_task(self._work(file, lane, queue, progress))
                group.create_task(self._feed(file, spoilt, queues))
        except BaseExceptionGroup as faults:
            fault = faults.exceptions[0]
            if isinstance(fault, EventStoreUnavailable):
                raise Halted(str(fault)) from fault
            raise fault from None

    async def _feed(
        self,
        file: FileOfRows,
        spoilt: Collection[int],
        queues: Sequence["asyncio.Queue[list[Addressed] | None]"],
    ) -> None:
        for piece in pieces(file.rows, self.piece_rows):
            rows = [
                each
                for each in piece
                if isinstance(each, RewardRow) and each.line.number not in spoilt
            ]
            self.tally.rows += len(piece)
            done = await done_before(file, [row.line.number for row in rows], self.store)
            for row in rows:
                self._settle_before(row.line, done)
            new = [row for row in rows if row.line.number not in done]
            parts: list[list[Addressed]] = [[] for _ in queues]
            for each in await addressed(new, self.profiles, self._reject):
                parts[crc32(each.command.profile_id.encode()) % len(queues)].append(each)
            for queue, part in zip(queues, parts, strict=True):
                await queue.put(part)
        for queue in queues:
            await queue.put(None)

    def _settle_before(self, line: Line, done: Mapping[int, str | None]) -> None:
        if line.number not in done:
            return
        refusal = done[line.number]
        if refusal is None:
            self.tally.done_before += 1
        else:
            self._reject(line, refusal)

    async def _work(
        self,
        file: FileOfRows,
        lane: SubmitAll,
        queue: "asyncio.Queue[list[Addressed] | None]",
        progress: Progress,
    ) -> None:
        while (part := await queue.get()) is not None:
            if part:
                await self._write(file, lane, part)
            progress(self.tally)

    async def _write(self, file: FileOfRows, lane: SubmitAll, rows: Sequence[Addressed]) -> None:
        """What met too many others is sent again, under its key."""
        for _ in range(TRIES_MAX):
            try:
                answers = await lane([self._submission(file, row) for row in rows])
            except Overloaded:
                await asyncio.sleep(PAUSE_SECONDS)
                continue
            again = [
                row
                for row, answer in zip(rows, answers, strict=True)
                if self._settled(row, answer) is False
            ]
            if not again:
                return
            rows = again
        raise Halted("Others keep the ledger too busy.")

    def _submission(self, file: FileOfRows, row: Addressed) -> Submission:
        command, sender = row.command, self.sender
        named = command.external_id is not None
        return Submission(
            command=command,
            client=CLIENT,
            actor=sender.actor,
            key=file.key(row.line.number),
            fingerprint=(
                fingerprint(command, sender.fingerprint_key) if named else file.fingerprint
            ),
            patient=sender.patient,
            limited=sender.limited,
        )

    def _settled(self, row: Addressed, answer: Answer | BaseException) -> bool:
        """Whether a row has its answer; False sends it again."""
        match answer:
            case Accepted():
                self.tally.count(next(e for _, e in answer.written if isinstance(e, RewardIssued)))
            case AlreadyThere():
                self.tally.done_before += 1
            case TooMuchContention():
                return False
            case Rejection():
                self._reject(row.line, told(answer))
            case Unavailable() | OutcomeUnknown():
                raise Halted("The database can't be reached.")
            case ValueError():
                self._reject(row.line, "The ledger can't keep it.")
            case BaseException():
                raise answer
        return True

    def _reject(self, line: Line, why: str) -> None:
        self.tally.rejected += 1
        self.rejected(line, why)
