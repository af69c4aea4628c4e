"""The form of every decision: pure functions between a command and the events it leads to."""

from collections.abc import Iterator, Mapping
from dataclasses import field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Protocol
from uuid import UUID

from ledger.rejections import InvalidAmount
from schemas.amounts import from_minor, to_minor
from schemas.events import Event
from schemas.immutable import immutable
from schemas.programme import ClawbackPolicy
from schemas.redemptions import ReturnPolicy


@immutable
class ProgrammeSettings:
    """The rules of the programme that a decision needs."""

    version: int = 0
    """Counts the changes; 0 are those of the environment."""
    currency: str = "AUD"
    currency_digits: int = 2
    reversal_window: timedelta = timedelta(minutes=10)
    return_policy: ReturnPolicy = "reissue"
    """What a return does unless its command says otherwise."""
    grace_days: int = 14
    """How long value lives that comes back after its reward has expired."""
    clawback_policy: ClawbackPolicy = "debt"
    """What becomes of points a return takes back that are spent already."""
    point_exchange_rate: Decimal = Decimal("0.01")
    """What one point pays, in the currency."""
    zone: str = "UTC"
    """The zone of a command that names none."""
    auto_register: bool = True
    """Whether issuing, a sale or an identity makes an unknown profile known."""
    hold_max: timedelta = timedelta(days=7)
    """The longest a redemption may be held before it is captured."""
    late_redemption_window: timedelta = timedelta(hours=72)
    """How long after its expiry value may still be taken by a redemption made in time elsewhere."""
    issue_max_minor: int | None = None
    return_max_minor: int | None = None
    adjust_max_minor: int | None = None
    """The most that staff may issue, return or adjust at once; None is without a limit."""


@immutable
class Circumstances:
    """All a decision may depend on besides state and command: it reads no clock and no dice."""

    now: datetime
    ids: Iterator[int]
    """Fresh identifiers, taken as needed; unused ones are gaps and harm nobody."""
    settings: ProgrammeSettings = field(default_factory=ProgrammeSettings)
    learned_at: datetime | None = None
    """When the ledger hears of it, where it is a fact that happened elsewhere, at `now`."""
    personal: str | None = None
    """The command's personal data, sealed: it goes into an event as it is, and nobody reads it."""
    erasable: tuple[UUID, ...] = ()
    """The keys that an erasure is to destroy."""
    identity: str | None = None
    """The name under which the identity the command tells is unique."""
    identities: Mapping[int, str | None] = field(default_factory=dict)
    """The same of the identity the command lets go of, by its id; None where nobody can read it."""
    limited: bool = False
    """The limits of staff hold for whoever sent the command."""

    def minor(self, amount: Decimal, field: str = "amount") -> int:
        """An amount in minor units of the programme's currency; `field` is where it stood.

        Raises:
            InvalidAmount: it has more decimals than the currency.
        """
        try:
            return to_minor(amount, digits=self.settings.currency_digits, signed=True)
        except ValueError as error:
            raise InvalidAmount(f"{amount}: {error}", field=field) from error

    def amount(self, minor: int) -> Decimal:
        """Minor units as an amount, for the text of a refusal."""
        return from_minor(minor, digits=self.settings.currency_digits)


class View(Protocol):
    """What a decision can see. What it looks at becomes part of what the append checks."""

    def state(self, stream_id: str) -> Any:
        """The state of a stream; an empty stream has its initial state."""
        ...

    def stream_named(self, kind: str, key: str) -> str | None:
        """The stream that holds a name, such as ("reward", "17"); None if nobody does."""
        ...


@immutable
class Decision:
    """Events with the stream each belongs to. The answer is about `stream_id`."""

    stream_id: str
    written: tuple[tuple[str, Event], ...]
    takes: tuple[tuple[str, str], ...] = ()
    """Names that no event tells, which the stream of the answer has from now on."""
    releases: tuple[tuple[str, str], ...] = ()
    """Names that are free from now on."""
    forgets: tuple[str, ...] = ()
    """Streams of which all identities are free from now on."""

    @property
    def events(self) -> tuple[Event, ...]:
        """The events in order, whatever their stream."""
        return tuple(event for _, event in self.written)
