"""Why a balance is what it is: an account's events in words, each with the balance after it.

Pure: from what the store recorded to what a person reads. The command line and the API share it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from ledger.account.state import Account
from ledger.event_words import in_words
from ledger.past import Amounts, Cut, Happened, account_after, amounts_at, happened
from ledger.streams import event_of
from schemas.amounts import from_minor
from schemas.envelope import Recorded
from schemas.events import Event
from schemas.movements import Movement

ALL: Final = slice(None)


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
        return amounts_at(self.account, at).available_minor

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
    events = happened(recorded, cut)
    entries = entries_of(
        events, currency=currency, currency_digits=currency_digits, opened=opened or {}
    )
    return History(entries, account_after(events), currency, currency_digits)


def entries_of(
    events: Sequence[Happened],
    *,
    currency: str,
    currency_digits: int,
    opened: Mapping[str, Mapping[str, Any] | None],
    part: slice = ALL,
) -> tuple[Entry, ...]:
    """A part of an account's events in words, each with the balance after it.

    Of those before only the movements are looked at: a page of a long history is soon there.
    """
    start, stop, _ = part.indices(len(events))
    before = (movement for each in events[:start] for movement in each.event.movements)
    balance = Amounts.moved_by(before).available_minor
    entries: list[Entry] = []
    for each in events[start:stop]:
        event = each.event
        change = Amounts.moved_by(event.movements).available_minor
        balance += change
        words = in_words(event, currency, currency_digits, opened.get(event.personal or ""))
        entries.append(_entry(each.recorded, event, words, change, balance))
    return tuple(entries)


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
