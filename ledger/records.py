"""Immutable state that is cheap to change and to load: records of an account, most of them old.

`Records` is a mapping whose older entries may still be packed, as a snapshot holds them. Nothing is
unpacked until somebody looks for it: a redemption needs the open lots, not ten thousand spent ones.
"""

from collections.abc import Callable, Iterator, Mapping
from functools import cache, cached_property
from operator import attrgetter
from typing import Any, Generic, TypeVar

import orjson
from immutables import Map

K = TypeVar("K")
V = TypeVar("V")
T = TypeVar("T")


class Packed(Generic[K, V]):
    """Entries as a snapshot holds them: a JSON object of key → packed value."""

    def __init__(self, content: bytes, key: Callable[[str], K], unpack: Callable[[Any], V]) -> None:
        self._content = content
        self._key = key
        self._unpack = unpack
        self._unpacked: dict[K, V] = {}

    @cached_property
    def entries(self) -> dict[K, Any]:
        """Every key with its packed value."""
        return {self._key(key): value for key, value in orjson.loads(self._content).items()}

    def __getitem__(self, key: K) -> V:
        found = self._unpacked.get(key)
        if found is None:
            found = self._unpacked[key] = self._unpack(self.entries[key])
        return found


class Records(Mapping[K, V]):
    """An immutable mapping; `set` gives another one that shares all the rest."""

    __slots__ = ("_changed", "_packed")

    def __init__(
        self, changed: "Map[K, V] | None" = None, packed: Packed[K, V] | None = None
    ) -> None:
        self._changed: Map[K, V] = Map() if changed is None else changed
        self._packed = packed

    def set(self, key: K, value: V) -> "Records[K, V]":
        """The mapping with one entry added or changed."""
        return Records(self._changed.set(key, value), self._packed)

    def with_all(self, entries: Mapping[K, V]) -> "Records[K, V]":
        """The mapping with several entries added or changed."""
        return Records(self._changed.update(entries), self._packed)

    def packed_with(self, pack: Callable[[V], Any]) -> dict[K, Any]:
        """Every entry packed, without unpacking those that already are."""
        entries = {} if self._packed is None else dict(self._packed.entries)
        entries.update((key, pack(value)) for key, value in self._changed.items())
        return entries

    def __getitem__(self, key: K) -> V:
        if key in self._changed or self._packed is None:
            value: V = self._changed[key]
            return value
        return self._packed[key]

    def __contains__(self, key: object) -> bool:
        return key in self._changed or (self._packed is not None and key in self._packed.entries)

    def __iter__(self) -> Iterator[K]:
        yield from self._changed
        if self._packed is not None:
            yield from (key for key in self._packed.entries if key not in self._changed)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __repr__(self) -> str:
        return f"Records({dict(self)!r})"


def replace(record: T, **changes: Any) -> T:
    """`dataclasses.replace` for classes with slots, without its checks: a fold calls it often."""
    cls: Any = type(record)
    fields, place = _form(cls)
    values = [*fields(record)]
    for name, value in changes.items():
        values[place[name]] = value
    return cls(*values)  # type: ignore[no-any-return]


@cache
def _form(cls: Any) -> tuple[Callable[[Any], tuple[Any, ...]], dict[str, int]]:
    """All fields of a record of this class, and the place of each."""
    names: tuple[str, ...] = cls.__slots__
    return attrgetter(*names), {name: place for place, name in enumerate(names)}
