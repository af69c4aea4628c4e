"""A command on Kafka: CloudEvents 1.0, in the binding's binary mode or its structured one.

Whose command it is the topic says, which has its own access rules; what a record claims of itself
is only a name.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple

from schemas.json_text import BODY_BYTES_MAX, Unreadable, read_json

DEFAULT_SOURCE: Final = "default"
PERSONAL_HEADER: Final = "ce_personal"
STRUCTURED: Final = "application/cloudevents+json"
SPEC_VERSION: Final = "1.0"
NAME_LENGTH_MAX: Final = 255
_ATTRIBUTES: Final = ("specversion", "id", "source", "type", "time")


class Place(NamedTuple):
    """Where a record stands."""

    topic: str
    partition: int
    offset: int


@dataclass(frozen=True, slots=True)
class Received:
    """A record as far as it can be read without knowing its command."""

    place: Place
    key: bytes | None
    topic_source: str
    id: str
    source: str
    type: str
    time: datetime | None
    data: Mapping[str, Any]
    personal: str | None = None
    """What is personal in it, sealed by the queue over HTTP."""


@dataclass(frozen=True, slots=True)
class Unread:
    """A record nobody could read. It goes to the dead letters, and the rest goes on."""

    place: Place
    key: bytes | None
    topic_source: str
    reason: str
    value: bytes


Headers = Iterable[tuple[str, bytes | None]]


def source_of(topic: str, base: str) -> str:
    """The source a topic stands for: `ledger.commands.webshop` is `webshop`."""
    return topic.removeprefix(base).removeprefix(".") or DEFAULT_SOURCE


def read_record(
    place: Place, key: bytes | None, value: bytes | None, headers: Headers, base: str
) -> Received | Unread:
    """The command in a record, or why there is none to be found."""
    topic_source, content = source_of(place.topic, base), value or b""
    found = {name.lower(): header for name, header in headers}
    try:
        attributes, data = _parts(content, found)
        return Received(
            place,
            key,
            topic_source,
            id=_name(attributes, "id"),
            source=_name(attributes, "source"),
            type=_name(attributes, "type"),
            time=_time(attributes.get("time")),
            data=data,
            personal=_text(found.get(PERSONAL_HEADER), PERSONAL_HEADER) or None,
        )
    except Unreadable as wrong:
        return Unread(place, key, topic_source, wrong.detail, content)


def _parts(
    value: bytes, found: Mapping[str, bytes | None]
) -> tuple[Mapping[str, Any], dict[str, Any]]:
    """The attributes, and the data they belong to."""
    kind = _text(found.get("content-type"), "content-type").partition(";")[0].strip().lower()
    if kind == STRUCTURED:
        envelope = read_json(value, BODY_BYTES_MAX)
        data = envelope.get("data")
        if not isinstance(data, dict):
            raise _unreadable("Give the command's fields as the JSON object `data`.")
        attributes: Mapping[str, Any] = {name: envelope.get(name) for name in _ATTRIBUTES}
    else:
        attributes = {
            name: _text(found.get(f"ce_{name}"), f"ce_{name}") or None for name in _ATTRIBUTES
        }
        data = read_json(value, BODY_BYTES_MAX)
    if attributes["specversion"] != SPEC_VERSION:
        raise _unreadable(
            "Send CloudEvents 1.0: the attributes as ce_ headers, or the content-type "
            f"{STRUCTURED} with all of it as the value."
        )
    return attributes, data


def _text(header: bytes | None, name: str) -> str:
    try:
        return (header or b"").decode()
    except UnicodeDecodeError:
        raise _unreadable(f"The header {name} is not UTF-8.") from None


def _name(attributes: Mapping[str, Any], name: str) -> str:
    text = attributes.get(name)
    usable = isinstance(text, str) and 0 < len(text) <= NAME_LENGTH_MAX and text.isprintable()
    if not usable:
        raise _unreadable(f"Give `{name}` as 1 to {NAME_LENGTH_MAX} printable characters.")
    return str(text)


def _time(text: Any) -> datetime | None:
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except (TypeError, ValueError):
        moment = None
    if moment is None or moment.utcoffset() is None:
        raise _unreadable("Give `time` as RFC 3339 with an offset, such as 2026-02-10T00:00:00Z.")
    return moment


def _unreadable(detail: str) -> Unreadable:
    return Unreadable("not_a_command", detail)
