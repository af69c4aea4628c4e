"""What is published for a command: its outcome, or the record itself where nobody could read it."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

from consumers.command_records import Received, Unread
from ledger.rejections import Rejection
from ledger.repeats import RecordedRefusal
from ledger.submission import Accepted, AlreadyThere, Answer
from schemas.events import Event
from schemas.json_text import write_json
from schemas.outcomes import (
    CommandAccepted,
    CommandReference,
    CommandRefused,
    WrittenEvent,
)

JSON: Final = b"application/json"
_IDS: Final = ("_id",)


class Message(NamedTuple):
    """A record to be published."""

    key: bytes | None
    value: bytes
    headers: list[tuple[str, bytes]]


def reference(received: Received) -> CommandReference:
    """Which command it is."""
    return CommandReference(
        topic_source=received.topic_source,
        source=received.source,
        id=received.id,
        type=received.type,
    )


def accepted(received: Received, answer: Answer) -> CommandAccepted:
    """It is durable: what was written, in numbers only."""
    if isinstance(answer, AlreadyThere):
        return CommandAccepted(command=reference(received), replayed=True)
    assert isinstance(answer, Accepted)
    return CommandAccepted(
        command=reference(received),
        position=answer.position,
        replayed=answer.replayed,
        events=tuple(WrittenEvent(type=type(e).__name__, ids=_ids(e)) for e in answer.events),
    )


def refused(received: Received, rejection: Rejection) -> CommandRefused:
    """The ledger said no."""
    errors = {} if rejection.field is None else {rejection.field: [rejection.detail]}
    return CommandRefused(
        command=reference(received),
        code=rejection.code,
        status=rejection.status,
        detail=rejection.detail,
        errors=errors,
        facts=dict(rejection.facts),
        replayed=isinstance(rejection, RecordedRefusal),
    )


def outcome_message(
    received: Received, outcome: CommandAccepted | CommandRefused, source: str, now: datetime
) -> Message:
    """The outcome's record, under the key of its command. A repeat has the same `ce_id`."""
    event_id = f"{received.topic_source}/{received.source}/{received.id}"
    headers = {
        "ce_specversion": "1.0",
        "ce_id": event_id,
        "ce_type": type(outcome).__name__,
        "ce_source": source,
        "ce_subject": received.id,
        "ce_time": now.astimezone(UTC).isoformat().replace("+00:00", "Z"),
    }
    value = write_json(outcome.model_dump())
    return Message(received.key, value, _headers(headers))


def dead_letter_message(unread: Unread, sealed: str) -> Message:
    """A record nobody could read, its value sealed: who knows what is in it."""
    headers = {
        "ledger_reason": unread.reason,
        "ledger_topic": unread.place.topic,
        "ledger_partition": str(unread.place.partition),
        "ledger_offset": str(unread.place.offset),
        "ledger_source": unread.topic_source,
    }
    return Message(None, sealed.encode(), _headers(headers, b"text/plain"))


def _headers(texts: Mapping[str, str], content_type: bytes = JSON) -> list[tuple[str, bytes]]:
    headers = [(name, text.encode()) for name, text in texts.items()]
    return [*headers, ("content-type", content_type)]


def _ids(event: Event) -> dict[str, Any]:
    """Its own numbers: every field that names something."""
    return {
        name: value
        for name in type(event).model_fields
        if name.endswith(_IDS) and isinstance(value := getattr(event, name), int | str)
    }
