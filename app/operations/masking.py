"""The shape of a text nobody could read, without what it says: that may be personal.

Only names of fields are left as they are, and only those that commands have.
"""

import re
from collections.abc import Iterator
from functools import cache
from typing import Any, Final

from consumers.known_commands import COMMANDS

SHOWN_MAX: Final = 4_000
"""Characters. What breaks a record stands mostly at its beginning or its end."""

_ATTRIBUTES: Final = frozenset(
    {"specversion", "id", "source", "type", "time", "subject", "data", "datacontenttype"}
)
# A field's name; or a literal of JSON; or one character that may be part of what is said.
_TOKEN: Final = re.compile(
    r'"(?P<name>[A-Za-z_][A-Za-z0-9_]{0,63})"(?=\s*:)'
    r"|(?<![^\W_])(?:true|false|null)(?![^\W_])"
    r"|(?P<said>[A-Za-z0-9]|[^\x00-\x7f])"
    r"|(?P<control>[\x00-\x08\x0b-\x1f\x7f])"
)


def masked(text: str) -> str:
    """The text with `x` for each letter and `0` for each digit, shortened in the middle."""
    if len(text) > SHOWN_MAX:
        half = SHOWN_MAX // 2
        left_out = len(text) - 2 * half
        return f"{_masked(text[:half])} … {left_out} characters … {_masked(text[-half:])}"
    return _masked(text)


def _masked(text: str) -> str:
    return _TOKEN.sub(_replaced, text)


def _replaced(found: re.Match[str]) -> str:
    if found["said"] is not None:
        return "0" if found["said"].isdecimal() else "x"
    if found["control"] is not None:
        return "?"
    name = found["name"]
    if name is None or name in _known():
        return found[0]
    return f'"{re.sub("[A-Za-z]", "x", re.sub("[0-9]", "0", name))}"'


@cache
def _known() -> frozenset[str]:
    schemas = (command.model_json_schema() for command in COMMANDS.values())
    return _ATTRIBUTES.union(*(set(_properties(schema)) for schema in schemas))


def _properties(schema: Any) -> Iterator[str]:
    if isinstance(schema, dict):
        if isinstance(schema.get("properties"), dict):
            yield from schema["properties"]
        for value in schema.values():
            yield from _properties(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from _properties(value)
