"""Group commit: commands that arrive while a commit is in flight go together in the next.

One task decides and appends, so a group is decided only after the one before is answered. State
is cached and never trusted: the append checks every stream the group read.
"""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime
from uuid import uuid4

import structlog
from tenacity import AsyncRetrying, retry_if_exception_type, wait_random_exponential

from ledger.claims import likely_names
from ledger.commands import HANDLERS
from ledger.decider import Circumstances, ProgrammeSettings
from ledger.deciding import IdsExhausted, decide_group, fresh_ids
from ledger.event_store.port import (
    NEW_IDS_MAX,
    Append,
    CommandRecord,
    Committed,
    Conflicted,
    EventStore,
    EventStoreUnavailable,
    StreamHead,
)
from ledger.group import Decided, Group, Versioned
from ledger.programme.state import PROGRAMME_STREAM
from ledger.records import replace
from ledger.rejections import Rejection, TooMuchContention
from ledger.repeats import States, external_name, replayed, stream_of
from ledger.snapshot_keeper import SnapshotKeeper
from ledger.state_cache import StateCache
from ledger.submission import (
    Accepted,
    AlreadyThere,
    Answer,
    OutcomeUnknown,
    Pending,
    Submission,
    Unavailable,
)
from ledger.waiting import WaitingLine
from schemas.envelope import Recorded

QUEUE_MAX = 5_000
CONFLICTS_BEFORE_ALONE = 3
CONFLICTS_MAX = 12
"""Two processes on one busy account take turns by chance: a few more tries, and all are served."""
IDS_SPARE_MIN = 250
IDS_PER_COMMAND = 4
"""More than most commands take, so that few groups have to start over for more."""
ANSWER_SECONDS_MAX = 10.0

log = structlog.get_logger()


class Committer:
    """Takes submissions, answers them after their commit. Start `run()` as a task of its own."""

    def __init__(  # noqa: PLR0913 - each is one thing a process decides
        self,
        store: EventStore,
        *,
        clock: Callable[[], datetime],
        settings: ProgrammeSettings | None = None,
        committed: Callable[[], None] = lambda: None,
        queue_max: int = QUEUE_MAX,
        snapshots: SnapshotKeeper | None = None,
    ) -> None:
        self._store = store
        self._clock = clock
        self._settings = settings or ProgrammeSettings()
        self._committed = committed
        self._waiting = WaitingLine(queue_max)
        self._arrived = asyncio.Event()
        self._states = StateCache(store, snapshots)
        self._ids: list[int] = []

    async def submit(
        self, submission: Submission, *, seconds_max: float = ANSWER_SECONDS_MAX
    ) -> Answer:
        """The answer, after it is durable. Cancelling the caller cancels nothing.

        Raises:
            Rejection: the ledger refuses; nothing but the refusal's record was written.
            Overloaded: the queue is full; nothing was accepted.
            OutcomeUnknown: no answer in time; repeat under the same key.
            Unavailable: the store can't be read; nothing was written.
            ValueError: the store can't hold what the command leads to; nothing was written.
        """
        loop = asyncio.get_running_loop()
        pending = Pending(submission, loop.create_future())
        self._waiting.add(pending)
        self._arrived.set()
        deadline = loop.call_later(seconds_max, pending.answer, OutcomeUnknown())
        try:
            return await asyncio.shield(pending.answered)
        finally:
            deadline.cancel()

    async def submit_all(
        self, submissions: Sequence[Submission]
    ) -> Sequence[Answer | BaseException]:
        """The answers of many, in their order, after all are durable; refusals are among them.

        They wait as long as it takes. Cancelling the caller takes back what was not yet begun.

        Raises:
            Overloaded: the queue can't take them all; some may have been accepted.
        """
        loop = asyncio.get_running_loop()
        answers = [loop.create_future() for _ in submissions]
        try:
            for submission, answered in zip(submissions, answers, strict=True):
                self._waiting.add(Pending(submission, answered))
            self._arrived.set()
            for answered in answers:  # a group is answered at once: few are waited for
                if not answered.done():
                    await asyncio.wait((answered,))
        except BaseException:
            self._arrived.set()
            for answered in answers:
                answered.cancel()
            raise
        return [answered.exception() or answered.result() for answered in answers]

    async def run(self) -> None:
        """Commit group after group until cancelled. A fault answers its group and goes on."""
        group: list[Pending] = []
        try:
            while True:
                await self._arrived.wait()
                self._arrived.clear()
                while self._waiting:
                    group = self._waiting.next_group()
                    try:
                        await self._commit(group)
                    except Exception as error:
                        log.exception("group_failed", commands=len(group))
                        self._states.clear()
                        for pending in group:
                            pending.answer(error)
        finally:
            # The group in hand may have been sent; what waits behind it was never begun.
            for pending in group:
                pending.answer(OutcomeUnknown())
            for pending in self._waiting.take_all():
                pending.answer(Unavailable())

    async def _commit(self, waiting: list[Pending]) -> None:
        try:
            group = await self._decided(waiting)
        except EventStoreUnavailable as error:
            log.warning("event_store_unavailable", error=str(error), commands=len(waiting))
            for pending in waiting:
                pending.answer(Unavailable())
            return
        await self._append(group)

    async def _decided(self, waiting: list[Pending]) -> Group:
        """Load what is likely needed, decide, load what was missed, decide again: until it is all.

        Most groups are decided in one pass, or in two where a name leads to an account.
        """
        waiting = await self._without_repeats(waiting)
        group = Group(missing_streams={PROGRAMME_STREAM} if waiting else set())
        for submission in (pending.submission for pending in waiting):
            handler = HANDLERS[type(submission.command)]
            likely = handler.likely(submission.command)
            group.missing_streams.update(() if likely is None else (likely,))
            group.missing_streams.update(handler.also(submission.command))
            name = external_name(submission)
            group.missing_names.update(() if name is None else (name,))
            group.missing_names.update(likely_names(submission.command))
        await self._ids_for(len(waiting) * IDS_PER_COMMAND)
        while True:
            await self._load_missing(group)
            group.start_over()
            # Starting over takes the same identifiers again, so that a larger stock gets further.
            ids = self._ids.copy()
            at = Circumstances(self._clock(), fresh_ids(ids), self._settings)
            try:
                count = decide_group(waiting, group, at)
            except IdsExhausted:
                await self._ids_for(len(self._ids) + NEW_IDS_MAX)
                continue
            if not (group.missing_streams or group.missing_names):
                self._ids = ids
                self._waiting.add_again(waiting[count:])
                return group

    async def _load_missing(self, group: Group) -> None:
        # Names last: who takes one that is free here also writes to what was read before it.
        group.base.update(await self._states.load(group.missing_streams))
        if group.missing_names:
            names = sorted(group.missing_names)
            found = await self._store.claims(names)
            group.names.update({name: found.get(name) for name in names})

    async def _without_repeats(self, waiting: list[Pending]) -> list[Pending]:
        """Commands whose key stands in the store are answered as they were the first time."""
        keys = [
            (p.submission.client, p.submission.key) for p in waiting if p.submission.key is not None
        ]
        records = await self._store.records(keys) if keys else {}
        if not records:
            return waiting
        streams = {stream for stream in map(stream_of, records.values()) if stream is not None}
        states = States(await self._store.read_streams(sorted(streams)) if streams else {})
        new: list[Pending] = []
        repeated: list[tuple[CommandRecord, Pending]] = []
        for pending in waiting:
            key = pending.submission.key
            record = None if key is None else records.get((pending.submission.client, key))
            if record is None:
                new.append(pending)
            else:
                repeated.append((record, pending))
        for record, pending in sorted(repeated, key=lambda each: each[0].first_position):
            after, count = record.first_position - 1, record.event_count
            written: Sequence[Recorded] = ()
            if count:
                written = await self._store.read_log(after_position=after, limit=count)
            pending.answer(replayed(pending.submission, record, written, states))
        return new

    async def _ids_for(self, count: int) -> None:
        while len(self._ids) < max(count, IDS_SPARE_MIN):
            # In front and backwards: they are taken from the end, the lowest first.
            self._ids[:0] = reversed(await self._store.new_ids(NEW_IDS_MAX))

    async def _append(self, group: Group) -> None:
        """Write what was decided; on a conflict write the rest and decide the conflicting again."""
        decided = group.decided
        while decided:
            units = [d.unit for d in decided if d.unit is not None]
            touched = {PROGRAMME_STREAM}.union(*(d.read | d.written for d in decided))
            expected = {stream_id: group.head(stream_id) for stream_id in touched}
            try:
                result = await self._until_answered(Append(uuid4(), tuple(units), expected))
            except ValueError as error:
                self._one_by_one(decided, error)
                return
            if isinstance(result, Committed):
                self._promote(decided, result)
                break
            decided = self._without_conflicts(decided, result)
        for done in decided:
            _log_fault(done)
            done.pending.answer(done.answer)
        self._committed()

    async def _until_answered(self, group: Append) -> Committed | Conflicted:
        """The outcome of a lost append is unknown: the same group again, until there is one."""
        async for attempt in AsyncRetrying(
            retry=retry_if_exception_type(EventStoreUnavailable),
            wait=wait_random_exponential(multiplier=0.05, max=2.0),
        ):
            with attempt:
                return await self._store.append(group)
        raise AssertionError("unreachable")

    def _promote(self, decided: Sequence[Decided], result: Committed) -> None:
        """The overlay becomes what is known, now that it is durable."""
        position = result.first_position - 1
        for done in decided:
            if done.unit is None:
                continue
            if isinstance(done.answer, Accepted):
                for event in done.unit.events:
                    position += 1
                    head = StreamHead(event.stream_version, position)
                    state = done.answer.states[event.stream_id]
                    self._states.keep(event.stream_id, Versioned(state, head))
            if isinstance(done.answer, Accepted | AlreadyThere):
                done.answer = replace(done.answer, position=position)

    def _without_conflicts(self, decided: Sequence[Decided], result: Conflicted) -> list[Decided]:
        """Drop what conflicts and, transitively, whatever was decided on top of it."""
        programme_moved = PROGRAMME_STREAM in result.streams
        tainted = set(result.streams)
        kept: list[Decided] = []
        dropped: list[Pending] = []
        for done in decided:
            if programme_moved or _conflicts(done, tainted, result):
                tainted |= done.written
                dropped.append(done.pending)
            else:
                kept.append(done)
        self._states.drop(tainted)
        self._again_after_conflict(dropped)
        return kept

    def _one_by_one(self, decided: Sequence[Decided], error: ValueError) -> None:
        """The store can't write one of these: each goes alone, and the guilty one fails alone."""
        if len(decided) == 1:
            decided[0].pending.answer(error)
            return
        for done in decided:
            done.pending.alone = True
        self._waiting.add_again([done.pending for done in decided])

    def _again_after_conflict(self, dropped: Sequence[Pending]) -> None:
        again: list[Pending] = []
        for pending in dropped:
            pending.conflicts += 1
            pending.alone = pending.conflicts >= CONFLICTS_BEFORE_ALONE
            if pending.conflicts > CONFLICTS_MAX:
                pending.answer(TooMuchContention("Others keep changing this account; try again."))
            else:
                again.append(pending)
        self._waiting.add_again(again)


def _log_fault(done: Decided) -> None:
    if isinstance(done.answer, BaseException) and not isinstance(done.answer, Rejection):
        command = type(done.pending.submission.command).__name__
        log.error("decision_failed", command=command, exc_info=done.answer)


def _conflicts(done: Decided, tainted: set[str], result: Conflicted) -> bool:
    """Whether a decision rests on what has changed, or takes a name that is taken."""
    submission = done.pending.submission
    return bool(
        not tainted.isdisjoint(done.read)
        or (submission.client, submission.key) in result.records
        or (done.unit and any((c.kind, c.key) in result.claims for c in done.unit.claims))
    )
