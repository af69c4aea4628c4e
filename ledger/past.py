"""An account as of a moment: which of its events count, and what each did to value then.

By recorded time it is what the ledger knew: a beginning of the stream. By business time it is what
had happened, whenever it was told, and time's own facts count from when they were due. Two things
hold then that a beginning of a stream has by itself: nothing happens to a reward or a redemption
before it is there, and nothing is taken that was not there.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from itertools import takewhile
from typing import NamedTuple

from ledger.account.folding import fold
from ledger.account.lots import WHOLE_SECOND
from ledger.account.rewards import facts_due
from ledger.account.state import Account
from ledger.streams import event_of
from schemas.envelope import Recorded
from schemas.events import Event
from schemas.handover import AccountTakenOver, HandedOver, TakenOver
from schemas.holds import HoldLapsed
from schemas.movements import Book, Movement, moved
from schemas.rewards import RewardActivated, RewardExpired, RewardIssued
from schemas.times import parse_instant

_TO_ITS_END = timedelta(microseconds=999_999)


@dataclass(frozen=True, slots=True)
class Cut:
    """Where to stop: what had happened by an instant, or what the ledger had recorded by it."""

    at: datetime
    recorded: bool = False

    @classmethod
    def told(cls, text: str, zone: str, *, recorded: bool = False) -> "Cut":
        """The cut a person names: whole seconds, as all times are shown, mean their end.

        Raises:
            ValueError: the text is no time.
        """
        at = parse_instant(text, zone)
        return cls(at if "." in text else at + _TO_ITS_END, recorded)


class Happened(NamedTuple):
    """An event that counts. `event` moves what it moved as of the cut, `recorded` has it as told.

    What it took and nothing was there for, of what had happened by then, is `uncovered_minor`: two
    tills have spent it, and the ledger heard of the earlier one later.
    """

    recorded: Recorded
    event: Event
    uncovered_minor: int = 0


class Amounts(NamedTuple):
    """What can be spent, what can't yet, and what is set aside (minor units)."""

    available_minor: int = 0
    pending_minor: int = 0
    held_minor: int = 0

    def plus(self, other: "Amounts") -> "Amounts":
        """Both together."""
        return Amounts(*(a + b for a, b in zip(self, other, strict=True)))

    @classmethod
    def moved_by(cls, movements: Iterable[Movement]) -> "Amounts":
        """What movements add to each, and take from it."""
        change = dict.fromkeys(_NUMBERS, 0)
        for movement in movements:
            if movement.source in change:
                change[movement.source] -= movement.amount_minor
            if movement.target in change:
                change[movement.target] += movement.amount_minor
        return cls(*change.values())


_NUMBERS = (Book.AVAILABLE, Book.PENDING, Book.HELD)


def happened(history: Iterable[Recorded], cut: Cut | None = None) -> Sequence[Happened]:
    """What counts of an account's whole stream, in the order of the log.

    Raises:
        UnknownEvent: the stream holds an event this version has no class for.
    """
    return counting([telling(each) for each in history], cut)


def telling(recorded: Recorded) -> Happened:
    """An event as it was told.

    Raises:
        UnknownEvent: this version has no class for it.
    """
    return Happened(recorded, event_of(recorded))


def counting(told: Sequence[Happened], cut: Cut | None) -> Sequence[Happened]:
    """What of an account's whole stream counts."""
    if cut is None:
        return told
    if cut.recorded:
        return list(takewhile(lambda each: each.recorded.recorded_at <= cut.at, told))
    if all(each.recorded.occurred_at <= cut.at for each in told):
        return told
    moments = _Moments()
    keeps = [moments.of(each) <= cut.at for each in told]
    kept = [each for each, counts in zip(told, keeps, strict=True) if counts]
    return kept if all(keeps[: len(kept)]) else list(_covered(kept))


def account_after(events: Iterable[Happened], account: Account | None = None) -> Account:
    """The account they lead to, from another one on."""
    return fold((each.event for each in events), account)


def due_by(account: Account, at: datetime) -> Sequence[Event]:
    """All that time has brought by an instant and is not among an account's events."""
    return facts_due(account, at, at_most=len(account.holds) + 2 * len(account.open_lots))


def amounts_at(account: Account, at: datetime) -> Amounts:
    """The numbers of an account at an instant: what is due counts, recorded or not."""
    lots = fold(due_by(account, at), account).open_lots.values()
    return Amounts(*(sum(lot.amount(book) for lot in lots) for book in _NUMBERS))


def lots_of(event: Event) -> set[int]:
    """The rewards an event is about, whether it moves value of them or not."""
    lots = {movement.lot for movement in event.movements}
    if isinstance(event, HandedOver):
        lots.update(event.rewards)
    elif isinstance(event, TakenOver):
        lots.update(lot.reward_id for lot in event.lots)
    elif _has(type(event), "reward_id"):
        lots.add(event.reward_id)  # type: ignore[attr-defined]
    return lots


@cache
def _has(cls: type[Event], name: str) -> bool:
    """Whether events of a class have a field: to ask the event itself takes far longer."""
    return name in cls.model_fields


Name = tuple[str, int]


@dataclass(slots=True)
class _Moments:
    """When each event of a stream happened, asked in the order of the log."""

    began: dict[Name, datetime] = field(default_factory=dict)
    touched: dict[int, datetime] = field(default_factory=dict)
    issued: dict[int, datetime] = field(default_factory=dict)

    def of(self, told: Happened) -> datetime:
        """When it occurred: for what time has brought, when that was due; for what is about
        something, not before that was there."""
        event, at = told.event, told.recorded.occurred_at
        lots = lots_of(event)
        due = self._due(event)
        if due is not None:
            since = (self.touched[lot] for lot in lots if lot in self.touched)
            at = min(at, max([due, *since]))
        names = _names(event, lots)
        at = max([at, *(self.began[name] for name in names if name in self.began)])
        for name in names:
            self.began.setdefault(name, at)
        for lot in lots:
            self.touched[lot] = max(at, self.touched.get(lot, at))
        self.issued.update(_issues(event))
        return at

    def _due(self, event: Event) -> datetime | None:
        match event:
            case RewardExpired():
                return event.expires_at + WHOLE_SECOND
            case HoldLapsed():
                return event.held_until
            case RewardActivated():
                return self.issued.get(event.reward_id)
        return None


def _issues(event: Event) -> Mapping[int, datetime]:
    if isinstance(event, RewardIssued):
        return {event.reward_id: event.issued_at}
    if isinstance(event, TakenOver):
        return {lot.reward_id: lot.issued_at for lot in event.lots}
    return {}


def _names(event: Event, lots: Iterable[int]) -> set[Name]:
    """What the event is about, or brings."""
    names = {("reward", lot) for lot in lots}
    for kind in ("redemption", "claim"):
        if _has(type(event), f"{kind}_id"):
            names.add((kind, getattr(event, f"{kind}_id")))
    if isinstance(event, AccountTakenOver):
        names.update(("redemption", each.redemption_id) for each in event.redemptions)
        names.update(("claim", each.claim_id) for each in event.sale_claims)
    if isinstance(event, RewardIssued):
        # It may carry on value of a redemption, which may be another account's by now.
        names.discard(("redemption", event.redemption_id or 0))
    return names


_UNSPENT = (Book.AVAILABLE, Book.PENDING, Book.EXPIRED)


def _covered(kept: Iterable[Happened]) -> Iterator[Happened]:
    """The same events, none of which takes what was not there.

    What was told late took value from where the ledger had it when it heard of it: expired, though
    it had not expired by the cut; available, though only the clock had made it so.
    """
    books: dict[tuple[int, Book], int] = {}
    for each in kept:
        movements: list[Movement] = []
        uncovered = 0
        for movement in each.event.movements:
            found, lacking = _found(books, movement)
            movements += found
            uncovered += lacking
        as_told = tuple(movements) == each.event.movements
        event = (
            each.event if as_told else each.event.model_copy(update={"movements": (*movements,)})
        )
        yield Happened(each.recorded, event, uncovered)


def _found(
    books: dict[tuple[int, Book], int], movement: Movement
) -> tuple[Sequence[Movement], int]:
    """A movement from where its value stands (`books` changes with it), and what stands nowhere."""
    lot, source, target = movement.lot, movement.source, movement.target
    places: tuple[Book, ...] = (source,)
    if source in _UNSPENT and target not in _UNSPENT:
        places = (source, *(book for book in _UNSPENT if book is not source))
    lacking = movement.amount_minor
    found: list[Movement] = []
    for place in places:
        there = lacking if place is Book.ISSUED else books.get((lot, place), 0)
        taken = min(lacking, there)
        books[lot, place] = there - taken
        books[lot, target] = books.get((lot, target), 0) + taken
        found += moved(lot, place, target, taken)
        lacking -= taken
    return found, lacking
