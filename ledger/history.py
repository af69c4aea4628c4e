"""Why a balance is what it is: an account's events in words, each with the balance after it.

Pure: from what the store recorded to what a person reads. The command line and the API share it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from ledger.account.folding import evolve, fold
from ledger.account.rewards import facts_due
from ledger.account.state import Account
from ledger.event_words import in_words
from ledger.streams import event_of
from schemas.amounts import from_minor
from schemas.envelope import Recorded
from schemas.events import Event
from schemas.movements import Book, Movement


@dataclass(frozen=True, slots=True)
class Cut:
    """Where to stop: what had occurred by an instant, or what the ledger had recorded by it."""

    at: datetime
    recorded: bool = False

    def keeps(self, recorded: Recorded) -> bool:
        """Whether an event belongs to the history up to this instant."""
        return (recorded.recorded_at if self.recorded else recorded.occurred_at) <= self.at


@dataclass(frozen=True, slots=True)
class Entry:
    """One event. Amounts are minor units; `balance_minor` is what is available after it."""

    position: int
    stream_version: int
    type: str
    occurred_at: datetime
    recorded_at: datetime
    actor: str
    words: str
    movements: tuple[Movement, ...]
    change_minor: int
    balance_minor: int


@dataclass(frozen=True, slots=True)
class History:
    """The entries, oldest first, and the account they lead to."""

    entries: tuple[Entry, ...]
    account: Account
    currency: str
    currency_digits: int

    def balance_minor(self, at: datetime) -> int:
        """What can be spent at an instant: a reward past its time is out, recorded or not."""
        return fold(facts_due(self.account, at), self.account).available_minor(at)

    def amount(self, minor: int) -> Decimal:
        """Minor units as people write them."""
        return from_minor(minor, digits=self.currency_digits)


def history_of(
    recorded: Iterable[Recorded],
    *,
    cut: Cut | None = None,
    currency: str = "AUD",
    currency_digits: int = 2,
    opened: Mapping[str, Mapping[str, Any] | None] | None = None,
) -> History:
    """The history of one account, from its whole stream.

    `opened` has what was sealed, by its sealed text, where the reader may see reasons.

    Raises:
        UnknownEvent: the stream holds an event this version has no class for.
    """
    entries: list[Entry] = []
    account = Account()
    balance = 0
    for each in recorded:
        if cut is not None and not cut.keeps(each):
            continue
        event = event_of(each)
        change = _available_change(event)
        balance += change
        account = evolve(account, event)
        personal = None if opened is None else opened.get(event.personal or "")
        words = in_words(event, currency, currency_digits, personal)
        entries.append(_entry(each, event, words, change, balance))
    return History(tuple(entries), account, currency, currency_digits)


def sealed_in(recorded: Iterable[Recorded]) -> set[str]:
    """The sealed texts of these events."""
    found = (event_of(each).personal for each in recorded)
    return {sealed for sealed in found if sealed is not None}


def _entry(recorded: Recorded, event: Event, words: str, change: int, balance: int) -> Entry:
    return Entry(
        position=recorded.position,
        stream_version=recorded.stream_version,
        type=recorded.type,
        occurred_at=recorded.occurred_at,
        recorded_at=recorded.recorded_at,
        actor=recorded.actor,
        words=words,
        movements=event.movements,
        change_minor=change,
        balance_minor=balance,
    )


def _available_change(event: Event) -> int:
    """Movements say all an event did to value, so no event's type is asked for."""
    into = sum(m.amount_minor for m in event.movements if m.target is Book.AVAILABLE)
    out_of = sum(m.amount_minor for m in event.movements if m.source is Book.AVAILABLE)
    return into - out_of
