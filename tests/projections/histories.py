"""Histories for the tests of the read side: events in, as the log would hold them."""

import random
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

from ledger.event_store.port import Append, Committed, NewEvent, StreamHead, Unit
from ledger.event_store.postgres import PostgresEventStore
from projections.projection import Key, Note, Projection, Row
from schemas.envelope import Recorded
from schemas.events import Event, encode
from schemas.holds import HoldLapsed, HoldReleased, RedemptionCaptured, RedemptionHeld
from schemas.movements import Book, Movement, moved
from schemas.profiles import ProfileRegistered
from schemas.redemptions import RedemptionMade, RedemptionReturned
from schemas.rewards import (
    RewardAdjusted,
    RewardExpired,
    RewardExtended,
    RewardIssued,
    RewardRevoked,
)

DAY_ONE = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)

Written = tuple[str, Event]
"""A stream and what happens on it."""


class Log:
    """Positions and versions for events, without any server."""

    def __init__(self) -> None:
        self.events: list[Recorded] = []
        self._versions: dict[str, int] = defaultdict(int)

    def add(self, stream_id: str, event: Event, **changes: object) -> Recorded:
        self._versions[stream_id] += 1
        fields = {
            "position": len(self.events) + 1,
            "stream_id": stream_id,
            "stream_version": self._versions[stream_id],
            "type": type(event).__name__,
            "schema_version": event.SCHEMA_VERSION,
            "payload": encode(event),
            "command_id": UUID(int=1),
            "correlation_id": None,
            "causation_id": None,
            "occurred_at": DAY_ONE + timedelta(minutes=len(self.events)),
            "recorded_at": DAY_ONE + timedelta(minutes=len(self.events), seconds=1),
            "actor": "till-7",
            "batch_index": 0,
            "batch_size": 1,
            "chain": bytes(32),
        } | changes
        recorded = Recorded(**fields)  # type: ignore[arg-type]
        self.events.append(recorded)
        return recorded


def recorded(*written: Written) -> list[Recorded]:
    """These events as a log of their own."""
    log = Log()
    for stream_id, event in written:
        log.add(stream_id, event)
    return log.events


def given(projection: Projection, *written: Written) -> dict[Key, Row]:
    """The rows (and notes) after these events: the fold alone, without a database."""
    rows: dict[Key, Row | None] = {}
    for record in recorded(*written):
        if not projection.follows(record.stream_id) or not projection.relevant(record):
            continue
        event = written[record.position - 1][1]
        keys = list(projection.keys(record, event))
        changes = projection.evolve({key: rows.get(key) for key in keys}, record, event)
        rows.update(changes)
    return {key: row for key, row in rows.items() if row is not None}


def rows_only(rows: dict[Key, Row]) -> dict[Key, Row]:
    """Without the notes."""
    return {key: row for key, row in rows.items() if not isinstance(key, Note)}


class Writer:
    """Appends to a real event store and remembers the heads."""

    def __init__(self, store: PostgresEventStore) -> None:
        self.store = store
        self._heads: dict[str, StreamHead] = defaultdict(StreamHead)

    async def append(self, *written: Written) -> Committed:
        heads = dict(self._heads)
        expected = {stream_id: self._heads[stream_id] for stream_id, _ in written}
        events = []
        for stream_id, event in written:
            version = heads.get(stream_id, StreamHead()).version + 1
            heads[stream_id] = StreamHead(version, 0)
            name = type(event).__name__
            events.append(
                NewEvent(stream_id, version, name, event.SCHEMA_VERSION, encode(event), DAY_ONE)
            )
        unit = Unit(command_id=uuid4(), actor="till-7", events=tuple(events))
        answer = await self.store.append(Append(uuid4(), (unit,), expected))
        assert isinstance(answer, Committed), answer
        for offset, event in enumerate(events):
            position = answer.first_position + offset
            self._heads[event.stream_id] = StreamHead(event.stream_version, position)
        return answer

    async def append_all(self, written: Sequence[Written]) -> None:
        for start in range(0, len(written), 1_000):
            await self.append(*written[start : start + 1_000])


def issued(profile: str, lot: int, amount: int, book: Book = Book.AVAILABLE) -> RewardIssued:
    """A reward with a value."""
    later = DAY_ONE + timedelta(days=10)
    return RewardIssued(
        reward_id=lot,
        profile_id=profile,
        definition_id=6,
        definition_version=1,
        period=30,
        period_type="days",
        value_initial_minor=amount,
        value_remaining_minor=amount,
        issued_at=later if book is Book.PENDING else DAY_ONE,
        expires_at=DAY_ONE + timedelta(days=30 + lot % 5),
        timezone="UTC",
        movements=moved(lot, Book.ISSUED, book, amount),
    )


def adjusted(lot: int, before: int, after: int, days: int) -> RewardAdjusted:
    """A reward with more or less left of it, that ends so many days after the first."""
    more, less = max(0, after - before), max(0, before - after)
    return RewardAdjusted(
        reward_id=lot,
        changed=("value_remaining", "expires_at"),
        value_initial_minor=max(after, 5_000),
        value_remaining_minor=after,
        expires_at=None if days == 60 else DAY_ONE + timedelta(days=days),
        movements=(
            *moved(lot, Book.ISSUED, Book.AVAILABLE, more),
            *moved(lot, Book.AVAILABLE, Book.REVOKED, less),
        ),
    )


def extended(lot: int, back: int, days: int) -> RewardExtended:
    """A reward that ends so many days after the first, with what has come back."""
    return RewardExtended(
        reward_id=lot,
        expires_at=DAY_ONE + timedelta(days=days),
        previous_expires_at=DAY_ONE,
        extended_at=DAY_ONE,
        movements=moved(lot, Book.EXPIRED, Book.AVAILABLE, back),
    )


def redeemed(profile: str, redemption: int, *parts: tuple[int, int]) -> RedemptionMade:
    """A redemption of (lot, amount)."""
    total = sum(amount for _, amount in parts)
    return RedemptionMade(
        redemption_id=redemption,
        profile_id=profile,
        requested_minor=total,
        total_minor=total,
        strategies=("rewards",),
        strict=True,
        reversible_until=DAY_ONE + timedelta(minutes=10),
        movements=tuple(
            m for lot, a in parts for m in moved(lot, Book.AVAILABLE, Book.REDEEMED, a)
        ),
    )


def returned(
    return_id: int, redemption: int, *parts: tuple[int, int], to: Book = Book.AVAILABLE
) -> RedemptionReturned:
    """A return of (lot, amount)."""
    return RedemptionReturned(
        return_id=return_id,
        redemption_id=redemption,
        total_minor=sum(amount for _, amount in parts),
        policy="restore",
        movements=tuple(m for lot, a in parts for m in moved(lot, Book.REDEEMED, to, a)),
    )


def held(profile: str, redemption: int, lot: int, amount: int) -> RedemptionHeld:
    """A hold on one lot, for some minutes."""
    fields = redeemed(profile, redemption, (lot, amount)).model_dump() | {
        "held_until": DAY_ONE + timedelta(minutes=redemption % 60),
        "movements": moved(lot, Book.AVAILABLE, Book.HELD, amount),
    }
    del fields["reversible_until"]
    return RedemptionHeld(**fields)


def captured(redemption: int, lot: int, amount: int, rest: int) -> RedemptionCaptured:
    """A part of what is held of one lot is taken, the rest released."""
    return RedemptionCaptured(
        redemption_id=redemption,
        total_minor=amount,
        released_minor=rest,
        reversible_until=DAY_ONE + timedelta(minutes=10),
        movements=moved(lot, Book.HELD, Book.REDEEMED, amount)
        + moved(lot, Book.HELD, Book.AVAILABLE, rest),
    )


KINDS = ("issue", "redeem", "redeem", "hold", "settle", "return", "adjust", "extend", "end")


@dataclass
class _Account:
    profile: str
    lots: dict[int, int] = field(default_factory=dict)
    taken: dict[int, tuple[int, int]] = field(default_factory=dict)
    held: dict[int, tuple[int, int]] = field(default_factory=dict)
    expired: dict[int, int] = field(default_factory=dict)
    """What has expired of each reward that has not been extended yet."""


class Chance:
    """Valid random histories of some profiles, the same for the same seed."""

    def __init__(self, seed: int, profiles: int = 3) -> None:
        self._random = random.Random(seed)
        self._accounts = [_Account(f"p-{n}") for n in range(profiles)]
        self._next_id = 1

    def history(self, count: int) -> list[Written]:
        written: list[Written] = [
            (f"account-{a.profile}", ProfileRegistered(profile_id=a.profile))
            for a in self._accounts
        ]
        while len(written) < count:
            account = self._random.choice(self._accounts)
            written += [(f"account-{account.profile}", e) for e in self._step(account)]
        return written

    def _step(self, account: _Account) -> Iterable[Event]:
        open_lots = [lot for lot, amount in account.lots.items() if amount]
        kind = self._random.choice(KINDS)
        if kind == "issue" or not open_lots:
            lot, amount = self._id(), self._random.choice([0, *range(1, 5_000)])
            account.lots[lot] = amount
            return [issued(account.profile, lot, amount)]
        lot = self._random.choice(open_lots)
        found = self._redemption(kind, account, lot) or self._change(kind, account)
        return [found or self._ended(account, lot)]

    def _redemption(self, kind: str, account: _Account, lot: int) -> Event | None:
        if kind in ("redeem", "hold"):
            part, redemption = self._random.randint(1, account.lots[lot]), self._id()
            account.lots[lot] -= part
            if kind == "hold":
                account.held[redemption] = (lot, part)
                return held(account.profile, redemption, lot, part)
            account.taken[redemption] = (lot, part)
            return redeemed(account.profile, redemption, (lot, part))
        if kind == "settle" and account.held:
            return self._settled(account)
        if kind == "return" and account.taken:
            redemption = self._random.choice(list(account.taken))
            lot, part = account.taken.pop(redemption)
            account.lots[lot] += part
            return returned(self._id(), redemption, (lot, part))
        return None

    def _change(self, kind: str, account: _Account) -> Event | None:
        if kind == "adjust":
            lot = self._random.choice(list(account.lots))
            before, account.lots[lot] = account.lots[lot], self._random.randint(0, 5_000)
            return adjusted(lot, before, account.lots[lot], self._random.randint(0, 60))
        if kind == "extend" and account.expired:
            lot = self._random.choice(list(account.expired))
            back = account.expired.pop(lot)
            account.lots[lot] += back
            return extended(lot, back, self._random.randint(61, 90))
        return None

    def _settled(self, account: _Account) -> Event:
        """A hold is captured in part, or released, or lapses."""
        redemption = self._random.choice(list(account.held))
        lot, part = account.held.pop(redemption)
        if self._random.random() < 0.5:
            taken = self._random.randint(1, part)
            account.lots[lot] += part - taken
            account.taken[redemption] = (lot, taken)
            return captured(redemption, lot, taken, part - taken)
        account.lots[lot] += part
        ended = {
            "redemption_id": redemption,
            "released_minor": part,
            "movements": moved(lot, Book.HELD, Book.AVAILABLE, part),
        }
        if self._random.random() < 0.5:
            return HoldReleased.model_validate(ended)
        return HoldLapsed.model_validate(ended | {"held_until": DAY_ONE})

    def _ended(self, account: _Account, lot: int) -> Event:
        amount, account.lots[lot] = account.lots[lot], 0
        is_held = any(of == lot for of, _ in account.held.values())
        if self._random.random() < 0.5 and not is_held:
            del account.lots[lot]
            account.expired.pop(lot, None)
            account.taken = {n: of for n, of in account.taken.items() if of[0] != lot}
            movements: tuple[Movement, ...] = moved(lot, Book.AVAILABLE, Book.REVOKED, amount)
            return RewardRevoked(reward_id=lot, movements=movements)
        account.expired[lot] = account.expired.get(lot, 0) + amount
        movements = moved(lot, Book.AVAILABLE, Book.EXPIRED, amount)
        return RewardExpired(reward_id=lot, expires_at=DAY_ONE, movements=movements)

    def _id(self) -> int:
        self._next_id += 1
        return self._next_id
