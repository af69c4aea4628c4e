"""Our own reader and writer of JSON, because a ledger's numbers may not pass through a float.

Python's reader takes more than JSON (NaN, UTF-16, the last of two equal keys, digits and depth
without end), and what it takes fails later, as an error of ours. So a text is read once, here,
wherever it comes from.
"""

import json
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from decimal import Decimal
from itertools import compress
from operator import not_
from typing import Any, Final, NoReturn

import orjson

from schemas.amounts import MINOR_MAX, UNSTORABLE

BODY_BYTES_MAX: Final = 1_048_576
BATCH_BYTES_MAX: Final = 4 * BODY_BYTES_MAX
VALUES_MAX: Final = BODY_BYTES_MAX // 2
"""As many as fit into an ordinary body; more of them would be long to read in a larger one."""
DEPTH_MAX: Final = 32
NUMBER_LENGTH_MAX: Final = 40
"""Characters of one number: all an amount, a rate or a measurement can need."""

FIELD_LENGTH_MAX: Final = 200

_EXPONENT_MAX: Final = 30
_STRING_OR_BRACKET: Final = re.compile(
    rb'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z)|[\[\]{}]', re.DOTALL
)
_BOM: Final = b"\xef\xbb\xbf"
_PLAIN: Final = frozenset({str, int, bool, type(None), Decimal})
_WRITE_OPTIONS: Final = (
    orjson.OPT_STRICT_INTEGER | orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_PASSTHROUGH_DATACLASS
)


class Unreadable(Exception):
    """Text that can't be read as one of our objects. `detail` never repeats what was sent."""

    def __init__(self, code: str, detail: str, field: str = "body") -> None:
        """Keep the stable `code`, and a `detail` that says how to mend it."""
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.field = field
        """The field at fault as far as it is known, by dotted path."""


def read_json(body: bytes, bytes_max: int = BODY_BYTES_MAX) -> dict[str, Any]:
    """Read an object with exact numbers: whole ones as int, all others as Decimal.

    Raises Unreadable, whose detail never repeats what was sent.
    """
    if len(body) > bytes_max:
        raise too_large(bytes_max)
    if body.count(b",") > VALUES_MAX:
        raise Unreadable("body_too_large", f"Send at most {VALUES_MAX} values.")
    if body.startswith(_BOM):
        raise _not_json("Send the body without a byte order mark.")
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        raise _not_json("Send the body in UTF-8.") from None
    _refuse_depth(body)
    try:
        value = _DECODER.decode(text)
    except _OutOfRange:
        raise _number_out_of_range(text) from None
    except json.JSONDecodeError as error:
        raise _not_json(
            f"The body is not JSON: look at line {error.lineno}, column {error.colno}."
        ) from None
    if not isinstance(value, dict):
        raise Unreadable("body_not_an_object", "Send a JSON object: {…}.")
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


def not_plain(values: Collection[Any]) -> Iterator[Any]:
    """Those that hold others or need a second look; found without a step of Python for each."""
    return compress(values, map(not_, map(_PLAIN.__contains__, map(type, values))))


def too_large(bytes_max: int) -> Unreadable:
    """Refuse with the limit in the sentence, as the reader and the stream's limit both do."""
    return Unreadable("body_too_large", f"Send a body of at most {bytes_max} bytes.")


def _not_json(detail: str) -> Unreadable:
    return Unreadable("body_not_json", detail)


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
                raise Unreadable(
                    "body_too_deep", f"Nest objects and lists at most {DEPTH_MAX} deep."
                )
        elif token in (b"]", b"}"):
            depth -= 1


def _refuse_unstorable(value: object) -> None:
    """Refuse what PostgreSQL can't store, in keys too."""
    path = _path_to(value, lambda item: isinstance(item, str) and bool(UNSTORABLE.search(item)))
    if path is not None:
        raise Unreadable(
            "unstorable_text",
            "Remove the NUL character or unpaired surrogate from the text.",
            _dotted(path),
        )


def _path_to(value: object, at_fault: Callable[[object], bool]) -> list[str] | None:
    """Where the first value at fault is. Recursion is safe: depth is bounded."""
    if at_fault(value):
        return []
    inner: Iterable[tuple[object, object]] = ()
    if isinstance(value, dict):
        if any(map(at_fault, value)):
            return []
        inner = value.items()
    elif isinstance(value, list):
        inner = enumerate(value)
    for name, item in inner:
        path = _path_to(item, at_fault)
        if path is not None:
            return [str(name), *path]
    return None


def _dotted(path: Sequence[str]) -> str:
    """The name of a field; names are the caller's words too."""
    return UNSTORABLE.sub("?", ".".join(path))[:FIELD_LENGTH_MAX] or "body"


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Which of two equal keys counts differs between readers, so neither does."""
    found = dict(pairs)
    if len(found) != len(pairs):
        names = Counter(name for name, _ in pairs)
        twice = next(name for name, times in names.items() if times > 1)
        raise Unreadable("duplicate_key", "Send each key of an object once.", _dotted([twice]))
    return found


def _whole(text: str) -> int:
    """Python refuses 4301 digits with an error of its own, and takes 4300: both are too late."""
    if len(text) > NUMBER_LENGTH_MAX or abs(int(text)) > MINOR_MAX:
        raise _OutOfRange
    return int(text)


def _exact(text: str) -> Decimal:
    exponent = text.lower().partition("e")[2]
    if len(text) > NUMBER_LENGTH_MAX or abs(int(exponent or "0")) > _EXPONENT_MAX:
        raise _OutOfRange
    value = Decimal(text)
    if value.is_zero():
        return Decimal(0)
    # Comparing is exact, while abs() would round to the context's precision first.
    if value.adjusted() >= len(str(MINOR_MAX)) or value.copy_abs() > MINOR_MAX:
        raise _OutOfRange
    return Decimal(int(value)) if "e" in text.lower() and value == int(value) else value


class _OutOfRange(Exception):
    """A number is too long or too large; where it stands only a second reading tells."""


def _number_out_of_range(text: str) -> Unreadable:
    try:
        path = _path_to(_MARKING.decode(text), lambda item: item is _OutOfRange)
    except json.JSONDecodeError:  # what follows the number isn't JSON either
        path = None
    return Unreadable(
        "number_out_of_range",
        f"Send numbers of at most {NUMBER_LENGTH_MAX} characters, between -{MINOR_MAX} and "
        f"{MINOR_MAX}.",
        _dotted(path or []),
    )


def _marked(read: Callable[[str], Any]) -> Callable[[str], Any]:
    def read_or_mark(text: str) -> Any:
        try:
            return read(text)
        except _OutOfRange:
            return _OutOfRange

    return read_or_mark


def _no_constant(_name: str) -> NoReturn:
    raise _not_json("NaN and Infinity are not JSON: send a number or null.")


def _refuse_floats(value: object) -> None:
    if isinstance(value, float):
        raise TypeError("a float has no exact decimal form: use Decimal")
    inner: Collection[object] = ()
    if isinstance(value, dict):
        inner = value.values()
    elif isinstance(value, list | tuple):
        inner = value
    for item in not_plain(inner):
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
_MARKING: Final = json.JSONDecoder(
    parse_int=_marked(_whole), parse_float=_marked(_exact), parse_constant=lambda _: None
)
