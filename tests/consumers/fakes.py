"""A log in a list, a position in a variable, and producers that fail where a test says."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import cast
from uuid import UUID, uuid4

from consumers.cloudevents import KafkaRecord
from consumers.published_position import (
    AnotherIncarnation,
    CheckpointUnavailable,
    Claimed,
    Fenced,
)
from ledger.event_store.port import EventStore, EventStoreUnavailable
from schemas.envelope import Recorded

DAY_ONE = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)


def recorded(position: int, stream_id: str, version: int, payload: bytes = b"{}") -> Recorded:
    """One event with everything around it."""
    return Recorded(
        position=position,
        stream_id=stream_id,
        stream_version=version,
        type="RedemptionMade",
        schema_version=1,
        payload=payload,
        command_id=uuid4(),
        correlation_id=uuid4(),
        causation_id=None,
        occurred_at=DAY_ONE + timedelta(seconds=position),
        recorded_at=DAY_ONE + timedelta(seconds=position),
        actor="till-7",
        batch_index=0,
        batch_size=1,
        chain=bytes(32),
    )


@dataclass
class ListStore:
    """The part of the event store the relay reads. `outages` reads fail first."""

    log: list[Recorded] = field(default_factory=list)
    identity: UUID = field(default_factory=uuid4)
    outages: int = 0

    def grow(self, count: int, profiles: int = 7) -> None:
        """Append events of several profiles in turn, and of one stream that is no account's."""
        for position in range(len(self.log) + 1, len(self.log) + count + 1):
            which = position % (profiles + 1)
            stream_id = f"account-{which}" if which else "programme-gold"
            version = sum(1 for _ in range(which or profiles + 1, position + 1, profiles + 1))
            payload = b'{"n":%d}' % position
            self.log.append(recorded(position, stream_id, version, payload))

    async def read_log(self, *, after_position: int, limit: int) -> Sequence[Recorded]:
        if self.outages:
            self.outages -= 1
            raise EventStoreUnavailable("no answer")
        return self.log[after_position : after_position + limit]

    async def head(self) -> int:
        return len(self.log)

    async def incarnation(self) -> UUID:
        return self.identity

    def port(self) -> EventStore:
        """As the relay takes it; the rest of the port is never called."""
        return cast(EventStore, self)


@dataclass
class MemoryPosition:
    """A checkpoint without PostgreSQL. `answers_lost` moves succeed without saying so."""

    position: int = 0
    epoch: int = 0
    identity: UUID | None = None
    before_move: Callable[[], None] = lambda: None
    answers_lost: int = 0

    async def try_lead(self) -> bool:
        return True

    async def claim(self, incarnation: UUID) -> Claimed:
        self.identity = self.identity or incarnation
        if self.identity != incarnation:
            raise AnotherIncarnation("rebuild")
        self.epoch += 1
        return Claimed(self.epoch, self.position)

    async def move(self, claimed: Claimed, position: int) -> None:
        self.before_move()
        if claimed.epoch != self.epoch:
            raise Fenced("another relay claimed")
        self.position = position
        if self.answers_lost:
            self.answers_lost -= 1
            raise CheckpointUnavailable("the answer was lost")

    async def release(self) -> None:
        pass


@dataclass
class Topic:
    """What arrived, per partition, and the faults still to happen, in order."""

    partitions: dict[int, list[KafkaRecord]] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    made: int = 0

    def producer(self) -> "FaultyProducer":
        self.made += 1
        return FaultyProducer(self)

    def next_fault(self, *steps: str) -> str:
        if self.faults and self.faults[0].split(":")[0] in steps:
            return self.faults.pop(0)
        return ""


@dataclass
class FaultyProducer:
    """Writes into the topic's lists and fails as the topic's faults say."""

    topic: Topic

    async def start(self) -> None:
        if self.topic.next_fault("start"):
            raise ConnectionError("no broker")

    async def stop(self) -> None:
        if self.topic.next_fault("stop"):
            raise RuntimeError("stop failed")

    async def publish(self, partition: int, records: Sequence[KafkaRecord]) -> None:
        fault = self.topic.next_fault("publish")
        taken = {
            "": len(records),
            "publish:nothing": 0,
            "publish:half": len(records) // 2,
            "publish:all": len(records),
        }[fault]
        self.topic.partitions.setdefault(partition, []).extend(records[:taken])
        if fault:
            raise ConnectionError(f"{taken} taken, not acknowledged")
