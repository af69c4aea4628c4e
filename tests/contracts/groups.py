"""Groups for the tests of the event store, as short as they can be written."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from ledger.event_store.port import Append, NewEvent, StreamHead, Unit

NOW = datetime(2031, 1, 1, 12, 30, 15, 123456, tzinfo=UTC)
EMPTY = StreamHead()


def event(stream: str = "a", version: int = 1, **changes: Any) -> NewEvent:
    return replace(NewEvent(stream, version, "Granted", 1, b'{"n":1}', NOW), **changes)


def unit(*events: NewEvent, **more: Any) -> Unit:
    return Unit(uuid4(), "till-1", events, **more)


def group(*units: Unit, **expected: StreamHead) -> Append:
    return Append(uuid4(), units, expected)


def one_event(stream: str, head: StreamHead = EMPTY) -> Append:
    return group(unit(event(stream, head.version + 1)), **{stream: head})
