"""Given–when–then for decisions: what has happened, what is asked at which moment, what follows.

Events of one story belong to the account of p-1, to the programme, or to a transaction, as their
type says; `elsewhere` tells of another profile. Fresh ids of the first command are 100, 101, …,
those of the next one 200, 201, …
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import count
from typing import Any

import pytest
from deciders.scenario import NOW, minor, moment, registered

from ledger.account.folding import fold
from ledger.account.rewards import facts_due
from ledger.account.state import Account
from ledger.commands import HANDLERS
from ledger.decider import Circumstances, Decision, ProgrammeSettings
from ledger.programme.counters import counter_stream
from ledger.programme.state import PROGRAMME_STREAM, Programme
from ledger.receipts.state import RECEIPT_EVENTS, receipt_stream
from ledger.rejections import Rejection
from ledger.streams import State, account_stream, evolve_state, initial_state
from ledger.transactions.state import TRANSACTION_EVENTS, Transaction, transaction_stream
from schemas.commands import Command
from schemas.events import Event, decode, encode
from schemas.holds import RedemptionHeld
from schemas.profiles import ProfileRegistered
from schemas.programme import ProgrammeSettingsChanged
from schemas.redemptions import RedemptionMade, RedemptionReturned, RedemptionReversed
from schemas.reward_definitions import (
    DefinitionIssueCounted,
    DefinitionTerms,
    RewardDefinitionArchived,
)
from schemas.rewards import RewardIssued
from schemas.transaction_changes import TransactionChanged, TransactionUnattached
from schemas.transactions import TransactionRecorded

_OF_A_TRANSACTION = tuple(set(TRANSACTION_EVENTS) - {TransactionUnattached})
Names = Mapping[tuple[str, str], str]
Written = tuple[tuple[str, Event], ...]
"""Events, each with its stream."""


@dataclass(frozen=True)
class Elsewhere:
    """What happened to another profile's account."""

    profile_id: str
    events: tuple[Event, ...]


@dataclass(frozen=True)
class OnSale:
    """What stands in a transaction's stream, where the account has the same kind of event."""

    transaction_id: int
    events: tuple[Event, ...]


def on_sale(transaction_id: int, *events: Event) -> OnSale:
    """These events belong to the transaction's stream."""
    return OnSale(transaction_id, events)


Told = Event | Elsewhere | OnSale


def elsewhere(profile_id: str, *events: Event) -> Elsewhere:
    """These events belong to another profile, which is registered."""
    return Elsewhere(profile_id, events)


@dataclass(frozen=True)
class Given:
    """A history, and the rules of the programme."""

    history: Written
    settings: ProgrammeSettings = field(default_factory=ProgrammeSettings)
    commands: int = 0
    limited: bool = False
    learned_at: datetime | None = None
    names: Names = field(default_factory=dict)
    """Names taken that no event tells."""
    released: tuple[tuple[str, str], ...] = ()
    """Names the last command has let go of."""
    forgotten: tuple[str, ...] = ()
    """Streams whose identities it has let go of, all of them."""

    def naming(self, name: tuple[str, str], stream_id: str) -> "Given":
        """The same, with a name taken by a stream."""
        return replace(self, names={**self.names, name: stream_id})

    def then_released(self, *names: tuple[str, str]) -> "Given":
        """Exactly these names are free now."""
        assert self.released == names
        return self

    def learned(self, at: str) -> "Given":
        """The same, told to the ledger only at this moment."""
        return replace(self, learned_at=moment(at))

    def under(self, **settings: Any) -> "Given":
        """The same under other rules."""
        return replace(self, settings=replace(self.settings, **settings))

    def as_staff(self) -> "Given":
        """The same for somebody whom the limits of staff hold for."""
        return replace(self, limited=True)

    def state(self, stream_id: str) -> State:
        """What the events of a stream lead to."""
        state = initial_state(stream_id)
        for of, event in self.history:
            if of == stream_id:
                state = evolve_state(state, event)
        return state

    def account(self, profile_id: str = "p-1") -> Account:
        """The account this history leads to."""
        account = self.state(account_stream(profile_id))
        assert isinstance(account, Account)
        return account

    def programme(self) -> Programme:
        """The programme this history leads to."""
        programme = self.state(PROGRAMME_STREAM)
        assert isinstance(programme, Programme)
        return programme

    def transaction(self, transaction_id: int) -> Transaction:
        """The transaction this history leads to."""
        transaction = self.state(transaction_stream(transaction_id))
        assert isinstance(transaction, Transaction)
        return transaction

    def when(self, command: Command, *, at: str = NOW, **brings: Any) -> "When":
        """The command is decided at this moment; the edge may bring something beside it."""
        return When(replace(self, commands=self.commands + 1), command, moment(at), brings)

    def then_balance(self, amount: str, *, at: str = NOW) -> "Given":
        """The balance that can be spent at a moment, once the facts due by then are recorded."""
        account, now = self.account(), moment(at)
        balance = fold(facts_due(account, now), account).available_minor(now)
        assert balance == minor(amount)
        return self

    def then_owners(self, owners: dict[int, str | None]) -> "Given":
        """Whose each transaction is."""
        assert {number: self.transaction(number).profile_id for number in owners} == owners
        return self


@dataclass(frozen=True)
class When:
    """A command about to be decided."""

    given: Given
    command: Command
    now: datetime
    brings: Mapping[str, Any] = field(default_factory=dict)

    def then(self, *expected: Told) -> Given:
        """Exactly these events follow, stream by stream; the story may go on from there."""
        decision = self._decide()
        for stream_id in _streams(decision.written) | _streams(_placed(expected)):
            assert _of(stream_id, decision.written) == _of(stream_id, _placed(expected))
        return self._after(decision)

    def accepted(self) -> Given:
        """Whatever follows, follows; the story goes on from there."""
        return self._after(self._decide())

    def _after(self, decision: Decision) -> Given:
        history = self.given.history + decision.written
        return replace(
            self.given, history=history, released=decision.releases, forgotten=decision.forgets
        )

    def then_nothing(self) -> Given:
        """The command is accepted and there is nothing to write."""
        return self.then()

    def then_refused(self, refusal: type[Rejection], **facts: Any) -> Given:
        """The command is refused for this reason, and nothing has changed."""
        streams = _streams(self.given.history)
        before = [self.given.state(stream_id) for stream_id in streams]
        with pytest.raises(Rejection) as refused:
            self._decide()
        assert type(refused.value) is refusal
        assert refused.value.facts == facts
        assert before == [self.given.state(stream_id) for stream_id in streams]
        return self.given

    def _decide(self) -> Decision:
        ids = count(100 * self.given.commands)
        settings = self.given.programme().settings or self.given.settings
        at = Circumstances(
            self.now,
            ids,
            settings,
            limited=self.given.limited,
            learned_at=self.given.learned_at,
            **self.brings,
        )
        view = _View(self.given)
        decision = HANDLERS[type(self.command)].decide(self.command, view, at)
        assert all(_stored_and_read(event) == event for event in decision.events)
        for stream_id in _streams(decision.written):
            before = self.given.state(stream_id)
            if isinstance(before, Account):
                _sound(_of(stream_id, decision.written), before, self.now)
        return decision


@dataclass(frozen=True)
class _View:
    """What a decision sees here: the states the history leads to, and the names taken in it."""

    given: Given

    def state(self, stream_id: str) -> State:
        return self.given.state(stream_id)

    def stream_named(self, kind: str, key: str) -> str | None:
        taken: dict[tuple[str, str], str] = dict(self.given.names)
        for stream_id, event in self.given.history:
            for of_kind, name in _names(event):
                free = _first_free(of_kind, name, stream_id, taken)
                taken.setdefault((free, name), stream_id)
        return taken.get((kind, key))


def given(*happened: Told) -> Given:
    """What has happened so far; whoever has a reward is registered."""
    events = [event for event in happened if isinstance(event, Event)]
    has_rewards = any(isinstance(event, RewardIssued) for event in events)
    is_registered = any(isinstance(event, ProfileRegistered) for event in events)
    first = (registered(),) if has_rewards and not is_registered else ()
    return Given(_placed((*first, *happened)))


def _placed(events: Iterable[Told]) -> Written:
    placed: list[tuple[str, Event]] = []
    for event in events:
        if isinstance(event, Event):
            placed.append((_stream_of(event), event))
            continue
        if isinstance(event, OnSale):
            stream_id = transaction_stream(event.transaction_id)
        else:
            stream_id = account_stream(event.profile_id)
        placed.extend((stream_id, one) for one in event.events)
    return tuple(placed)


def _stream_of(event: Event) -> str:
    match event:
        case DefinitionTerms() | RewardDefinitionArchived() | ProgrammeSettingsChanged():
            return PROGRAMME_STREAM
        case DefinitionIssueCounted():
            return counter_stream(event.definition_id)
        case _ if isinstance(event, _OF_A_TRANSACTION):
            return transaction_stream(event.transaction_id)
        case _ if isinstance(event, RECEIPT_EVENTS):
            return receipt_stream(event.receipt_ref)
    return account_stream("p-1")


def _streams(written: Written) -> set[str]:
    return {stream_id for stream_id, _ in written}


def _of(stream_id: str, written: Written) -> tuple[Event, ...]:
    return tuple(event for of, event in written if of == stream_id)


def _names(event: Event) -> Iterator[tuple[str, str]]:
    match event:
        case RewardIssued():
            yield "reward", str(event.reward_id)
        case RedemptionMade() | RedemptionHeld():
            yield "redemption", str(event.redemption_id)
            if event.external_id is not None:
                yield "redemption.external_id", event.external_id
            if event.transaction_external_id is not None:
                yield "transaction.announced", event.transaction_external_id
        case RedemptionReversed():
            yield "redemption", str(event.reversal_id)
        case RedemptionReturned():
            yield "redemption", str(event.return_id)
        case (
            TransactionRecorded(external_id=str(external_id))
            | TransactionChanged(external_id=str(external_id))
        ):
            yield "transaction.external_id", external_id


def _first_free(kind: str, key: str, stream_id: str, taken: dict[tuple[str, str], str]) -> str:
    """A sale that is announced by one profile after the other has a name for each."""
    kinds = [kind, *(f"{kind}.{number}" for number in range(2, 10))]
    return next(k for k in kinds if taken.get((k, key), stream_id) == stream_id)


def _sound(events: Iterable[Event], account: Account, now: datetime) -> None:
    """What holds for every decision: value is conserved, and no due fact is left behind."""
    after = fold(events, account)
    assert facts_due(after, now) == ()
    for lot in after.lots.values():
        assert sum(lot.books.values()) == lot.issued_minor
        assert all(amount >= 0 for amount in lot.books.values())


def _stored_and_read(event: Event) -> Event:
    return decode(type(event).__name__, event.SCHEMA_VERSION, encode(event))
