"""What every event shares. The classes below it are the storage format: they only ever grow.

A new event is a class in its feature's module with an `EXAMPLE`; generic tests find it here.
"""

from datetime import datetime
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict

from schemas.movements import Movement


class Event(BaseModel):
    """A fact. `movements` say all it did to value; an event without them moved none."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_by_name=True)

    SCHEMA_VERSION: ClassVar[int] = 1
    EXAMPLE: ClassVar[dict[str, Any]]

    movements: tuple[Movement, ...] = ()
    personal: str | None = None
    """What is personal in it, sealed under the profile's own key."""

    def __init_subclass__(cls, *, abstract: bool = False, **_: Any) -> None:
        if not abstract:
            _REGISTRY[(cls.__name__, cls.SCHEMA_VERSION)] = cls


class LotTerms(Event, abstract=True):
    """An event that brings a lot, or gives it other terms: whoever knows its expiry needs it.

    It stands whole in the event: an `expires_at` that is not there means never.
    """

    reward_id: int
    expires_at: datetime | None = None


_REGISTRY: dict[tuple[str, int], type[Event]] = {}


class UnknownEvent(Exception):
    """The log holds an event this version of the software has no class for."""

    def __init__(self, event_type: str, schema_version: int) -> None:
        super().__init__(f"no event {event_type} in schema version {schema_version} is known here")


def encode(event: Event) -> bytes:
    """The bytes that are stored, hashed and published."""
    return event.__pydantic_serializer__.to_json(event, by_alias=True, exclude_none=True)


def decode(event_type: str, schema_version: int, payload: bytes) -> Event:
    """The event a payload holds.

    Raises:
        UnknownEvent: no class for this type and schema version.
    """
    cls = class_of(event_type, schema_version)
    if cls is None:
        raise UnknownEvent(event_type, schema_version)
    event: Event = cls.__pydantic_validator__.validate_json(payload)
    return event


def class_of(event_type: str, schema_version: int) -> type[Event] | None:
    """The class of an event, if there is one."""
    return _REGISTRY.get((event_type, schema_version))


def known_events() -> tuple[type[Event], ...]:
    """Every event class, for the catalog and the generic tests."""
    return tuple(_REGISTRY.values())
