"""Amounts go in and out without losing anything, and what isn't plain doesn't go in."""

import json
from decimal import Decimal
from typing import Annotated, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from schemas.amounts import (
    MINOR_MAX,
    Amount,
    PlainText,
    Quantity,
    UnitPrice,
    WholeNumber,
    from_minor,
    to_minor,
)

AMOUNT: TypeAdapter[Decimal] = TypeAdapter(Amount)
QUANTITY: TypeAdapter[Decimal] = TypeAdapter(Quantity)
ID: TypeAdapter[int] = TypeAdapter(WholeNumber)
TEXT: TypeAdapter[str] = TypeAdapter(Annotated[str, PlainText(5)])

NOT_PLAIN = [
    "", " 10", "10 ", "10\n", "1 0", "1_0", "1,000", "+5", "1e3", "1E3", ".5", "5.", "05", "0x10",

    "\u0661\u0660", "\uff11\uff10", "NaN", "Infinity", "--5", "-", "\u22125", "\x0010", "\ud800",
    "9" * 5000,
]  # fmt: skip


@given(st.integers(-MINOR_MAX, MINOR_MAX), st.integers(0, 6))
def test_amounts_survive_the_round_trip(minor: int, digits: int) -> None:
    shown = from_minor(minor, digits=digits)
    assert to_minor(shown, digits=digits) == minor
    assert to_minor(str(shown), digits=digits, signed=True) == minor
    assert shown * 10**digits == minor
    assert "E" not in str(shown)
    assert "." not in str(shown) or not str(shown).endswith("0")


@given(st.text(max_size=12))
def test_any_text_is_exact_or_refused(text: str) -> None:
    try:
        minor = to_minor(text, signed=True)
    except ValueError:
        return
    assert text.isascii()
    assert from_minor(minor) == Decimal(text)


def test_shows_amounts_as_people_write_them() -> None:
    shown = [str(from_minor(minor)) for minor in (1000, 999, 0, 5, -150)]
    assert shown == ["10", "9.99", "0", "0.05", "-1.5"]


@pytest.mark.parametrize("text", NOT_PLAIN)
def test_refuses_numbers_that_are_not_plain(text: str) -> None:
    for adapter in (AMOUNT, QUANTITY):
        with pytest.raises(ValidationError):
            adapter.validate_python(text)
    with pytest.raises(ValueError, match="Give"):
        to_minor(text, signed=True)


@pytest.mark.parametrize(
    "value",
    [True, 9.99, None, [], {}, b"10", -1, "-1", "-0.01", Decimal("9.999"), "9.999",
     Decimal("1E-400"), Decimal("1E+400"), Decimal("1E+999999"), Decimal("NaN"), Decimal("sNaN"),
     Decimal("Infinity"), MINOR_MAX, 10**400, "90071992547409.92"],
)  # fmt: skip
def test_refuses_what_is_no_amount(value: object) -> None:
    with pytest.raises(ValidationError):
        AMOUNT.validate_python(value)


@pytest.mark.parametrize(
    ("value", "read"),
    [(10, "10"), ("10", "10"), (Decimal("9.99"), "9.99"), ("9.90", "9.9"), (Decimal("-0"), "0"),
     (Decimal("1E+2"), "100"), ("90071992547409.91", "90071992547409.91"), (0, "0")],
)  # fmt: skip
def test_a_quoted_amount_means_the_same(value: object, read: str) -> None:
    assert str(AMOUNT.validate_python(value)) == read


def test_quantities_may_be_negative_and_fine() -> None:
    assert QUANTITY.validate_python("-1.000001") == Decimal("-1.000001")
    with pytest.raises(ValidationError):
        QUANTITY.validate_python("0.0000001")


@pytest.mark.parametrize("value", [6, "6", MINOR_MAX, str(MINOR_MAX)])
def test_ids_come_quoted_or_not(value: object) -> None:
    assert ID.validate_python(value) == int(str(value))


@pytest.mark.parametrize(
    "value",
    [0, "0", -1, "-1", True, 6.0, Decimal(6), "06", "6.0", " 6", "\u0666", 2**53, str(2**53)],
)
def test_refuses_what_is_no_id(value: object) -> None:
    with pytest.raises(ValidationError):
        ID.validate_python(value)


@pytest.mark.parametrize("value", ["a\x00", "\ud800", "\udfffa", "sixsix", 5, b"a"])
def test_refuses_text_the_database_cannot_keep(value: object) -> None:
    with pytest.raises(ValidationError):
        TEXT.validate_python(value)


def test_keeps_other_text() -> None:
    assert TEXT.validate_python("a\n😀é") == "a\n😀é"
    assert TEXT.json_schema() == {"type": "string", "maxLength": 5, "minLength": 0}


@pytest.mark.parametrize("annotated", [Amount, Quantity, UnitPrice, WholeNumber])
@pytest.mark.parametrize("mode", ["validation", "serialization"])
def test_the_schema_says_number_or_string(annotated: Any, mode: Any) -> None:
    schema = TypeAdapter(annotated).json_schema(mode=mode)
    kinds = {option["type"] for option in schema["anyOf"]}
    assert kinds in ({"number", "string"}, {"integer", "string"})
    assert json.dumps(schema)
