"""The hash chain over the log: encoding v1, and a check of a stretch of it.

`chain` = SHA-256 over the previous chain value and the encoding of all other stored fields, in
fixed order and binary form, so that no setting of a session can change what is hashed.
"""

import hashlib
import struct
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from uuid import UUID

from schemas.envelope import Recorded

DOMAIN = b"rewards-ledger/event"
ENCODING_VERSION = 1
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def genesis(incarnation: UUID) -> bytes:
    """The chain value before the first event of a log."""
    return hashlib.sha256(_sized(DOMAIN) + incarnation.bytes).digest()


def link(previous: bytes, recorded: Recorded, incarnation: UUID) -> bytes:
    """The chain value of an event after the one before it."""
    return hashlib.sha256(previous + encoded(recorded, incarnation)).digest()


def encoded(recorded: Recorded, incarnation: UUID) -> bytes:
    """Encoding v1 of every stored field except `chain` itself."""
    return b"".join((
        _sized(DOMAIN),
        _int4(ENCODING_VERSION),
        incarnation.bytes,
        _int8(recorded.position),
        _text(recorded.stream_id),
        _int4(recorded.stream_version),
        _text(recorded.type),
        _int4(recorded.schema_version),
        _sized(recorded.payload),
        recorded.command_id.bytes,
        _optional(recorded.correlation_id),
        _optional(recorded.causation_id),
        _instant(recorded.occurred_at),
        _instant(recorded.recorded_at),
        _text(recorded.actor),
        _int4(recorded.batch_index),
        _int4(recorded.batch_size),
    ))  # fmt: skip


def verify(log: Iterable[Recorded], incarnation: UUID) -> int | None:
    """The first position at which the log, read from its start, is not what was written."""
    previous, expected = genesis(incarnation), 1
    for recorded in log:
        if recorded.position != expected or link(previous, recorded, incarnation) != recorded.chain:
            return expected
        previous, expected = recorded.chain, expected + 1
    return None


def _int4(value: int) -> bytes:
    return struct.pack("!i", value)


def _int8(value: int) -> bytes:
    return struct.pack("!q", value)


def _sized(value: bytes) -> bytes:
    return _int4(len(value)) + value


def _text(value: str) -> bytes:
    return _sized(value.encode())


def _optional(value: UUID | None) -> bytes:
    return b"\x00" if value is None else b"\x01" + value.bytes


def _instant(value: datetime) -> bytes:
    return _int8((value - _EPOCH) // _MICROSECOND)
