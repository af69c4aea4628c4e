"""Our own reader and writer of JSON, because a ledger's numbers may not pass through a float.

Python's reader takes more than JSON (NaN, UTF-16, the last of two equal keys, digits and depth
without end), and what it takes fails later, as an error of ours. So a body is read once, here.
"""

import json
import re
from decimal import Decimal
from typing import Any, Final, NoReturn

import orjson
from starlette.exceptions import HTTPException

from schemas.amounts import MINOR_MAX, UNSTORABLE

BODY_BYTES_MAX: Final = 1_048_576
DEPTH_MAX: Final = 32
NUMBER_LENGTH_MAX: Final = 40
"""Characters of one number: all an amount, a rate or a measurement can need."""

_EXPONENT_MAX: Final = 30
_STRING_OR_BRACKET: Final = re.compile(
    rb'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z)|[\[\]{}]', re.DOTALL
)
_BOM: Final = b"\xef\xbb\xbf"
_WRITE_OPTIONS: Final = (
    orjson.OPT_STRICT_INTEGER | orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_PASSTHROUGH_DATACLASS
)


class UnreadableBody(HTTPException):
    """A body that can't be read: 400 isn't JSON, 413 is too large, 422 is JSON we don't take.

    An HTTPException, because FastAPI turns any other error of reading a body into its own 400.
    """

    def __init__(self, code: str, detail: str, status: int) -> None:
        """Keep the stable `code`, and a `detail` that says how to mend the body."""
        super().__init__(status_code=status, detail=detail)
        self.code = code
        self.status = status


def read_json(body: bytes, bytes_max: int = BODY_BYTES_MAX) -> dict[str, Any]:
    """Read an object with exact numbers: whole ones as int, all others as Decimal.

    Raises UnreadableBody, whose detail never repeats what was sent.
    """
    if len(body) > bytes_max:
        raise body_too_large(bytes_max)
    if body.startswith(_BOM):
        raise _not_json("Send the body without a byte order mark.")
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        raise _not_json("Send the body in UTF-8.") from None
    _refuse_depth(body)
    try:
        value = _DECODER.decode(text)
    except json.JSONDecodeError as error:
        raise _not_json(
            f"The body is not JSON: look at line {error.lineno}, column {error.colno}."
        ) from None
    if not isinstance(value, dict):
        raise UnreadableBody("body_not_an_object", "Send a JSON object: {…}.", 422)
    # Raw NULs and surrogates were refused above as control characters and as UTF-8.
    if b"\\u" in body:
        _refuse_unstorable(value)
    return value


def write_json(value: Any) -> bytes:
    """Write JSON with decimals as plain numbers: `10`, `9.99`; never quoted, never a float.

    A float, a date or any other type without one exact form is a TypeError: a mistake of ours.
    """
    _refuse_floats(value)
    return orjson.dumps(value, default=_decimal, option=_WRITE_OPTIONS)


def body_too_large(bytes_max: int) -> UnreadableBody:
    """Refuse with the limit in the sentence, as the reader and the stream's limit both do."""
    return UnreadableBody("body_too_large", f"Send a body of at most {bytes_max} bytes.", 413)


def _not_json(detail: str) -> UnreadableBody:
    return UnreadableBody("body_not_json", detail, 400)


def _number_out_of_range() -> UnreadableBody:
    return UnreadableBody(
        "number_out_of_range",
        f"Send numbers of at most {NUMBER_LENGTH_MAX} characters, between -{MINOR_MAX} and "
        f"{MINOR_MAX}.",
        422,
    )


def _refuse_depth(body: bytes) -> None:
    """Count brackets before parsing: how deep the parser itself can go depends on our caller."""
    if body.count(b"[") + body.count(b"{") <= DEPTH_MAX:
        return
    depth = 0
    for found in _STRING_OR_BRACKET.finditer(body):
        token = found.group()
        if token in (b"[", b"{"):
            depth += 1
            if depth > DEPTH_MAX:
                raise UnreadableBody(
                    "body_too_deep", f"Nest objects and lists at most {DEPTH_MAX} deep.", 422
                )
        elif token in (b"]", b"}"):
            depth -= 1


def _refuse_unstorable(value: object) -> None:
    """Find what PostgreSQL can't store, in keys too. Recursion is safe: depth is bounded."""
    if isinstance(value, str):
        if UNSTORABLE.search(value):
            raise UnreadableBody(
                "unstorable_text",
                "Remove the NUL character or unpaired surrogate from the text.",
                422,
            )
    elif isinstance(value, dict):
        for key, item in value.items():
            _refuse_unstorable(key)
            _refuse_unstorable(item)
    elif isinstance(value, list):
        for item in value:
            _refuse_unstorable(item)


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Which of two equal keys counts differs between readers, so neither does."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise UnreadableBody("duplicate_key", "Send each key of an object once.", 422)
    return found


def _whole(text: str) -> int:
    """Python refuses 4301 digits with an error of its own, and takes 4300: both are too late."""
    if len(text) > NUMBER_LENGTH_MAX or abs(int(text)) > MINOR_MAX:
        raise _number_out_of_range()
    return int(text)


def _exact(text: str) -> Decimal:
    exponent = text.lower().partition("e")[2]
    if len(text) > NUMBER_LENGTH_MAX or abs(int(exponent or "0")) > _EXPONENT_MAX:
        raise _number_out_of_range()
    value = Decimal(text)
    if value.is_zero():
        return Decimal(0)
    # Comparing is exact, while abs() would round to the context's precision first.
    if value.adjusted() >= len(str(MINOR_MAX)) or value.copy_abs() > MINOR_MAX:
        raise _number_out_of_range()
    return Decimal(int(value)) if "e" in text.lower() and value == int(value) else value


def _no_constant(_name: str) -> NoReturn:
    raise _not_json("NaN and Infinity are not JSON: send a number or null.")


def _refuse_floats(value: object) -> None:
    if isinstance(value, float):
        raise TypeError("a float has no exact decimal form: use Decimal")
    if isinstance(value, dict):
        for item in value.values():
            _refuse_floats(item)
    elif isinstance(value, list | tuple):
        for item in value:
            _refuse_floats(item)


def _decimal(value: Any) -> orjson.Fragment:
    if not isinstance(value, Decimal) or not value.is_finite():
        raise TypeError(f"{type(value).__name__} has no exact JSON form")
    return orjson.Fragment(format(value, "f"))


_DECODER: Final = json.JSONDecoder(
    object_pairs_hook=_unique_keys,
    parse_int=_whole,
    parse_float=_exact,
    parse_constant=_no_constant,
)
