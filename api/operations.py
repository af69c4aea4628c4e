"""What an operator looks at, as the routes know it. Whoever runs the process asks the parts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, Protocol, TypeVar

Part = TypeVar("Part")


@dataclass(frozen=True, slots=True)
class Asked(Generic[Part]):
    """What a part has told, or why it has told nothing in time."""

    told: Part | None
    fault: str | None = None


@dataclass(frozen=True, slots=True)
class Lag:
    """So many wait, the oldest for so long."""

    events: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Database:
    """PostgreSQL as it is."""

    version: str
    size_bytes: int
    connections: int
    connections_max: int


@dataclass(frozen=True, slots=True)
class LogHead:
    """The last event of the log, and the hash that stands for all before it."""

    incarnation: str
    position: int
    chain: bytes | None
    recorded_at: datetime | None


@dataclass(frozen=True, slots=True)
class Failure:
    """What went wrong the last time something did; it may have been mended since."""

    error: str
    failed_at: datetime


@dataclass(frozen=True, slots=True)
class Rate:
    """So many events a second, over so many seconds up to now."""

    events_per_second: float
    seconds: float


@dataclass(frozen=True, slots=True)
class ReadModelState:
    """How far one read model is folded. Up to `position` it lacks nothing."""

    name: str
    version: int
    position: int
    lag: Lag
    parked: int
    """Streams that wait at an event it can't fold."""
    rate: Rate | None = None
    """None until it was looked at twice."""
    last_failure: Failure | None = None


@dataclass(frozen=True, slots=True)
class Session:
    """A connection to PostgreSQL: from where, and since when."""

    address: str | None
    connected_at: datetime


@dataclass(frozen=True, slots=True)
class RelayState:
    """Who leads, and how far everything is acknowledged by Kafka."""

    name: str
    leader: Session | None
    position: int
    lag: Lag


@dataclass(frozen=True, slots=True)
class ReadSide:
    """The read models, and what keeps all of them from reading."""

    models: Sequence[ReadModelState]
    last_failure: Failure | None
    unreadable_records: int
    """Records of the events' topic that are no events of ours."""


@dataclass(frozen=True, slots=True)
class GroupPartition:
    """How far a group of consumers has read one partition."""

    topic: str
    partition: int
    offset: int | None
    """The next it reads; None while nobody knows."""
    end: int

    @property
    def lag(self) -> int | None:
        """How many records wait."""
        return None if self.offset is None else max(0, self.end - self.offset)


@dataclass(frozen=True, slots=True)
class Group:
    """A group of consumers: what it reads for, and who is in it."""

    name: str
    reads_for: str
    state: str
    members: int
    partitions: Sequence[GroupPartition]


@dataclass(frozen=True, slots=True)
class Kafka:
    """Kafka as it is; `topics` are ours, with their partitions."""

    servers: str
    brokers: Sequence[str]
    topics: Mapping[str, int]
    groups: Sequence[Group]
    dead_letters: int


@dataclass(frozen=True, slots=True)
class Program:
    """A process of ours that is connected to PostgreSQL."""

    version: str
    roles: Sequence[str]
    pid: int
    address: str | None


@dataclass(frozen=True, slots=True)
class Report:
    """Everything at a moment."""

    at: datetime
    version: str
    database: Asked[Database]
    log: Asked[LogHead]
    read_side: Asked[ReadSide]
    relay: Asked[RelayState]
    programs: Asked[Sequence[Program]]
    kafka: Asked[Kafka] | None
    """None where none is configured."""


@dataclass(frozen=True, slots=True)
class Letter:
    """A record nobody could read, as it lies in the topic of dead letters, its value masked."""

    partition: int
    offset: int
    written_at: datetime
    key: str | None
    headers: Mapping[str, str]
    size_bytes: int
    payload: str | None
    payload_state: str
    """`masked`, or why there is none: `erased`, `unopenable`, `too_large`."""


@dataclass(frozen=True, slots=True)
class Letters:
    """A page of dead letters, and where the next one begins: the end of each partition's rest."""

    letters: Sequence[Letter]
    total: int
    rest: Mapping[int, int] | None


class Operations(Protocol):
    """Asks the parts. What can't be asked says so."""

    async def look(self) -> Report:
        """Ask all at once, each in bounded time. Never raises."""
        ...

    async def dead_letters(self, size: int, rest: Mapping[int, int] | None) -> Letters:
        """The newest dead letters, or those before a page whose `rest` is given.

        Raises:
            ConnectionError: Kafka can't be reached, or none is configured.
        """
        ...
