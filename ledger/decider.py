"""The form of every decision: pure functions between a command and the events it leads to."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class ProgrammeSettings:
    """The rules of the programme that a decision needs."""

    currency: str = "AUD"
    currency_digits: int = 2
    reversal_window: timedelta = timedelta(minutes=10)
    grace_days: int = 14
    """How long value lives that comes back after its reward has expired."""


@dataclass(frozen=True, slots=True)
class Circumstances:
    """All a decision may depend on besides state and command: it reads no clock and no dice."""

    now: datetime
    ids: Iterator[int]
    """Fresh identifiers, taken as needed; unused ones are gaps and harm nobody."""
    settings: ProgrammeSettings = field(default_factory=ProgrammeSettings)
