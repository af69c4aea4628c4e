"""What a projection is: a table, which streams it follows, and a pure fold from events to rows."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any, Literal, Protocol

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from schemas.events import Event

SCHEMA = "projections"
metadata = MetaData(schema=SCHEMA)

Category = Literal["account", "transaction", "programme"]
Row = dict[str, Any]


class EventRecord(Protocol):
    """What a fold may know of an event's place in the log, from the log or from Kafka alike."""

    @property
    def position(self) -> int:
        """Its place in the whole log."""

    @property
    def stream_id(self) -> str:
        """The stream it belongs to."""

    @property
    def stream_version(self) -> int:
        """Its place in the stream."""

    @property
    def type(self) -> str:
        """The event's class."""

    @property
    def schema_version(self) -> int:
        """The version of that class."""

    @property
    def payload(self) -> bytes:
        """The stored bytes."""

    @property
    def occurred_at(self) -> datetime:
        """Business time."""


@dataclass(frozen=True, slots=True)
class Note:
    """The key of what a projection remembers of a stream beside its rows.

    A row may disappear and come back: what it needs then is kept here, and read only then.
    """

    stream_id: str
    name: str


Key = tuple[Any, ...] | Note
"""A row's primary key in the order of the table's columns, or a note's."""

Rows = Mapping[Key, Row | None]
"""None is a row that isn't there."""


def always(_: EventRecord) -> bool:
    """Every event of the category matters."""
    return True


def of_types(*events: type[Event]) -> Callable[[EventRecord], bool]:
    """Only events of these classes matter."""
    names = frozenset(event.__name__ for event in events)
    return lambda record: record.type in names


def nothing_else(_: EventRecord) -> Iterable[str]:
    """No other stream has to be folded first."""
    return ()


@dataclass(frozen=True, eq=False)
class Projection:
    """One read model in one version of its shape; a new shape is a new version beside the old.

    `keys` names the rows an event may read; `evolve` gives the rows it changes, or raises. It
    changes no row that it is not given, not even as one that isn't there.
    `relevant` must not decode: it spares the hot path what can't change a row.
    """

    name: str
    version: int
    table: Table
    category: Category
    keys: Callable[[EventRecord, Event], Iterable[Key]]
    evolve: Callable[[Rows, EventRecord, Event], Rows]
    relevant: Callable[[EventRecord], bool] = always
    builds_on: Callable[[EventRecord], Iterable[str]] = nothing_else
    """Asked of what is relevant, as `origins`. It must not decode without need."""
    from_log: bool = False
    """The fold needs the whole `Recorded`; a record of Kafka carries less, so it is read again."""

    def follows(self, stream_id: str) -> bool:
        """Whether a stream is of this projection's category."""
        return stream_id.startswith(self._prefix) or stream_id == self.category

    def origins(self, record: EventRecord) -> Iterable[str]:
        """Other streams whose earlier events made the rows this event takes over.

        They are folded first, from the log, whichever partition is read faster.
        """
        return self.builds_on(record) if self.relevant(record) else ()

    @cached_property
    def streams(self) -> Table:
        """How far each stream is folded, and where it was parked."""
        return metadata.tables[f"{SCHEMA}.{self.table.name}_streams"]

    @cached_property
    def notes(self) -> Table:
        """What is remembered of streams beside the rows."""
        return metadata.tables[f"{SCHEMA}.{self.table.name}_notes"]

    @cached_property
    def _prefix(self) -> str:
        return f"{self.category}-"


def read_model(name: str, version: int, *columns: Any) -> Table:
    """The table of a read model and the two that go with it."""
    table = f"{name}_v{version}"
    Table(
        f"{table}_streams",
        metadata,
        Column("stream_id", Text, primary_key=True),
        Column("stream_version", Integer, nullable=False, server_default="0"),
        Column("position", BigInteger, nullable=False, server_default="0"),
        Column("parked_at_version", Integer),
        Column("parked_reason", Text),
        Column("updated_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
        Index(
            f"{table}_parked",
            "parked_at_version",
            postgresql_where=text("parked_at_version IS NOT NULL"),
        ),
        # Every batch updates these rows: with room on the page their index is left alone.
        postgresql_with={"fillfactor": 80},
    )
    Table(
        f"{table}_notes",
        metadata,
        Column("stream_id", Text, primary_key=True),
        Column("name", Text, primary_key=True),
        Column("value", JSONB, nullable=False),
    )
    return Table(table, metadata, *columns)


def row_of(rows: Rows, key: Key) -> Row:
    """A row that must be there.

    Raises:
        MissingRow: the event speaks of something no event before it has brought.
    """
    row = rows.get(key)
    if row is None:
        raise MissingRow(key)
    return row


class MissingRow(Exception):
    """An event names a row that isn't there."""

    def __init__(self, key: Key) -> None:
        super().__init__(f"no row {key}")
