"""Bad values for every field of a body, from the JSON Schema of its model.

A field that is added to a model is tried too, without a line here.
"""

import json
from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from pydantic import BaseModel

SECRET = "anna.secret@example.org"

WRONG: Mapping[str, Any] = {
    "string": SECRET,
    "number": 1.5,
    "integer": 7,
    "boolean": True,
    "object": {"a": SECRET},
    "array": [SECRET],
    "null": None,
}
"""A value of each type JSON has."""

QUOTED = (
    " 1", "1 ", "+1", "1e3", "1E3", "1,000", "1_0", "1.", ".5", "0x1", "", "NaN", "Infinity",
    "01", "--1", "1.0.0", "\u0661\u0660", "\uff11", "9" * 20, "9" * 5000, SECRET,
)  # fmt: skip
RAW = (
    b"1e400", b"-1e400", b"1e30", b"9" * 20, b"9" * 5000, b"1e-400", b"0." + b"1" * 60,
    b"NaN", b"Infinity", b"-Infinity", b"01", b"+1", b"1.",
)  # fmt: skip
"""Numbers that other readers take, or choke on."""

UNSTORABLE = (b'"\\u0000"', b'"\\ud800"', b'"a\\udc00\\ud800"')
INSIDE = (
    *(b'{"a": [' + raw + b"]}" for raw in (*RAW, *UNSTORABLE)),
    b'{"a": {"\\u0000": 1}}', b'{"\\udfff": 1}', b'{"a": tru}', b"{'a': 1}", b'{"a": 1,}',
    b'{"a": "\xed\xa0\x80"}', b'{"a": "\x00"}',
)  # fmt: skip
"""What an object of the caller's own making may not have in it."""

TIMES = (
    "tomorrow", "2031-02-30 10:00:00", "2031-03-10 24:00:00", "2031-03-10 23:59:60",
    "2031-03-10T10:00:00", "2031-03-10", "2031-03-10T10:00:00+99:00", "0000-01-01 00:00:00",
    "10000-01-01 00:00:00", "2031-03-10 10:00", " 2031-03-10 10:00:00", "1920012000",
    "2031-13-01 00:00:00", "2031-03-10T10:00:00.1234567Z", "-001-01-01 00:00:00", SECRET,
)  # fmt: skip
ZONES = ("Mars/Olympus", "+10:00", "EST5EDT6", "../../etc/passwd", "Australia", "", SECRET)
FLAGS = (
    "no", "yes", "on", "off", "t", "TRUE", "True", " true", "01", "2", "", 2, -1, 0.5,
    b"1.0", b"0.0", b"1e0", SECRET,
)  # fmt: skip
"""What some readers take for a flag."""

PROFILES = (SECRET, "", "x" * 101, "a/b", "a b", "p%00", "\u00e9", "a\nb", ".." + "/" * 3)

_MARK = "\u2603here\u2603"


@dataclass(frozen=True)
class Case:
    """One bad body, and the field a refusal must name."""

    name: str
    content: bytes
    field: str


def cases(model: type[BaseModel], good: Mapping[str, Any]) -> Iterator[Case]:
    """Bad bodies for each field of a model. `good` is one that is taken."""
    schema = model.model_json_schema()
    yield from _object_cases(schema, schema, dict(good), ())


def array_cases(model: type[BaseModel], good: Mapping[str, Any], entries: int) -> Iterator[Case]:
    """For each list of the body itself, one with so many entries that are none."""
    schema = model.model_json_schema()
    for name, found in schema["properties"].items():
        if any(option.get("type") == "array" for option in _options(schema, found)):
            content = b"[" + b"0," * (entries - 1) + b"0]"
            yield _case(schema, dict(good), (name,), content, f"{entries} entries")


def _object_cases(
    root: Mapping[str, Any], schema: Mapping[str, Any], good: dict[str, Any], path: tuple[Any, ...]
) -> Iterator[Case]:
    yield _case(root, good, (*path, "no_such_field"), SECRET, "unknown field")
    for name in schema.get("required", ()):
        yield _case(root, good, (*path, name), ..., "left out")
    for name, found in schema["properties"].items():
        yield from _field_cases(root, found, good, (*path, name))


def _field_cases(
    root: Mapping[str, Any], found: Mapping[str, Any], good: dict[str, Any], path: tuple[Any, ...]
) -> Iterator[Case]:
    options = list(_options(root, found))
    types = {option.get("type", "string") for option in options}
    if "number" in types:
        types.add("integer")
    for kind, value in WRONG.items():
        if kind not in types:
            yield _case(root, good, path, value, f"{kind} instead")
    for option in options:
        yield from _option_cases(root, option, types, good, path)


def _option_cases(
    root: Mapping[str, Any],
    option: Mapping[str, Any],
    types: set[str],
    good: dict[str, Any],
    path: tuple[Any, ...],
) -> Iterator[Case]:
    kind = option.get("type")
    if kind in ("number", "integer"):
        yield from _number_cases(root, option, good, path)
    if kind == "string":
        yield from _text_cases(root, option, types, good, path)
    if kind == "boolean":
        for value in FLAGS:
            yield _case(root, good, path, value, f"{value!r} for a boolean")
    if kind == "array":
        inner = option["items"]
        yield _case(root, good, path, [{}] * (option["maxItems"] + 1), "too many entries")
        if "properties" in _resolved(root, inner):
            yield from _object_cases(root, _resolved(root, inner), good, (*path, 0))
        else:
            yield from _field_cases(root, inner, good, (*path, 0))
    if kind == "object" and "properties" in option:
        yield from _object_cases(root, option, good, path)
    elif kind == "object":
        for raw in INSIDE:
            yield _case(root, good, path, raw, f"{raw[:20]!r} in an object")


def _number_cases(
    root: Mapping[str, Any], option: Mapping[str, Any], good: dict[str, Any], path: tuple[Any, ...]
) -> Iterator[Case]:
    for raw in RAW:
        yield _case(root, good, path, raw, f"{raw[:12]!r}")
    yield _case(root, good, path, option["maximum"] * 10, "above the maximum")
    yield _case(root, good, path, 0.12345678, "eight decimals")
    if option.get("minimum", -1) >= 0:
        yield _case(root, good, path, -1, "negative")


def _text_cases(
    root: Mapping[str, Any],
    option: Mapping[str, Any],
    types: set[str],
    good: dict[str, Any],
    path: tuple[Any, ...],
) -> Iterator[Case]:
    values: list[Any] = list(UNSTORABLE)
    if "number" in types or ("integer" in types and "pattern" in option):
        values += QUOTED if option["pattern"].startswith("^-") else (*QUOTED, "-1")
    elif "pattern" in option:
        values += PROFILES
    elif "enum" in option or "const" in option:
        values += ["", "Rewards", SECRET]
    elif str(path[-1]).endswith("zone"):
        values += ZONES
    elif str(path[-1]).endswith("_at"):
        values += TIMES
    else:
        values += [""] * bool(option.get("minLength"))
        values.append("x" * (option["maxLength"] + 1))
    for value in values:
        yield _case(root, good, path, value, f"{value!r:.30}")


def _options(root: Mapping[str, Any], found: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    found = _resolved(root, found)
    for option in found.get("anyOf", [found]):
        resolved = _resolved(root, option)
        yield from _options(root, resolved) if "anyOf" in resolved else [resolved]


def _resolved(root: Mapping[str, Any], schema: Mapping[str, Any]) -> Mapping[str, Any]:
    if "$ref" in schema:
        found: Mapping[str, Any] = root["$defs"][schema["$ref"].rpartition("/")[2]]
        return found
    return schema


def _case(
    root: Mapping[str, Any], good: dict[str, Any], path: tuple[Any, ...], value: Any, what: str
) -> Case:
    """The good body with one field set, or left out; bytes are set as raw JSON."""
    body = deepcopy(good)
    at: Any = body
    schema: Mapping[str, Any] = root
    for step, following in pairwise(path):
        schema = _inner(root, schema, step)
        if isinstance(at, list):
            if not at:
                at.append(_smallest(root, schema))
        elif step not in at or at[step] is None:
            at[step] = [] if following == 0 else _smallest(root, schema)
        at = at[step]
    if value is ...:
        del at[path[-1]]
    elif isinstance(at, list):
        at[:] = [_MARK if isinstance(value, bytes) else value]
    else:
        at[path[-1]] = _MARK if isinstance(value, bytes) else value
    content = json.dumps(body).encode()
    if isinstance(value, bytes):
        content = content.replace(json.dumps(_MARK).encode(), value)
    field = ".".join(map(str, path))
    return Case(f"{field}: {what}", content, field)


def _inner(root: Mapping[str, Any], schema: Mapping[str, Any], step: Any) -> Mapping[str, Any]:
    if step == 0:
        return _resolved(root, next(o for o in _options(root, schema) if "items" in o)["items"])
    return schema["properties"][step] if "properties" in schema else _object(root, schema, step)


def _object(root: Mapping[str, Any], schema: Mapping[str, Any], step: Any) -> Mapping[str, Any]:
    option = next(option for option in _options(root, schema) if "properties" in option)
    inner: Mapping[str, Any] = option["properties"][step]
    return inner


def _smallest(root: Mapping[str, Any], schema: Mapping[str, Any]) -> Any:
    """An object with only what it must have, or nothing of it."""
    options = [option for option in _options(root, schema) if "properties" in option]
    if not options:
        return {}
    return {
        name: 1 if "number" in str(options[0]["properties"][name]) else "x"
        for name in options[0].get("required", ())
    }
