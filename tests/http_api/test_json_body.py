"""Bodies that break other readers are refused with a code; numbers stay as they were entered."""

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.json_body import DEPTH_MAX, UnreadableBody, read_json, write_json

HOSTILE = {
    "empty": (b"", 400, "body_not_json"),
    "not JSON": (b"amount=10", 400, "body_not_json"),
    "cut off": (b'{"amount": 10', 400, "body_not_json"),
    "two values": (b"{} {}", 400, "body_not_json"),
    "trailing comma": (b'{"a": 1,}', 400, "body_not_json"),
    "leading zero": (b'{"a": 01}', 400, "body_not_json"),
    "bare point": (b'{"a": .5}', 400, "body_not_json"),
    "NaN": (b'{"amount": NaN}', 400, "body_not_json"),
    "Infinity": (b'{"amount": Infinity}', 400, "body_not_json"),
    "-Infinity": (b'{"amount": -Infinity}', 400, "body_not_json"),
    "invalid UTF-8": (b'{"a": "\xff"}', 400, "body_not_json"),
    "raw surrogate": (b'{"a": "\xed\xa0\x80"}', 400, "body_not_json"),
    "UTF-16": ('{"a": 1}'.encode("utf-16"), 400, "body_not_json"),
    "byte order mark": (b'\xef\xbb\xbf{"a": 1}', 400, "body_not_json"),
    "raw NUL": (b'{"a": "\x00"}', 400, "body_not_json"),
    "raw newline": (b'{"a": "\n"}', 400, "body_not_json"),
    "other digits": ('{"a": \u0661\u0660}'.encode(), 400, "body_not_json"),
    "1e400": (b'{"amount": 1e400}', 422, "number_out_of_range"),
    "1e-400": (b'{"amount": 1e-400}', 422, "number_out_of_range"),
    "endless exponent": (b'{"a": 1e' + b"9" * 20 + b"}", 422, "number_out_of_range"),
    "1e16": (b'{"amount": 1e16}', 422, "number_out_of_range"),
    "2**53": (b'{"a": 9007199254740992}', 422, "number_out_of_range"),
    "2**53 and a bit": (b'{"a": -9007199254740991.5}', 422, "number_out_of_range"),
    "a hair over 2**53 - 1": (
        b'{"a": 9007199254740991.00000000000000000001}',
        422,
        "number_out_of_range",
    ),
    "5000 digits": (b'{"a": ' + b"9" * 5000 + b"}", 422, "number_out_of_range"),
    "5000 decimals": (b'{"a": 0.' + b"9" * 5000 + b"}", 422, "number_out_of_range"),
    "duplicate keys": (b'{"a": 1, "a": 2}', 422, "duplicate_key"),
    "duplicate keys inside": (b'{"l": [{"a": 1, "\\u0061": 2}]}', 422, "duplicate_key"),
    "lone surrogate": (b'{"a": "\\ud800"}', 422, "unstorable_text"),
    "reversed pair": (b'{"a": "\\udc00\\ud800"}', 422, "unstorable_text"),
    "surrogate as key": (b'{"a": [{"\\udfff": 1}]}', 422, "unstorable_text"),
    "NUL": (b'{"a": ["\\u0000"]}', 422, "unstorable_text"),
    "NUL as key": (b'{"\\u0000": 1}', 422, "unstorable_text"),
    "list": (b"[]", 422, "body_not_an_object"),
    "null": (b"null", 422, "body_not_an_object"),
    "100,000 lists deep": (b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}", 422, "body_too_deep"),
    "100,000 objects deep": (b'{"a":' * 100_000, 422, "body_too_deep"),
    "too large": (b'{"a": "' + b"x" * 1_048_576 + b'"}', 413, "body_too_large"),
}


@pytest.mark.parametrize(("body", "status", "code"), HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_bodies_are_refused_with_a_code(body: bytes, status: int, code: str) -> None:
    with pytest.raises(UnreadableBody) as refusal:
        read_json(body)
    assert (refusal.value.status, refusal.value.code) == (status, code)
    assert len(refusal.value.detail) < 200


@pytest.mark.parametrize(
    ("text", "number"),
    [("10", 10), ("-0", 0), ("9.99", Decimal("9.99")), ("9.990", Decimal("9.990")),
     ("1e2", Decimal(100)), ("1.5E+1", Decimal(15)), ("0e9", Decimal(0)), ("-0.0", Decimal(0)),
     ("5e-1", Decimal("0.5")), ("9007199254740991", 2**53 - 1)],
)  # fmt: skip
def test_numbers_stay_exact(text: str, number: Decimal | int) -> None:
    value = read_json(b'{"n": ' + text.encode() + b"}")["n"]
    assert (str(value), type(value)) == (str(number), type(number))


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (b'{"items": [{"a": 1}, {"a": 1e99}]}', "items.1.a"),
        (b'{"a": 1e99,}', "body"),
        (b'{"a": {"b": ["x", "\\u0000"]}}', "a.b.1"),
        (b'{"a": {"\\ud800": "\\ud800"}}', "a"),
        (b'{"\\ud800": 1, "\\ud800": 2}', "?"),
        (b'{"a": {"b": 1, "b": 2}}', "b"),
        (b'{"\\ud800": 1e99}', "?"),
    ],
)
def test_a_refusal_names_the_field_at_fault(body: bytes, field: str) -> None:
    with pytest.raises(UnreadableBody) as refusal:
        read_json(body)
    assert refusal.value.field == field


def test_the_depth_limit_ignores_brackets_inside_strings() -> None:
    brackets = '[{"\\' * 5_000
    assert read_json(json.dumps({"a": brackets}).encode()) == {"a": brackets}
    deepest = b'{"a":' + b"[" * (DEPTH_MAX - 1) + b"]" * (DEPTH_MAX - 1) + b"}"
    assert read_json(deepest)
    with pytest.raises(UnreadableBody):
        read_json(deepest.replace(b"[]", b"[[]]"))


def test_a_surrogate_pair_is_one_character() -> None:
    assert read_json(b'{"a": "\\ud83d\\ude00"}') == {"a": "\U0001f600"}


def test_writes_decimals_as_entered() -> None:
    value = {"total": Decimal(10), "price": Decimal("9.99"), "big": Decimal("1E+2"), "n": [1, None]}
    assert write_json(value) == b'{"total":10,"price":9.99,"big":100,"n":[1,null]}'


@pytest.mark.parametrize(
    "value",
    [9.99, {"a": [1.0]}, (0.5,), Decimal("NaN"), Decimal("-Infinity"), 2**53, "\ud800", object()],
)
def test_refuses_to_write_what_has_no_exact_form(value: object) -> None:
    with pytest.raises(TypeError):
        write_json(value)


NUMBERS = st.integers(-(2**53) + 1, 2**53 - 1) | st.decimals(
    min_value=-(10**14), max_value=10**14, places=6
).filter(lambda number: not number.is_zero())
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"))
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=20,
)


@given(st.dictionaries(TEXTS, VALUES, max_size=5))
def test_reads_back_what_it_wrote(value: dict[str, Any]) -> None:
    assert read_json(write_json(value)) == value


@given(st.binary(max_size=60) | st.text('{}[]",:\\u0d8e+-.19 truefalsn').map(str.encode))
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    try:
        read = read_json(body)
    except UnreadableBody as refusal:
        status = refusal.status
    else:
        status = 200 if isinstance(read, dict) else 500
    assert status in {200, 400, 422}
