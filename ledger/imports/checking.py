"""Phase 1: every row judged by the very decision that will write it, and nothing written.

What the file itself has issued before counts, wherever a definition's rules ask for it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from typing import Any

from ledger.addressing import account_of
from ledger.commands import HANDLERS
from ledger.decider import Circumstances, Decision, ProgrammeSettings
from ledger.event_store.port import EventStore
from ledger.group import NotLoaded
from ledger.imports.csv_lines import Line
from ledger.imports.reward_rows import RewardRow
from ledger.imports.run import (
    PIECE_ROWS,
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
from ledger.programme.state import PROGRAMME_STREAM, Programme
from ledger.rejections import ExternalIdTaken, Rejection, UnknownProfile
from ledger.state_cache import StateCache
from ledger.streams import account_stream, evolve_state
from schemas.rewards import IssueReward, RewardIssued

Progress = Callable[[Tally], None]


@dataclass(frozen=True, slots=True)
class Rules:
    """What an import is judged by."""

    clock: Callable[[], datetime]
    settings: ProgrammeSettings
    """Those of the environment; the programme's own go before them."""
    create_profiles: bool = False
    limited: bool = False
    """The limits of staff hold."""


@dataclass
class Check:
    """One pass over a file."""

    store: EventStore
    profiles: ProfilesByIdentity
    rules: Rules
    rejected: Rejected
    piece_rows: int = PIECE_ROWS
    tally: Tally = field(default_factory=Tally)
    spoilt: set[int] = field(default_factory=set)
    """The lines that can't be written."""

    async def run(self, file: FileOfRows, progress: Progress = lambda _: None) -> None:
        """Judge every row.

        Raises:
            EventStoreUnavailable: the store can't be read.
        """
        rehearsal = _Rehearsal(self.store, self.rules)
        for piece in pieces(file.rows, self.piece_rows):
            self.tally.rows += len(piece)
            for each in piece:
                if not isinstance(each, RewardRow):
                    self._reject(each[0], str(each[1]))
            await self._judge(file, [e for e in piece if isinstance(e, RewardRow)], rehearsal)
            progress(self.tally)

    async def _judge(
        self, file: FileOfRows, rows: Sequence[RewardRow], rehearsal: "_Rehearsal"
    ) -> None:
        done = await done_before(file, [row.line.number for row in rows], self.store)
        for row in rows:
            refusal = done.get(row.line.number)
            if refusal is not None:
                self._reject(row.line, refusal)
        self.tally.done_before += sum(refusal is None for refusal in done.values())
        new = [row for row in rows if row.line.number not in done]
        ready = await addressed(new, self.profiles, self._reject)
        for each, judged in zip(ready, await rehearsal.judge(ready), strict=True):
            if isinstance(judged, Rejection):
                self._reject(each.line, told(judged))
            else:
                self.tally.count(judged)

    def _reject(self, line: Line, why: str) -> None:
        self.tally.rejected += 1
        self.spoilt.add(line.number)
        self.rejected(line, why)


class _Rehearsal:
    """A view of the streams that remembers what was decided, as far as a rule could ask for it."""

    def __init__(self, store: EventStore, rules: Rules) -> None:
        self._store = store
        self._rules = rules
        self._cache = StateCache(store)
        self._loaded: dict[str, Any] = {}
        self._names: dict[tuple[str, str], str | None] = {}
        self._overlay: dict[str, Any] = {}
        self._external_ids: set[str] = set()
        self._missing: set[str] = set()
        self._missing_names: set[tuple[str, str]] = set()

    def state(self, stream_id: str) -> Any:
        """See `View`."""
        found = self._overlay.get(stream_id) or self._loaded.get(stream_id)
        if found is None:
            self._missing.add(stream_id)
            raise NotLoaded(stream_id)
        return found

    def stream_named(self, kind: str, key: str) -> str | None:
        """See `View`."""
        if (kind, key) not in self._names:
            self._missing_names.add((kind, key))
            raise NotLoaded(key)
        return self._names[(kind, key)]

    async def judge(self, rows: Sequence[Addressed]) -> list[RewardIssued | Rejection]:
        """What each row, after those before it, would issue, or why it wouldn't."""
        self._loaded.clear()
        self._names.clear()
        self._missing = {account_stream(row.command.profile_id) for row in rows}
        self._missing.add(PROGRAMME_STREAM)
        self._missing_names = {
            ("reward.external_id", row.command.external_id)
            for row in rows
            if row.command.external_id is not None
        }
        at = Circumstances(
            self._rules.clock(), count(1), self._rules.settings, limited=self._rules.limited
        )
        judged: list[RewardIssued | Rejection] = []
        while len(judged) < len(rows):
            await self._load()
            for row in rows[len(judged) :]:
                try:
                    judged.append(self._judged(row.command, at))
                except NotLoaded:
                    break
        return judged

    async def _load(self) -> None:
        loaded = await self._cache.load(self._missing)
        self._loaded.update((stream_id, each.state) for stream_id, each in loaded.items())
        if self._missing_names:
            found = await self._store.claims(sorted(self._missing_names))
            for name in self._missing_names:
                self._names[name] = found[name].stream_id if name in found else None
        self._missing, self._missing_names = set(), set()

    def _judged(self, command: IssueReward, at: Circumstances) -> RewardIssued | Rejection:
        try:
            programme: Programme = self.state(PROGRAMME_STREAM)
            account = self.state(account_of(command.profile_id, self))
            if not (account.registered or self._rules.create_profiles):
                raise UnknownProfile(
                    "No such profile; --create-profiles imports to unknown ones.",
                    field="profile_id",
                )
            self._refuse_taken(command)
            settings = programme.settings or at.settings
            if settings is not at.settings:
                at = Circumstances(at.now, at.ids, settings, limited=at.limited)
            decision = HANDLERS[IssueReward].decide(command, self, at)
        except Rejection as rejection:
            return rejection
        self._remember(command, decision, programme)
        return next(each for each in decision.events if isinstance(each, RewardIssued))

    def _refuse_taken(self, command: IssueReward) -> None:
        if command.external_id is None:
            return
        taken = self.stream_named("reward.external_id", command.external_id) is not None
        if taken or command.external_id in self._external_ids:
            raise ExternalIdTaken(
                "Another reward has it, or another row of this file.", field="external_id"
            )

    def _remember(self, command: IssueReward, decision: Decision, programme: Programme) -> None:
        if command.external_id is not None:
            self._external_ids.add(command.external_id)
        if not _has_rules(programme):
            return
        for stream_id, event in decision.written:
            self._overlay[stream_id] = evolve_state(self.state(stream_id), event)


def _has_rules(programme: Programme) -> bool:
    """Whether any definition asks for more than its own terms: only then must a row be kept."""
    return any(
        each.terms.max_per_profile is not None
        or each.terms.max_total is not None
        or each.terms.eligibility is not None
        for each in programme.definitions.values()
    )
