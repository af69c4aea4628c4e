"""Fills a ledger with a programme: every step a command like any other, decided as of its moment.

The steps go through a committer some weeks at a time, as many at once as keep each account's order.
What is written stands under its key for ever, so a filling that was interrupted goes on where it
was.
"""

from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Any, Final, Protocol

from app.demo.programme import PROGRAMME, Made, Step
from ledger.event_store.port import CommandRecord, EventStore
from ledger.fingerprints import fingerprint
from ledger.personal.stripping import stripped
from ledger.personal.vault import Vault
from ledger.rejections import Rejection
from ledger.streams import event_of
from ledger.submission import Accepted, Answer, Submission
from schemas.events import Event
from schemas.holds import RedemptionHeld
from schemas.redemptions import RedemptionMade
from schemas.reward_definitions import RewardDefinitionAdded
from schemas.rewards import RewardIssued
from schemas.transactions import TransactionRecorded

EPOCH: Final = datetime(2000, 1, 1, tzinfo=UTC)
SPAN: Final = timedelta(days=28)
"""What goes in one go: so far the order in the log may differ from that of the days, for accounts
that have nothing to do with each other."""
PAGE_EVENTS: Final = 1_000
UNPLANNED_KEPT: Final = 20


class SubmitAll(Protocol):
    """`ledger.committer.Committer.submit_all`."""

    async def __call__(
        self, submissions: Sequence[Submission], /
    ) -> Sequence[Answer | BaseException]:
        """The answers, in order."""
        ...


@dataclass
class Tally:
    """What came of the steps so far."""

    steps: int = 0
    before: int = 0
    """Written by an earlier run."""
    refused: int = 0
    """As the story wants it."""
    unplanned: int = 0
    examples: list[str] = field(default_factory=list)
    """Of what came otherwise than the story has it."""

    def differs(self, step: Step, how: str) -> None:
        """A fault of the programme's, or of the ledger's."""
        self.unplanned += 1
        if len(self.examples) < UNPLANNED_KEPT:
            self.examples.append(f"{step.key} {step.kind.__name__} at {step.at}: {how}")


@dataclass
class Filling:
    """One pass over a programme."""

    store: EventStore
    vault: Vault
    submit_all: SubmitAll
    may_go_on: Callable[[], Awaitable[None]]
    """Asked once, before the first step that is new; it raises where nothing may be written."""
    tally: Tally = field(default_factory=Tally)
    _numbers: dict[Made, int] = field(default_factory=dict)
    _all_before: bool = True
    """So far, every step was written by an earlier run."""

    async def take(self, steps: Sequence[Step]) -> None:
        """Take the steps of one span.

        Raises:
            Exception: the ledger can't go on. The same programme again continues from here.
        """
        records = await self._records(steps) if self._all_before else {}
        await self._remember(records)
        known = {key for _, key in records}
        new = [step for step in steps if step.key not in known]
        self.tally.before += len(known)
        self.tally.steps += len(known)
        if new and self._all_before:
            await self.may_go_on()
            self._all_before = False
        for wave in waves(new):
            await self._take(wave)

    async def _take(self, wave: Sequence[Step]) -> None:
        commands = []
        for step in wave:
            try:
                commands.append((step, step.command(self._numbers.__getitem__)))
            except KeyError as missing:
                self.tally.steps += 1
                self.tally.differs(step, f"what it needs was never made: {missing}")
        without = await stripped([command for _, command in commands], self.vault, self.store)
        answers = await self.submit_all(
            [
                Submission(
                    command=each.command,
                    client=step.client,
                    actor=step.client,
                    key=step.key,
                    fingerprint=fingerprint(command, self.vault.fingerprint_key),
                    personal=each.personal,
                    as_of=step.at,
                )
                for (step, command), each in zip(commands, without, strict=True)
            ]
        )
        for (step, _), answer in zip(commands, answers, strict=True):
            self._learn(step, answer)

    def _learn(self, step: Step, answer: Answer | BaseException) -> None:
        self.tally.steps += 1
        if isinstance(answer, Rejection):
            self._refused(step, answer.code, answer.detail)
        elif isinstance(answer, BaseException):
            raise answer
        elif step.refused is not None:
            self.tally.differs(step, f"accepted, and not refused as {step.refused}")
        elif isinstance(answer, Accepted):
            self._numbers.update(made_by(step.key, answer.events))
        else:
            self.tally.differs(step, "somebody else has used its external_id")

    def _refused(self, step: Step, code: str, detail: str) -> None:
        if code == step.refused:
            self.tally.refused += 1
        else:
            self.tally.differs(step, f"{detail} ({code})")

    async def _records(self, steps: Sequence[Step]) -> Mapping[tuple[str, str], CommandRecord]:
        return await self.store.records([(step.client, step.key) for step in steps])

    async def _remember(self, records: Mapping[tuple[str, str], CommandRecord]) -> None:
        """The numbers of what an earlier run has made."""
        spans = [
            (record.first_position, record.first_position + record.event_count - 1, key)
            for (_, key), record in records.items()
            if record.event_count
        ]
        if not spans:
            return
        first, last = min(span[0] for span in spans), max(span[1] for span in spans)
        events: dict[int, Event] = {}
        for after in range(first - 1, last, PAGE_EVENTS):
            page = await self.store.read_log(after_position=after, limit=PAGE_EVENTS)
            events |= {each.position: event_of(each) for each in page if each.position <= last}
        for begin, end, key in spans:
            written = [events[position] for position in range(begin, end + 1)]
            self._numbers.update(made_by(key, written))


def spans(steps: Iterable[Step]) -> Iterator[list[Step]]:
    """The steps of some weeks each; what changes the programme stands between those before and
    those after it."""

    def span(step: Step) -> tuple[int, bool]:
        return (step.at - EPOCH) // SPAN, PROGRAMME in step.streams

    for _, found in groupby(steps, key=span):
        yield list(found)


def waves(steps: Sequence[Step]) -> list[list[Step]]:
    """The steps in so few turns as may be: one that needs another's answer comes a turn later,
    and those about one stream stay in their order.
    """
    turns: dict[str, int] = {}
    made_in: dict[str, int] = {}
    found: list[list[Step]] = []
    for step in steps:
        turn = max((turns.get(stream, 0) for stream in step.streams), default=0)
        turn = max((turn, *(made_in[key] + 1 for key in step.rests_on if key in made_in)))
        turns |= dict.fromkeys(step.streams, turn)
        made_in[step.key] = turn
        while len(found) <= turn:
            found.append([])
        found[turn].append(step)
    return found


def made_by(key: str, events: Iterable[Event]) -> dict[Made, int]:
    """The numbers of what a step has made: the first of each kind."""
    made: dict[Made, int] = {}
    for event in events:
        found = _number_of(event)
        if found is not None:
            made.setdefault(Made(key, found[0]), found[1])
    return made


def _number_of(event: Event) -> Any:
    match event:
        case RewardDefinitionAdded():
            return "definition", event.definition_id
        case RewardIssued():
            return "reward", event.reward_id
        case RedemptionMade() | RedemptionHeld():
            return "redemption", event.redemption_id
        case TransactionRecorded():
            return "transaction", event.transaction_id
    return None
