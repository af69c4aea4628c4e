"""Group commit: commands that arrive while a commit is in flight go together in the next.

One task decides and appends, so a group is decided only after the one before is answered. State
is cached and never trusted: the append checks every stream the group read.
"""

import asyncio
from collections import OrderedDict, deque
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from functools import reduce
from uuid import uuid4

import structlog
from tenacity import AsyncRetrying, retry_if_exception_type, wait_random_exponential

from ledger.commands import HANDLERS, claims_of, evolve_state, fold_recorded
from ledger.decider import Circumstances, ProgrammeSettings
from ledger.event_store.port import (
    APPEND_EVENTS_MAX,
    NEW_IDS_MAX,
    Append,
    Committed,
    Conflicted,
    EventStore,
    EventStoreUnavailable,
    StreamHead,
)
from ledger.group import (
    Decided,
    Group,
    Versioned,
    looked_up,
    names_of,
    new_event,
    standing_claim,
    target_of,
    unit_of,
)
from ledger.programme.reward_definitions import PROGRAMME_STREAM
from ledger.rejections import Rejection, TooMuchContention
from ledger.repeats import answer_to_repeat, outcome_bytes, replayed, stream_of
from ledger.submission import (
    Accepted,
    Answer,
    OutcomeUnknown,
    Overloaded,
    Pending,
    Submission,
    Unavailable,
)

QUEUE_MAX = 5_000
GROUP_MAX = 500
CONFLICTS_MAX = 3
CACHED_STREAMS_MAX = 20_000
IDS_SPARE_MIN = 250
IDS_PER_COMMAND = 4
"""More than most commands take: what is there is checked before a group is decided."""
ANSWER_SECONDS_MAX = 10.0

log = structlog.get_logger()


class Committer:
    """Takes submissions, answers them after their commit. Start `run()` as a task of its own."""

    def __init__(
        self,
        store: EventStore,
        *,
        clock: Callable[[], datetime],
        settings: ProgrammeSettings | None = None,
        committed: Callable[[], None] = lambda: None,
        queue_max: int = QUEUE_MAX,
    ) -> None:
        self._store = store
        self._clock = clock
        self._settings = settings or ProgrammeSettings()
        self._committed = committed
        self._queue: deque[Pending] = deque()
        self._queue_max = queue_max
        self._arrived = asyncio.Event()
        self._cache: OrderedDict[str, Versioned] = OrderedDict()
        self._ids: deque[int] = deque()

    async def submit(
        self, submission: Submission, *, seconds_max: float = ANSWER_SECONDS_MAX
    ) -> Answer:
        """The answer, after it is durable. Cancelling the caller cancels nothing.

        Raises:
            Rejection: the ledger refuses; nothing but the refusal's record was written.
            Overloaded: the queue is full; nothing was accepted.
            OutcomeUnknown: no answer in time; repeat under the same key.
            Unavailable: the store can't be read; nothing was written.
        """
        if len(self._queue) >= self._queue_max:
            raise Overloaded
        pending = Pending(submission, asyncio.get_running_loop().create_future())
        self._queue.append(pending)
        self._arrived.set()
        try:
            return await asyncio.wait_for(asyncio.shield(pending.answered), seconds_max)
        except TimeoutError:
            raise OutcomeUnknown from None

    async def run(self) -> None:
        """Commit group after group until cancelled. A fault answers its group and goes on."""
        while True:
            await self._arrived.wait()
            self._arrived.clear()
            while self._queue:
                group = self._next_group()
                try:
                    await self._commit(group)
                except Exception as error:
                    log.exception("group_failed", commands=len(group))
                    self._cache.clear()
                    for pending in group:
                        pending.answer(error)

    def _next_group(self) -> list[Pending]:
        """First in, first out. A second command under one name waits for the first's outcome."""
        group: list[Pending] = []
        names: set[tuple[str, str]] = set()
        later: list[Pending] = []
        while self._queue and len(group) < GROUP_MAX:
            if self._queue[0].alone and group:
                break
            pending = self._queue.popleft()
            mine = names_of(pending.submission)
            if names.isdisjoint(mine):
                group.append(pending)
            else:
                later.append(pending)
            names.update(mine)
            if pending.alone:
                break
        self._queue.extendleft(reversed(later))
        return group

    async def _commit(self, waiting: list[Pending]) -> None:
        try:
            group = await self._prepared(waiting)
        except EventStoreUnavailable as error:
            log.warning("event_store_unavailable", error=str(error), commands=len(waiting))
            for pending in waiting:
                pending.answer(Unavailable())
            return
        await self._append(group)

    async def _prepared(self, waiting: list[Pending]) -> Group:
        """Everything the decisions need, in a fixed number of round trips; then the decisions."""
        waiting = await self._without_repeats(waiting)
        names = [name for pending in waiting for name in looked_up(pending.submission)]
        group = Group(base={}, names=dict(await self._store.claims(names)) if names else {})
        needed = {PROGRAMME_STREAM} if waiting else set()
        for pending in waiting:
            target = target_of(pending.submission, group.names)
            needed.update(() if target is None else (target,))
            standing = standing_claim(pending.submission, group.names)
            needed.update(() if standing is None else (standing.stream_id,))
        group.base = await self._loaded(needed)
        await self._enough_ids(len(waiting))
        for index, pending in enumerate(waiting):
            if group.event_count >= APPEND_EVENTS_MAX // 2:
                self._again(waiting[index:])
                break
            group.decided.append(self._decide(pending, group))
        return group

    async def _without_repeats(self, waiting: list[Pending]) -> list[Pending]:
        """Commands whose key stands in the store are answered as they were the first time."""
        keys = [
            (p.submission.client, p.submission.key) for p in waiting if p.submission.key is not None
        ]
        if not keys:
            return waiting
        records = await self._store.records(keys)
        streams = {stream for stream in map(stream_of, records.values()) if stream is not None}
        histories = await self._store.read_streams(sorted(streams)) if streams else {}
        new: list[Pending] = []
        for pending in waiting:
            record = records.get((pending.submission.client, pending.submission.key or ""))
            if record is None or pending.submission.key is None:
                new.append(pending)
            else:
                pending.answer(replayed(pending.submission, record, histories))
        return new

    async def _loaded(self, stream_ids: set[str]) -> dict[str, Versioned]:
        missing = [stream_id for stream_id in stream_ids if stream_id not in self._cache]
        if missing:
            for stream_id, history in (await self._store.read_streams(missing)).items():
                last = history[-1] if history else None
                head = StreamHead(last.stream_version, last.position) if last else StreamHead()
                self._cache[stream_id] = Versioned(fold_recorded(stream_id, history), head)
        for stream_id in stream_ids:
            self._cache.move_to_end(stream_id)
        return {stream_id: self._cache[stream_id] for stream_id in stream_ids}

    async def _enough_ids(self, commands: int) -> None:
        if len(self._ids) < max(commands * IDS_PER_COMMAND, IDS_SPARE_MIN):
            self._ids.extend(await self._store.new_ids(NEW_IDS_MAX))

    def _decide(self, pending: Pending, group: Group) -> Decided:
        """One command on the overlay. A guilty command fails alone and leaves no trace."""
        submission = pending.submission
        stream_id = target_of(submission, group.names)
        try:
            return self._accepted(pending, stream_id, group)
        except Rejection as rejection:
            unit = unit_of(submission, (), (), outcome_bytes(rejection))
            return Decided(pending, rejection, unit, stream_id)
        except Exception as error:
            log.exception("decision_failed", command=type(submission.command).__name__)
            return Decided(pending, error)

    def _accepted(self, pending: Pending, stream_id: str | None, group: Group) -> Decided:
        submission = pending.submission
        standing = standing_claim(submission, group.names)
        if standing is not None:
            state = group.state(standing.stream_id).state
            answer = answer_to_repeat(submission, standing, state)
            unit = unit_of(submission, (), (), outcome_bytes(answer))
            return Decided(pending, answer, unit, standing.stream_id)
        handler = HANDLERS[type(submission.command)]
        if stream_id is None:
            assert handler.missing is not None
            raise handler.missing(submission.command)
        before, programme = group.state(stream_id), group.state(PROGRAMME_STREAM).state
        at = Circumstances(self._clock(), self._fresh_ids(), self._settings)
        events = handler.decide(submission.command, before.state, programme, at)
        after = reduce(evolve_state, events, before.state)
        new = tuple(
            new_event(event, stream_id, before.head.version + nth, at.now)
            for nth, event in enumerate(events, 1)
        )
        claims = tuple(
            c for event in events for c in claims_of(event, stream_id, submission.fingerprint)
        )
        accepted = Accepted(stream_id, events, after)
        unit = unit_of(submission, new, claims, outcome_bytes(accepted))
        group.overlay[stream_id] = Versioned(after, StreamHead(before.head.version + len(new)))
        group.event_count += len(new)
        return Decided(pending, accepted, unit, stream_id)

    def _fresh_ids(self) -> Iterator[int]:
        while True:
            yield self._ids.popleft()

    async def _append(self, group: Group) -> None:
        """Write what was decided; on a conflict write the rest and decide the conflicting again."""
        decided = group.decided
        while True:
            units = [d.unit for d in decided if d.unit is not None]
            if not units:
                break
            touched = {PROGRAMME_STREAM} | {d.stream_id for d in decided if d.stream_id}
            expected = {stream_id: group.base[stream_id].head for stream_id in touched}
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
        position = result.first_position
        for done in decided:
            if done.unit is None or done.stream_id is None or not done.unit.events:
                continue
            position += len(done.unit.events)
            assert isinstance(done.answer, Accepted)
            head = StreamHead(done.unit.events[-1].stream_version, position - 1)
            self._cache[done.stream_id] = Versioned(done.answer.state, head)
        while len(self._cache) > CACHED_STREAMS_MAX:
            self._cache.popitem(last=False)

    def _without_conflicts(self, decided: Sequence[Decided], result: Conflicted) -> list[Decided]:
        """Drop what conflicts and, transitively, whatever was decided on top of it."""
        programme_moved = PROGRAMME_STREAM in result.streams
        tainted = set(result.streams)
        kept: list[Decided] = []
        dropped: list[Pending] = []
        for done in decided:
            submission = done.pending.submission
            guilty = (
                programme_moved
                or done.stream_id in tainted
                or (submission.client, submission.key) in result.records
                or (done.unit and any((c.kind, c.key) in result.claims for c in done.unit.claims))
            )
            if guilty:
                tainted.update(() if done.stream_id is None else (done.stream_id,))
                dropped.append(done.pending)
            else:
                kept.append(done)
        for stream_id in tainted:
            self._cache.pop(stream_id, None)
        self._again_after_conflict(dropped)
        return kept

    def _one_by_one(self, decided: Sequence[Decided], error: ValueError) -> None:
        """The store can't write one of these: each goes alone, and the guilty one fails alone."""
        if len(decided) == 1:
            decided[0].pending.answer(error)
            return
        for done in decided:
            done.pending.alone = True
        self._again([done.pending for done in decided])

    def _again_after_conflict(self, dropped: Sequence[Pending]) -> None:
        again: list[Pending] = []
        for pending in dropped:
            pending.conflicts += 1
            pending.alone = pending.conflicts == CONFLICTS_MAX
            if pending.conflicts > CONFLICTS_MAX:
                pending.answer(TooMuchContention("Others keep changing this account; try again."))
            else:
                again.append(pending)
        self._again(again)

    def _again(self, pending: Sequence[Pending]) -> None:
        self._queue.extendleft(reversed(pending))
