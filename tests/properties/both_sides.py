"""Two committers over one store, and the model beside them: how both are asked, and compared."""

import asyncio
from collections.abc import Callable
from typing import Any

from hypothesis.stateful import RuleBasedStateMachine
from properties.books_read import BooksRead
from properties.model import Refused
from properties.moments import START, instant
from properties.sales_model import SalesModel

from ledger.committer import Committer
from ledger.decider import ProgrammeSettings
from ledger.event_store.memory import MemoryEventStore
from ledger.rejections import Rejection
from ledger.streams import State, event_of, evolve_state, initial_state
from ledger.submission import Accepted, AlreadyThere, Submission
from schemas.commands import Command
from schemas.events import Event
from schemas.redemptions import MakeRedemption, RedemptionReturned, RedemptionReversed
from schemas.transaction_changes import RedemptionsSpread, TransactionChanges
from schemas.transactions import RedemptionAttributed


class BothSides(RuleBasedStateMachine):
    """The machinery; what can happen, and what must hold, stands with the machine itself."""

    model: SalesModel

    def __init__(self) -> None:
        super().__init__()
        self.now = START
        self.store = MemoryEventStore(clock=lambda: instant(self.now))
        self.runner = asyncio.Runner()
        self.states: dict[str, State] = {}
        self.shares: dict[int, RedemptionAttributed | RedemptionsSpread] = {}
        self.books = BooksRead()
        self.position = 0
        self.answered: list[tuple[Command, str, Any]] = []
        self.named: dict[tuple[str, str], tuple[str, int]] = {}

    def _start(self, rules: ProgrammeSettings) -> None:
        self.processes = [
            Committer(self.store, clock=lambda: instant(self.now), settings=rules) for _ in range(2)
        ]
        self.tasks = [self.runner.get_loop().create_task(p.run()) for p in self.processes]

    def teardown(self) -> None:
        for task in self.tasks:
            self.runner.get_loop().call_soon(task.cancel)
        self.runner.run(asyncio.sleep(0))
        self.runner.close()

    def _both(
        self, command: Command, by: int, expected: Callable[[tuple[Event, ...]], None]
    ) -> None:
        """The ledger answers, then the model; `expected` raises what it has to refuse."""
        tried = None if by % 2 else self._send(command, None, by=by, dry_run=True)
        key = f"k-{len(self.answered)}"
        answer = self._send(command, key, by=by // 2)
        self.answered.append((command, key, answer))
        if tried is not None:
            assert type(tried) is type(answer), (tried, answer)
            if isinstance(answer, Accepted):
                assert list(map(type, tried.events)) == list(map(type, answer.events))
        if self._is_repeat(command, answer):
            return
        events = answer.events if isinstance(answer, Accepted) else ()
        refused = _refusal(lambda: expected(events))
        if refused is None:
            assert isinstance(answer, Accepted), f"refused: {answer!r}"
        else:
            assert isinstance(answer, Rejection), f"accepted, but expected {refused.code}"
            assert (answer.code, answer.facts) == (refused.code, refused.facts)

    def _is_repeat(self, command: Command, answer: Any) -> bool:
        """A second request under one external_id: what is there, or refused."""
        kind = "redemption" if isinstance(command, MakeRedemption) else "transaction"
        name = getattr(command, "external_id", None)
        if isinstance(command, TransactionChanges) or (kind, name) not in self.named:
            return False
        body, number = self.named[kind, name]
        same = body == command.model_dump_json()
        in_use = kind == "transaction" or self.model.out(number) or self.model.is_held(number)
        if same and in_use:
            assert isinstance(answer, AlreadyThere)
        else:
            assert isinstance(answer, Rejection)
            assert answer.code == "external_id_taken"
        return True

    def _name(self, kind: str, name: str | None, command: Command, number: int) -> None:
        if name is not None:
            self.named[kind, name] = command.model_dump_json(), number

    def _brought(self, command: Command) -> dict[str, Any]:
        """What the edge adds to a command."""
        return {}

    def _send(
        self, command: Command, key: str | None, *, by: int = 0, dry_run: bool = False
    ) -> Any:
        """The answer of one of the two processes, or its refusal."""
        body = command.model_dump_json().encode()
        submission = Submission(
            command,
            "c",
            "a",
            key=key,
            fingerprint=body,
            dry_run=dry_run,
            **self._brought(command),
        )
        try:
            return self.runner.run(self.processes[by % 2].submit(submission))
        except Rejection as refusal:
            return refusal

    def _finished(self, events: tuple[Event, ...]) -> None:
        for event in events:
            if isinstance(event, RedemptionReversed):
                self.model.finished(event.reversal_id, event.redemption_id)
            if isinstance(event, RedemptionReturned):
                self.model.finished(event.return_id, event.redemption_id)

    def _read_on(self) -> None:
        """Fold what the log has got since the last step."""
        page = self.runner.run(self.store.read_log(after_position=self.position, limit=1000))
        for recorded in page:
            self.position = recorded.position
            state = self.states.get(recorded.stream_id, initial_state(recorded.stream_id))
            event = event_of(recorded)
            self.states[recorded.stream_id] = evolve_state(state, event)
            self.books.read(recorded, event)
            if isinstance(event, RedemptionAttributed | RedemptionsSpread):
                self.shares[event.transaction_id] = event

    def _some_redemption(self, which: int) -> int:
        """Mostly a late one: the older ones are often closed already."""
        redemptions = list(self.model.redemptions)
        if redemptions and which % 5:
            return int(redemptions[-1 - which // 5 % min(3, len(redemptions))])
        records = [*redemptions, *self.model.final, 999_999]
        return int(records[which // 5 % len(records)])

    def _some_hold(self, which: int) -> int:
        """Mostly one that is open."""
        opened = [number for number in self.model.redemptions if self.model.is_held(number)]
        if opened and which % 5:
            return int(opened[which // 5 % len(opened)])
        return self._some_redemption(which)

    def _free_redemption(self, which: int) -> int:
        """Mostly one that may still be linked, the latest first."""
        known = self.model.redemptions
        free = [n for n in known if known[n]["sale"] is None and self.model.out(n)]
        return (
            free[-1 - which // 6 % len(free)]
            if free and which % 6
            else (self._some_redemption(which))
        )

    def _some_sale(self, which: int) -> int:
        """Mostly one that lives."""
        sales = [*self.model.sales, 999_999]
        live = [number for number, sale in self.model.sales.items() if not sale["void"]]
        return (
            live[-1 - which // 7 % len(live)]
            if live and which % 7
            else (sales[-1 - which // 7 % len(sales)])
        )


def _refusal(expected: Callable[[], None]) -> Refused | None:
    try:
        expected()
    except Refused as refused:
        return refused
    return None
