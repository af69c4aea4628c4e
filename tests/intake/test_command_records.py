"""A record of Kafka as a command: both modes of CloudEvents, and everything that is neither."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from consumers.command_records import Headers, Place, Received, Unread, read_record

PLACE = Place("ledger.commands.webshop", 3, 17)
BINARY = {
    "ce_specversion": b"1.0",
    "ce_id": b"order-1001",
    "ce_source": b"/webshop",
    "ce_type": b"MakeRedemption",
    "ce_time": b"2026-02-10T00:00:00Z",
    "content-type": b"application/json",
}
DATA = {"profile_id": "p-1", "amount": "10"}


def read(
    value: bytes | None, headers: Headers | dict[str, bytes], place: Place = PLACE
) -> Received | Unread:
    pairs = list(headers.items()) if isinstance(headers, dict) else headers
    return read_record(place, b"p-1", value, pairs, "ledger.commands")


def envelope(**changes: Any) -> bytes:
    whole = {
        "specversion": "1.0",
        "id": "order-1001",
        "source": "/webshop",
        "type": "MakeRedemption",
        "time": "2026-02-10T00:00:00Z",
        "data": DATA,
    } | changes
    return json.dumps({name: value for name, value in whole.items() if value is not ...}).encode()


def structured(**changes: Any) -> Received | Unread:
    kind = b"application/cloudevents+json; charset=utf-8"
    return read(envelope(**changes), {"content-type": kind})


@pytest.mark.parametrize("mode", ["binary", "structured"])
def test_both_modes_say_the_same(mode: str) -> None:
    found = read(json.dumps(DATA).encode(), BINARY) if mode == "binary" else structured()
    assert found == Received(
        PLACE,
        b"p-1",
        "webshop",
        "order-1001",
        "/webshop",
        "MakeRedemption",
        datetime(2026, 2, 10, tzinfo=UTC),
        DATA,
    )


def test_the_topic_says_whose_it_is() -> None:
    elsewhere = read(b"{}", BINARY, Place("ledger.commands", 0, 0))
    assert isinstance(elsewhere, Received)
    assert elsewhere.topic_source == "default"
    assert elsewhere.source == "/webshop"


def test_numbers_are_exact() -> None:
    found = read(b'{"amount": 9.99}', BINARY)
    assert isinstance(found, Received)
    assert str(found.data["amount"]) == "9.99"


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (None, "not JSON"),
        (b"", "not JSON"),
        (b"\xff\xfe", "UTF-8"),
        (b"[1]", "object"),
        (b'{"amount": NaN}', "NaN"),
        (b'{"amount": 1e400}', "numbers"),
        (b'{"a": 1, "a": 2}', "once"),
        (b'{"a": "\\u0000"}', "NUL"),
        (b'{"a": "\\ud800"}', "surrogate"),
        (b"[" * 100_000, "deep"),
        (b'{"a": "' + b"x" * 1_100_000 + b'"}', "bytes"),
    ],
)
def test_a_value_that_is_no_object_of_ours_is_told_why(value: bytes | None, reason: str) -> None:
    found = read(value, BINARY)
    assert isinstance(found, Unread)
    assert reason in found.reason
    assert found.value == (value or b"")


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("ce_specversion", None),
        ("ce_specversion", b"0.3"),
        ("ce_id", None),
        ("ce_id", b""),
        ("ce_id", b"x" * 256),
        ("ce_id", b"a\nb"),
        ("ce_id", b"\xff"),
        ("ce_source", None),
        ("ce_type", None),
        ("ce_time", b"yesterday"),
        ("ce_time", b"2026-02-10T00:00:00"),
        ("content-type", b"\xff"),
    ],
)
def test_an_attribute_that_is_missing_or_wrong_is_named(name: str, given: bytes | None) -> None:
    headers = {**BINARY, name: given}
    found = read(b"{}", list(headers.items()))
    assert isinstance(found, Unread)
    assert name.removeprefix("ce_") in found.reason.lower() or "CloudEvents" in found.reason


@pytest.mark.parametrize(
    "changes",
    [
        {"specversion": "0.3"},
        {"id": 5},
        {"id": ...},
        {"source": None},
        {"data": ...},
        {"data": "text"},
        {"data": [1]},
        {"time": 5},
    ],
)
def test_an_envelope_that_is_no_cloud_event_is_unread(changes: dict[str, Any]) -> None:
    assert isinstance(structured(**changes), Unread)


def test_headers_in_any_case_and_no_content_type_are_binary_mode() -> None:
    upper = {name.upper(): value for name, value in BINARY.items() if name != "content-type"}
    assert isinstance(read(b"{}", upper), Received)
