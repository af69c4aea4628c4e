"""What a schema may change without breaking anybody: it may grow, and nothing else.

Events lie in the log and on Kafka for ever, and their readers were written against the committed
schema. So a field may be added if it is optional; what is there keeps its name, its type and its
being there. Senders of commands need less: a field they had to send may become optional.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from schemas.catalog import Schema

NEW_VERSION = (
    "Add a new schema version instead: keep this class for what is stored, and give the new one "
    "the next SCHEMA_VERSION."
)
NEW_COMMAND = "Senders rely on it: keep the field as it is, or add another command."

_WORDS = frozenset({"$defs", "$id", "$schema", "default", "description", "examples", "title"})
_EXAMINED = frozenset({"properties", "required", "items", "anyOf", "enum", "const"})


def problems(old: Mapping[str, Schema], new: Mapping[str, Schema]) -> list[str]:
    """Every change from the committed catalog `old` to `new` that would break somebody."""
    found = []
    for name, before in old.items():
        is_event = name.startswith("events/")
        remedy = NEW_VERSION if is_event else NEW_COMMAND
        if name not in new:
            kept = "stored events need their class" if is_event else "senders still send it"
            found.append(f"{name}: it is gone, but {kept}.")
            continue
        changes = _Comparison(before, new[name], is_event).changes(before, new[name], "")
        found += [f"{name}: {change}. {remedy}" for change in changes]
    return found


class _Comparison:
    """Two schemas side by side, each with its own definitions."""

    def __init__(self, old: Schema, new: Schema, is_event: bool) -> None:
        self._old_defs = old.get("$defs", {})
        self._new_defs = new.get("$defs", {})
        self._is_event = is_event
        self._seen: set[tuple[str, str]] = set()

    def changes(self, old: Any, new: Any, at: str) -> Iterator[str]:
        """What breaks somebody between two schemas of one place, named by its path."""
        pair = (old.get("$ref", ""), new.get("$ref", ""))
        if all(pair):
            # A schema that contains itself is compared once.
            if pair in self._seen:
                return
            self._seen.add(pair)
        old, new = _resolved(old, self._old_defs), _resolved(new, self._new_defs)
        if not self._is_event and "anyOf" in new and "anyOf" not in old:
            # One way to say it was enough, and is the first of several now.
            old = {"anyOf": [old]}
        yield from self._keywords(old, new, at)
        yield from self._fields(old, new, at)
        yield from self._choices(old, new, at)
        if "items" in old and "items" in new:
            yield from self.changes(old["items"], new["items"], f"{at}[]")

    def _keywords(self, old: Schema, new: Schema, at: str) -> Iterator[str]:
        for word in sorted((old.keys() | new.keys()) - _WORDS - _EXAMINED):
            if old.get(word) != new.get(word):
                was = old.get(word, "not there")
                yield f"{_field(at)} changes its type: {word} was {was}, is {_now(new, word)}"
        for word in ("items", "anyOf"):
            if (word in old) != (word in new):
                yield f"{_field(at)} changes its type: {word} {'goes' if word in old else 'comes'}"

    def _fields(self, old: Schema, new: Schema, at: str) -> Iterator[str]:
        before, after = old.get("properties", {}), new.get("properties", {})
        for name in sorted(before.keys() - after.keys()):
            yield f"{_field(_in(at, name))} is removed or renamed"
        must, must_now = set(old.get("required", ())), set(new.get("required", ()))
        for name in sorted(must_now - must):
            yield f"{_field(_in(at, name))} is required now, and was not"
        if self._is_event:
            for name in sorted((must - must_now) & after.keys()):
                yield f"{_field(_in(at, name))} may be missing now, and could not"
        for name in sorted(before.keys() & after.keys()):
            yield from self.changes(before[name], after[name], _in(at, name))

    def _choices(self, old: Schema, new: Schema, at: str) -> Iterator[str]:
        before, after = _values(old), _values(new)
        if (before is None) != (after is None):
            yield f"{_field(at)} changes its type: its values were {before}, are {after}"
        elif before is not None and after is not None:
            for value in [value for value in before if value not in after]:
                yield f"{_field(at)} loses the value {value!r}"
        if "anyOf" in old and "anyOf" in new:
            first, second = old["anyOf"], new["anyOf"]
            if len(second) < len(first) or (self._is_event and len(second) > len(first)):
                yield f"{_field(at)} changes its type: {len(first)} kinds become {len(second)}"
            for one, other in zip(first, second, strict=False):
                # A kind that is still there may stand elsewhere among more of them.
                yield from self.changes(one, one if one in second else other, at)


def _resolved(schema: Schema, definitions: Mapping[str, Schema]) -> Schema:
    ref = schema.get("$ref")
    if ref is None:
        return schema
    beside = {word: value for word, value in schema.items() if word != "$ref"}
    return {**definitions[ref.removeprefix("#/$defs/")], **beside}


def _values(schema: Schema) -> list[Any] | None:
    if "const" in schema:
        return [schema["const"]]
    values: list[Any] | None = schema.get("enum")
    return values


def _in(at: str, name: str) -> str:
    return f"{at}.{name}" if at else name


def _field(at: str) -> str:
    return at or "the whole"


def _now(new: Schema, word: str) -> Any:
    return new.get(word, "gone")
