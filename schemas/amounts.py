"""Amounts: integers of the minor unit inside, exact decimals outside, never a float between.

A JSON number and its quoted twin (`10`, `"10"`) mean the same. A quoted one has to be a plain ASCII
decimal, since `Decimal()` reads `" 1_0"`, Arabic digits and `"1e3"` as numbers too.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Annotated, Any, Final

from pydantic import AfterValidator, BeforeValidator, GetCoreSchemaHandler, WithJsonSchema
from pydantic_core import CoreSchema, core_schema

MINOR_MAX: Final = 2**53 - 1
"""The largest whole number every JSON reader keeps exactly."""

LABEL_LENGTH_MAX: Final = 1_000
AMOUNT_DIGITS: Final = 2
PRICE_DIGITS: Final = 6

_PLAIN_DECIMAL: Final = re.compile(r"-?(?:0|[1-9][0-9]{0,15})(?:\.[0-9]{1,16})?")
_PLAIN_WHOLE: Final = re.compile(r"[1-9][0-9]{0,15}")
UNSTORABLE: Final = re.compile("[\x00\ud800-\udfff]")
"""What PostgreSQL can't keep in text: NUL, and surrogates, which have no UTF-8 form."""


def to_minor(value: Decimal | int | str, *, digits: int = 2, signed: bool = False) -> int:
    """Give `value` in minor units of `digits` decimals, exactly or not at all.

    `signed` is about strings: `"-5"` passes only with it, while a number carries its sign anyway.
    Decimals are counted as written, so `9.990` has three. Anything refused is a ValueError.
    """
    number = _exact(value, signed=signed)
    exponent = number.as_tuple().exponent
    if not isinstance(exponent, int):
        raise ValueError("Give a finite number.")
    if -exponent > digits:
        raise ValueError(f"Give at most {digits} decimals.")
    if number and number.adjusted() + digits > len(str(MINOR_MAX)):
        raise ValueError(_too_large(digits))
    minor = int(number.scaleb(digits)) if number else 0
    if abs(minor) > MINOR_MAX:
        raise ValueError(_too_large(digits))
    return minor


@lru_cache(maxsize=4_096)
def from_minor(minor: int, *, digits: int = 2) -> Decimal:
    """Give the shortest exact decimal: 1000 is `10`, 999 is `9.99`, without rounding anywhere."""
    while digits and minor % 10 == 0:
        minor //= 10
        digits -= 1
    return Decimal(f"{minor}E-{digits}")


@dataclass(frozen=True, slots=True)
class PlainText:
    """Marks text the database can keep: `Annotated[str, PlainText(255)]`.

    PostgreSQL refuses NUL, and a lone surrogate has no UTF-8 form; both would fail after the
    decision instead of before it. `max_length` counts characters.
    """

    max_length: int
    min_length: int = 0

    def __get_pydantic_core_schema__(
        self, _source: object, _handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        """Check before pydantic's own test of the text, whose message would be about Unicode."""
        text = core_schema.str_schema(
            strict=True, min_length=self.min_length, max_length=self.max_length
        )
        return core_schema.no_info_before_validator_function(_storable, text)


def _exact(value: object, *, signed: bool) -> Decimal:
    """Let through only what is exact already; `bool` is an int to Python, but no amount."""
    if isinstance(value, bool) or not isinstance(value, Decimal | int | str):
        raise ValueError('Give a decimal number, such as 9.99 or "9.99".')
    if isinstance(value, Decimal):
        return value
    if isinstance(value, int):
        if abs(value) > MINOR_MAX:
            raise ValueError(_too_large(0))
        return Decimal(value)
    if _PLAIN_DECIMAL.fullmatch(value) is None:
        raise ValueError(
            "Give a plain decimal such as 9.99, without spaces, grouping, exponent or plus sign."
        )
    if value.startswith("-") and not signed:
        raise ValueError("Give a number that is not negative.")
    return Decimal(value)


def _too_large(digits: int) -> str:
    return f"Give a number of at most {from_minor(MINOR_MAX, digits=digits)}."


def _reader(digits: int, *, signed: bool) -> Callable[[Any], Decimal]:
    def exactly(value: Any) -> Decimal:
        minor = to_minor(value, digits=digits, signed=signed)
        if minor < 0 and not signed:
            raise ValueError("Give a number that is not negative.")
        return from_minor(minor, digits=digits)

    # Text alone: numbers that are equal may differ in their decimals, and true is 1.
    known = lru_cache(maxsize=4_096)(exactly)

    def read(value: Any) -> Decimal:
        return known(value) if type(value) is str else exactly(value)

    return read


def _whole(value: Any) -> int:
    return _whole_number(value, 1)


def _whole_number(value: Any, least: int) -> int:
    """Ids are integers in answers and may come back quoted, as the article's payloads do."""
    if isinstance(value, str) and _PLAIN_WHOLE.fullmatch(value):
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= MINOR_MAX:
        raise ValueError(f'Give a whole number from {least} to {MINOR_MAX}, such as 6 or "6".')
    return value


def _from_zero(value: Any) -> int:
    return _whole_number(0 if value == "0" else value, 0)


def _positive(value: Decimal) -> Decimal:
    if value <= 0:
        raise ValueError("Give an amount greater than 0.")
    return value


def _label(value: Any) -> int | str:
    """A plain number is one, quoted or not; any other text stays as it came."""
    if isinstance(value, str) and not _PLAIN_WHOLE.fullmatch(value):
        if len(value) > LABEL_LENGTH_MAX:
            raise ValueError(f"Give at most {LABEL_LENGTH_MAX} characters.")
        return str(_storable(value))
    if isinstance(value, str) and int(value) > MINOR_MAX:
        return value
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise ValueError("Give text or a whole number.")
    return _whole(value)


def _storable(value: Any) -> Any:
    if isinstance(value, str) and UNSTORABLE.search(value):
        raise ValueError("Remove the NUL character or unpaired surrogate from the text.")
    return value


def _number_or_string(digits: int, *, signed: bool) -> dict[str, Any]:
    bound = float(from_minor(MINOR_MAX, digits=digits))
    sign = "-?" if signed else ""
    return {
        "anyOf": [
            {"type": "number", "minimum": -bound if signed else 0, "maximum": bound},
            {"type": "string", "pattern": rf"^{sign}(0|[1-9][0-9]*)(\.[0-9]{{1,{digits}}})?$"},
        ],
        "description": f"An exact decimal with at most {digits} decimals, quoted or not.",
    }


Amount = Annotated[
    Decimal,
    BeforeValidator(_reader(AMOUNT_DIGITS, signed=False)),
    WithJsonSchema(_number_or_string(AMOUNT_DIGITS, signed=False)),
]
"""What moves value: never negative, at most two decimals."""

PositiveAmount = Annotated[Amount, AfterValidator(_positive)]
"""What a command asks to move: more than nothing."""

SignedAmount = Annotated[
    Decimal,
    BeforeValidator(_reader(AMOUNT_DIGITS, signed=True)),
    WithJsonSchema(_number_or_string(AMOUNT_DIGITS, signed=True)),
]
"""A total: negative for a return, at most two decimals."""

Quantity = Annotated[
    Decimal,
    BeforeValidator(_reader(PRICE_DIGITS, signed=True)),
    WithJsonSchema(_number_or_string(PRICE_DIGITS, signed=True)),
]
"""How many, or how much by weight; negative on the lines of a return."""

UnitPrice = Annotated[
    Decimal,
    BeforeValidator(_reader(PRICE_DIGITS, signed=True)),
    WithJsonSchema(_number_or_string(PRICE_DIGITS, signed=True)),
]
"""Price, tax or margin of one unit."""

ExchangeRate = Annotated[
    Decimal,
    BeforeValidator(_reader(PRICE_DIGITS, signed=False)),
    AfterValidator(_positive),
    WithJsonSchema(_number_or_string(PRICE_DIGITS, signed=False)),
]
"""What one unit of something is worth: more than nothing, at most six decimals."""

WholeNumber = Annotated[
    int,
    BeforeValidator(_whole),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "integer", "minimum": 1, "maximum": MINOR_MAX},
                {"type": "string", "pattern": "^[1-9][0-9]{0,15}$"},
            ]
        }
    ),
]
"""An id of ours: `6` or `"6"`."""

WholeFromZero = Annotated[
    int,
    BeforeValidator(_from_zero),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "integer", "minimum": 0, "maximum": MINOR_MAX},
                {"type": "string", "pattern": "^(0|[1-9][0-9]{0,15})$"},
            ]
        }
    ),
]
"""How many of something, which may be none: `0` or `"0"`."""

Label = Annotated[
    int | str,
    BeforeValidator(_label),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "integer", "minimum": 1, "maximum": MINOR_MAX},
                {"type": "string", "maxLength": LABEL_LENGTH_MAX},
            ]
        }
    ),
]
"""An id of somebody else's: a number or text."""
