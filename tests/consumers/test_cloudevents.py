"""Records are CloudEvents in binary mode, and nothing is lost on the way back."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID

import pytest

from consumers.cloudevents import KafkaRecord, NotALedgerEvent, from_record, to_record
from schemas.envelope import Recorded
from tests.consumers.fakes import recorded

INCARNATION = UUID("0b6f3a52-2d53-4c0e-9d7c-0d9f2f1f9a11")
CORRELATION = UUID("5e0a7f57-6a53-4ad3-8a5b-3f0a1f1b2c3d")
PAYLOAD = b'{ "amount_minor":1200, "note":"caf\xc3\xa9" }'
EVENT = replace(
    recorded(41, "account-8f3", 5, PAYLOAD),
    correlation_id=CORRELATION,
    occurred_at=datetime(2026, 3, 1, 11, 30, tzinfo=timezone(timedelta(hours=2))),
)


def _record(event: Recorded = EVENT) -> KafkaRecord:
    return to_record(event, source="/ledger/gold", incarnation=INCARNATION, cell="cell-1")


def test_the_wire_is_exactly_this() -> None:
    key, value, headers = _record()
    assert key == b"8f3"
    assert value is PAYLOAD
    assert dict(headers) == {
        "ce_specversion": b"1.0",
        "ce_id": b"account-8f3/5@0b6f3a52-2d53-4c0e-9d7c-0d9f2f1f9a11",
        "ce_type": b"RedemptionMade",
        "ce_source": b"/ledger/gold",
        "ce_subject": b"8f3",
        "ce_time": b"2026-03-01T09:30:00.000000Z",
        "ce_position": b"41",
        "ce_streamversion": b"5",
        "ce_schemaversion": b"1",
        "ce_correlationid": b"5e0a7f57-6a53-4ad3-8a5b-3f0a1f1b2c3d",
        "ce_incarnation": b"0b6f3a52-2d53-4c0e-9d7c-0d9f2f1f9a11",
        "ce_cell": b"cell-1",
        "content-type": b"application/json",
    }
    assert len(headers) == len(dict(headers))


@pytest.mark.parametrize("stream_id", ["account-8f3", "programme-a/b@c", "account-é"])
def test_what_is_read_back_is_what_was_recorded(stream_id: str) -> None:
    published = from_record(*_record(replace(EVENT, stream_id=stream_id)))
    assert published.stream_id == stream_id
    assert (published.stream_version, published.position, published.schema_version) == (5, 41, 1)
    assert published.occurred_at == EVENT.occurred_at
    assert published.occurred_at.tzinfo is UTC or published.occurred_at.utcoffset() == timedelta(0)
    assert published.payload == PAYLOAD
    assert (published.correlation_id, published.incarnation) == (CORRELATION, INCARNATION)


def test_no_correlation_is_no_header() -> None:
    record = _record(replace(EVENT, correlation_id=None))
    assert "ce_correlationid" not in dict(record.headers)
    assert from_record(*record).correlation_id is None


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        _record(replace(EVENT, occurred_at=datetime(2026, 3, 1)))


@pytest.mark.parametrize(
    "name",
    [name for name, _ in _record().headers if name not in ("ce_correlationid", "content-type")],
)
@pytest.mark.parametrize("instead", [None, b"\xff", b""])
def test_a_stranger_in_the_topic_is_recognised(name: str, instead: bytes | None) -> None:
    key, value, headers = _record()
    changed = [(n, instead if n == name else c) for n, c in headers]
    if instead is None:
        changed = [header for header in changed if header[1] is not None]
    with pytest.raises(NotALedgerEvent):
        from_record(key, value, changed)
