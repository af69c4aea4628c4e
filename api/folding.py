"""The rows an answer shows, folded from the very events a command led to.

So the first answer needs no read, a repeat gives the same one again, and a dry run shows what
would be there.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from projections.projection import EventRecord, Key, MissingRow, Projection, Rows
from schemas.events import Event
from schemas.immutable import immutable


@immutable
class Unplaced:
    """An event as a fold sees it, its place in the log aside."""

    stream_id: str
    type: str
    schema_version: int
    occurred_at: datetime
    payload: bytes = b""
    """No fold reads it: the event is there already decoded."""
    position: int = 0
    stream_version: int = 0


def folded(
    projection: Projection,
    stream_id: str,
    events: Iterable[Event],
    at: datetime,
    rows: Rows | None = None,
) -> dict[Key, Mapping[str, Any]]:
    """The rows these events make or change, starting from those given.

    An event about a row that is not among them is none of the answer's business.
    """
    return folded_written(projection, [(stream_id, event) for event in events], at, rows)


def folded_written(
    projection: Projection,
    written: Iterable[tuple[str, Event]],
    at: datetime,
    rows: Rows | None = None,
) -> dict[Key, Mapping[str, Any]]:
    """The same for events of several streams."""
    known: Rows = rows or {}
    for stream_id, event in written:
        record = Unplaced(stream_id, type(event).__name__, event.SCHEMA_VERSION, at)
        known = folded_on(projection, record, event, known)
    return {key: row for key, row in known.items() if row is not None}


def folded_on(
    projection: Projection,
    record: EventRecord,
    event: Event,
    rows: Rows,
    only: frozenset[Key] | None = None,
) -> Rows:
    """The rows after one more event; with `only`, events about other rows change nothing."""
    wanted = {key: rows.get(key) for key in projection.keys(record, event)}
    if only is not None:
        wanted = {key: row for key, row in wanted.items() if key in only}
    if not wanted:
        return rows
    try:
        return {**rows, **projection.evolve(wanted, record, event)}
    except MissingRow:
        return rows
