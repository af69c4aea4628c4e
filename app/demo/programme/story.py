"""The story's agenda: what is to happen when, and the steps that have happened so far.

Whoever tells a part of it does something at a moment and says what comes later. So steps come in
time order, and everybody sees the members as they are by then.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from heapq import heappop, heappush
from itertools import count
from typing import Any, Final

from app.demo.programme.definitions import KINDS, ZONE, Kind, money
from app.demo.programme.members import Member, wall
from app.demo.programme.purse import WHOLE_SECOND, Lot, Parcels
from app.demo.programme.steps import Made, Step
from schemas.commands import Command
from schemas.rewards import IssueReward, RecordDueFacts

TILL: Final = "demo-till"
WEB: Final = "demo-webshop"
CRM: Final = "demo-crm"
DESK: Final = "demo-service-desk"
EXPIRY: Final = "demo-expiry"
CLIENTS: Final = (TILL, WEB, CRM, DESK, EXPIRY)
"""In whose name steps are taken: nobody else's clients are called so."""

PROGRAMME: Final = "programme"

Act = Callable[[datetime], object]


@dataclass(frozen=True, slots=True)
class Given:
    """How a reward is given, where not in the usual way."""

    client: str = CRM
    value: int | None = None
    """Another value than the definition's."""
    starts: datetime | None = None
    """It is for later."""
    note: str | None = None
    streams: tuple[str, ...] = ()
    """What it is about beside the member."""


@dataclass
class Story:
    """From the opening to `until`; nothing is told of what would come after."""

    name: str
    """Before every key and every external name, so that two stories never share one."""
    opening: datetime
    until: datetime
    members: list[Member]
    worth: dict[str, int] = field(default_factory=lambda: {k.handle: k.value for k in KINDS})
    founders: int = 0
    _agenda: list[tuple[datetime, int, Act]] = field(default_factory=list)
    _entries: Iterator[int] = field(default_factory=count)
    _written: list[Step] = field(default_factory=list)
    _keys: Iterator[int] = field(default_factory=lambda: count(1))
    _lots: Iterator[int] = field(default_factory=count)
    _names: Iterator[int] = field(default_factory=lambda: count(1))

    def steps(self) -> Iterator[Step]:
        """All of it, in time order."""
        while self._agenda:
            at, _, act = heappop(self._agenda)
            act(at)
            yield from self._written
            self._written.clear()

    def later(self, at: datetime, act: Act) -> None:
        """Do something then, unless the story is over by that time."""
        if at <= self.until:
            heappush(self._agenda, (at, next(self._entries), act))

    def external_name(self) -> str:
        """A name for a sale, as the shops give them."""
        return f"{self.name}-{next(self._names):07}"

    def write(
        self,
        at: datetime,
        client: str,
        command: type[Command],
        fields: dict[str, Any],
        *streams: str,
        **more: Any,
    ) -> str:
        """Take a step; its key. `more` is what else a `Step` has."""
        key = f"{self.name}:{next(self._keys):07}"
        self._written.append(Step(at, key, client, command, fields, streams, **more))
        return key

    def issue(self, at: datetime, to: Member, kind: Kind, given: Given | None = None) -> Lot:
        """A reward."""
        given = given or Given()
        fields: dict[str, Any] = {
            "profile_id": to.id,
            "reward_definition_handle": kind.handle,
            "timezone": ZONE,
        }
        if given.value is not None:
            fields["value_initial"] = money(given.value)
        if given.starts is not None:
            fields["issued_at"] = wall(given.starts)
        if given.note is not None:
            fields["meta"] = {"note": given.note}
        key = self.write(at, given.client, IssueReward, fields, to.id, *given.streams)
        value = self.worth[kind.handle] if given.value is None else given.value
        return self.add(to, kind, value, given.starts or at, Made(key, "reward"))

    def add(
        self, to: Member, kind: Kind, value: int, issued_at: datetime, made: Made | None = None
    ) -> Lot:
        """The member has it from now on; what time does to it is recorded when it does."""
        issued_at = issued_at.replace(microsecond=0)
        lot = Lot(kind, to, value, issued_at, kind.expires_at(issued_at), next(self._lots), made)
        to.purse.lots.append(lot)
        self.watch(lot)
        return lot

    def reissue(self, to: Member, parcels: Parcels, at: datetime) -> None:
        """What has come back lives on in new rewards, a fresh life each."""
        for lot, amount in parcels:
            self.add(to, lot.kind, amount, at)

    def watch(self, lot: Lot) -> None:
        """Record its expiry as it happens."""
        self.later(lot.expires_at + WHOLE_SECOND, lambda at: self._expire(lot.owner.now, at))

    def due(self, of: Member, at: datetime) -> None:
        """Write down what time has done to an account."""
        self.write(at, EXPIRY, RecordDueFacts, {"profile_id": of.now.id}, of.now.id)

    def _expire(self, of: Member, at: datetime) -> None:
        ended = [x for x in of.purse.lots if x.value and not x.swept and x.expired(at)]
        for lot in ended:
            lot.swept = True
        if ended:
            self.due(of, at)
