"""Why a number is what it is: the rewards behind it, and all that has happened to each.

Pure. What each step adds to a number and takes from it sums up to the number, exactly: also what
time has brought and nobody has recorded yet is a step.
"""

import math
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, NamedTuple

from ledger.account.folding import fold
from ledger.account.lots import Lot, in_expiry_order
from ledger.account.state import Account
from ledger.past import Amounts, Happened, due_by, lots_of
from schemas.events import Event
from schemas.handover import AccountTakenOver, TakenOver
from schemas.holds import HoldLapsed
from schemas.movements import Book, Movement
from schemas.redemptions import RedemptionRecord
from schemas.rewards import RewardActivated, RewardExpired
from schemas.transactions import TransactionAttached, TransactionLinked, TransactionUnlinked


class Telling(NamedTuple):
    """One event with the profile on whose account it stands."""

    profile_id: str
    told: Happened


@dataclass(frozen=True, slots=True)
class Step:
    """What one event did to one reward. `told` is None for what is due and not recorded yet."""

    profile_id: str
    """Whose account it stands on: a reward may have come from another one."""
    event: Event
    told: Happened | None
    occurred_at: datetime
    movements: tuple[Movement, ...]
    change: Amounts
    after: Amounts
    """What was left of the reward after it."""


@dataclass(frozen=True, slots=True)
class Redeemed:
    """What is known of a redemption beside its value: which sale it was for, and where."""

    redemption_id: int
    external_id: str | None = None
    location_id: int | str | None = None
    transaction_id: int | None = None
    """The sale it has paid for, as of then."""
    transaction_external_id: str | None = None
    transaction_receipt_ref: str | None = None


@dataclass(frozen=True, slots=True)
class Lots:
    """The rewards of an account at an instant, and what makes up its numbers."""

    open: Sequence[Lot]
    """In the order of consumption."""
    closed: Sequence[Lot]
    """Nothing is left of them here; the newest first."""
    due: Sequence[Event]
    """What time had brought, and nobody had recorded."""


def lots_at(account: Account, at: datetime) -> Lots:
    """All rewards an account has had by an instant."""
    due = due_by(account, at)
    then = fold(due, account)
    left = in_expiry_order(then.open_lots.values())
    gone = (lot for number, lot in then.lots.items() if number not in then.open_lots)
    return Lots(left, sorted(gone, key=lambda lot: -lot.id), due)


def amounts_of(lot: Lot) -> Amounts:
    """What a reward adds to each number."""
    return Amounts(lot.amount(Book.AVAILABLE), lot.amount(Book.PENDING), lot.amount(Book.HELD))


def in_order(tellings: Mapping[str, Sequence[Happened]]) -> Sequence[Telling]:
    """What counts of several accounts, in the order of the log."""
    told = (Telling(owner, each) for owner, events in tellings.items() for each in events)
    return sorted(told, key=lambda one: one.told.recorded.position)


def steps_of(
    lots: Mapping[int, Lot], tellings: Sequence[Telling], profile_id: str, due: Iterable[Event]
) -> Mapping[int, Sequence[Step]]:
    """All that has happened to some rewards until they came to a profile and since.

    In the order of the log, and what is due last.
    """
    story = _Story()
    until = _until_it_came(lots, tellings, profile_id)
    for owner, told in tellings:
        position = told.recorded.position
        for lot in sorted(lots.keys() & lots_of(told.event)):
            if position < until.get((owner, lot), 0):
                story.add(owner, told.event, lot, told, told.recorded.occurred_at)
    for event in due:
        for lot in sorted(lots.keys() & lots_of(event)):
            story.add(profile_id, event, lot, None, _due_at(event, lots[lot]))
    return story.steps


def redemptions_in(tellings: Iterable[Telling], numbers: Collection[int]) -> Mapping[int, Redeemed]:
    """What is known of some redemptions."""
    sales: dict[int, str | None] = {}
    known = {number: Redeemed(number) for number in numbers}
    for _, told in tellings:
        if isinstance(told.event, TransactionAttached):
            sales[told.event.transaction_id] = told.event.external_id
        for number, facts in _told_of_redemptions(told.event):
            if number in known:
                known[number] = replace(known[number], **facts)
    return {number: _with_its_sale(each, sales) for number, each in known.items()}


def redemption_of(event: Event) -> int | None:
    """The redemption an event is about."""
    number: int | None = getattr(event, "redemption_id", None)
    return number


@dataclass(slots=True)
class _Story:
    steps: dict[int, list[Step]] = field(default_factory=lambda: defaultdict(list))

    def add(
        self, owner: str, event: Event, lot: int, told: Happened | None, occurred_at: datetime
    ) -> None:
        movements = tuple(m for m in event.movements if m.lot == lot)
        change = Amounts.moved_by(movements)
        so_far = self.steps[lot][-1].after if self.steps[lot] else Amounts()
        step = Step(owner, event, told, occurred_at, movements, change, so_far.plus(change))
        self.steps[lot].append(step)


def _until_it_came(
    lots: Collection[int], tellings: Sequence[Telling], profile_id: str
) -> Mapping[tuple[str, int], float]:
    """Up to which position the events of an account are about a reward that has come from there.

    It may have gone back there since, and that is another profile's story.
    """
    until: dict[tuple[str, int], float] = {(profile_id, lot): math.inf for lot in lots}
    for owner, told in reversed(tellings):
        event, position = told.event, told.recorded.position
        if isinstance(event, TakenOver):
            for lot in lots_of(event).intersection(lots):
                if position < until.get((owner, lot), 0):
                    before = until.get((event.giver, lot), 0)
                    until[event.giver, lot] = max(before, position)
    return until


def _due_at(event: Event, lot: Lot) -> datetime:
    match event:
        case RewardExpired():
            return event.expires_at
        case HoldLapsed():
            return event.held_until
    assert isinstance(event, RewardActivated)
    return lot.terms.issued_at


def _told_of_redemptions(event: Event) -> Iterator[tuple[int, Mapping[str, Any]]]:
    match event:
        case RedemptionRecord():
            yield event.redemption_id, {name: getattr(event, name) for name in _OF_A_REDEMPTION}
        case TransactionLinked():
            yield event.redemption_id, {"transaction_id": event.transaction_id}
        case TransactionUnlinked():
            yield event.redemption_id, {"transaction_id": None}
        case AccountTakenOver():
            for each in event.redemptions:
                yield each.redemption_id, {"transaction_id": each.transaction_id}


def _with_its_sale(redeemed: Redeemed, sales: Mapping[int, str | None]) -> Redeemed:
    """The sale it has paid for says itself what it is called."""
    if redeemed.transaction_id is None or sales.get(redeemed.transaction_id) is None:
        return redeemed
    return replace(redeemed, transaction_external_id=sales[redeemed.transaction_id])


_OF_A_REDEMPTION = (
    "external_id",
    "location_id",
    "transaction_external_id",
    "transaction_receipt_ref",
)
