"""An event on Kafka: CloudEvents 1.0 in the protocol binding's binary mode.

The attributes travel as `ce_` headers, the value is the stored payload byte for byte: whoever
holds the log's chain can check a record against it.
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import NamedTuple
from uuid import UUID

from consumers.partitions import key_of
from schemas.envelope import Recorded
from schemas.immutable import immutable

CONTENT_TYPE = b"application/json"
SPEC_VERSION = b"1.0"

Headers = list[tuple[str, bytes]]


class KafkaRecord(NamedTuple):
    """What goes to Kafka for one event."""

    key: bytes
    value: bytes
    headers: Headers


@immutable
class Published:
    """One event as a consumer reads it. `event_id` is the same in every repeat."""

    event_id: str
    source: str
    subject: str
    type: str
    schema_version: int
    stream_id: str
    stream_version: int
    position: int
    occurred_at: datetime
    correlation_id: UUID | None
    incarnation: UUID
    cell: str
    payload: bytes


class NotALedgerEvent(ValueError):
    """A record in the topic that no relay of ours wrote; it belongs to the dead letters."""


def to_record(recorded: Recorded, *, source: str, incarnation: UUID, cell: str) -> KafkaRecord:
    """The record of one event. `source` is a URI reference, `cell` names the log's database.

    Raises:
        ValueError: `occurred_at` has no time zone.
    """
    if recorded.occurred_at.tzinfo is None:
        raise ValueError(f"occurred_at of position {recorded.position} has no time zone")
    key = key_of(recorded).encode()
    stream_version = str(recorded.stream_version)
    event_id = f"{recorded.stream_id}/{stream_version}@{incarnation}"
    headers: Headers = [
        ("ce_specversion", SPEC_VERSION),
        ("ce_id", event_id.encode()),
        ("ce_type", recorded.type.encode()),
        ("ce_source", source.encode()),
        ("ce_subject", key),
        ("ce_time", rfc3339(recorded.occurred_at).encode()),
        ("ce_position", str(recorded.position).encode()),
        ("ce_streamversion", stream_version.encode()),
        ("ce_schemaversion", str(recorded.schema_version).encode()),
        ("ce_incarnation", str(incarnation).encode()),
        ("ce_cell", cell.encode()),
        ("content-type", CONTENT_TYPE),
    ]
    if recorded.correlation_id is not None:
        # CloudEvents knows no null: an attribute without a value is left out.
        headers.append(("ce_correlationid", str(recorded.correlation_id).encode()))
    return KafkaRecord(key, recorded.payload, headers)


def from_record(
    key: bytes | None, value: bytes | None, headers: Iterable[tuple[str, bytes | None]]
) -> Published:
    """What a consumer needs of a record, whichever client it was read with.

    Raises:
        NotALedgerEvent: an attribute is missing or contradicts another.
    """
    try:
        found = {name: (content or b"").decode() for name, content in headers}
        if found["ce_specversion"] != SPEC_VERSION.decode():
            raise NotALedgerEvent(f"CloudEvents version {found['ce_specversion']!r}, not 1.0")
        # From the right: a stream id may contain both separators.
        named, _, incarnation = found["ce_id"].rpartition("@")
        stream_id, _, version = named.rpartition("/")
        correlation_id = found.get("ce_correlationid")
        published = Published(
            event_id=found["ce_id"],
            source=found["ce_source"],
            subject=found["ce_subject"],
            type=found["ce_type"],
            schema_version=int(found["ce_schemaversion"]),
            stream_id=stream_id,
            stream_version=int(found["ce_streamversion"]),
            position=int(found["ce_position"]),
            occurred_at=datetime.fromisoformat(found["ce_time"]),
            correlation_id=UUID(correlation_id) if correlation_id else None,
            incarnation=UUID(found["ce_incarnation"]),
            cell=found["ce_cell"],
            payload=value or b"",
        )
    except KeyError as missing:
        raise NotALedgerEvent(f"the header {missing} is missing") from missing
    except (ValueError, UnicodeDecodeError) as wrong:
        raise NotALedgerEvent(f"a header can't be read: {wrong}") from wrong
    if not (published.type and published.source and published.cell and stream_id):
        raise NotALedgerEvent(f"{published.event_id!r} has an empty attribute")
    if (version, incarnation) != (str(published.stream_version), str(published.incarnation)):
        raise NotALedgerEvent(f"{published.event_id} contradicts the other headers")
    if key != published.subject.encode():
        raise NotALedgerEvent(f"the key {key!r} is not the subject {published.subject!r}")
    return published


def rfc3339(moment: datetime) -> str:
    """A moment as the attribute `time` has it."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
