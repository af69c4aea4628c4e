"""Snapshots: an account's folded state as bytes, so that a long history isn't folded again.

Disposable: without them everything is the same, only slower. One is used only by the very code
that made it (`FINGERPRINT`), and only where the log still has the event it was taken at.
"""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import fields
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Any, NamedTuple, get_args, get_origin, get_type_hints

import orjson
from cattrs import UnstructureStrategy
from cattrs.preconf.orjson import make_converter
from immutables import Map

from ledger.account.state import Account
from ledger.records import Packed, Records

_SIZE_BYTES = 4
_FOLDED_BY = ("ledger.account", "schemas")
"""The packages whose code decides what a history folds to."""
_HERE = ("records.py", "snapshots.py")


@cache
def fingerprint() -> bytes:
    """What tells this fold from every other: the code it is made of."""
    here = resources.files("ledger")
    files = [here / name for name in _HERE]
    for package in _FOLDED_BY:
        files.extend(_modules(resources.files(package)))
    digest = hashlib.sha256()
    for file in files:
        digest.update(file.name.encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.digest()


def pack(account: Account) -> bytes:
    """The account as bytes: first what every command looks at, then the records, each apart."""
    now: dict[str, Any] = {}
    later: dict[str, bytes] = {}
    for name, field in _FIELDS.items():
        value = getattr(account, name)
        if field.is_records:
            later[name] = _json(value.packed_with(field.pack))
        else:
            now[name] = field.pack(value)
    head = _json({"now": now, "later": {name: len(part) for name, part in later.items()}})
    return b"".join((len(head).to_bytes(_SIZE_BYTES), head, *later.values()))


def unpack(content: bytes) -> Account:
    """The account again; its records stay packed until somebody looks."""
    start = _SIZE_BYTES + int.from_bytes(content[:_SIZE_BYTES])
    head = orjson.loads(content[_SIZE_BYTES:start])
    values = {name: _FIELDS[name].unpack(value) for name, value in head["now"].items()}
    for name, size in head["later"].items():
        field = _FIELDS[name]
        part = content[start : start + size]
        values[name] = Records(packed=Packed(part, field.key, field.unpack))
        start += size
    return Account(**values)


class _Field(NamedTuple):
    """How a field of an account is packed; of records, how each of them is."""

    is_records: bool
    key: Callable[[str], Any]
    pack: Callable[[Any], Any]
    unpack: Callable[[Any], Any]


_converter = make_converter(unstruct_strat=UnstructureStrategy.AS_TUPLE, detailed_validation=False)


def _is_map(cls: Any) -> bool:
    origin: Any = get_origin(cls)
    return origin is Map


@_converter.register_structure_hook_factory(_is_map)
def _unpack_map(cls: Any) -> Callable[[Any, Any], Any]:
    as_dict: Any = dict.__class_getitem__(get_args(cls))
    hook = _converter.get_structure_hook(as_dict)
    return lambda value, _: Map(hook(value, as_dict))


@_converter.register_unstructure_hook_factory(_is_map)
def _pack_map(cls: Any) -> Callable[[Any], Any]:
    hook = _converter.get_unstructure_hook(dict.__class_getitem__(get_args(cls)))
    return lambda value: hook(dict(value.items()))


def _field(kind: Any) -> _Field:
    is_records = get_origin(kind) is Records
    key, value = get_args(kind) if is_records else (str, kind)
    hook = _converter.get_structure_hook(value)
    return _Field(
        is_records,
        key,
        _converter.get_unstructure_hook(value),
        lambda packed: hook(packed, value),
    )


_FIELDS = {field.name: _field(get_type_hints(Account)[field.name]) for field in fields(Account)}


def _json(value: Any) -> bytes:
    return orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS)


def _modules(folder: Traversable) -> Iterator[Traversable]:
    for each in sorted(folder.iterdir(), key=lambda each: each.name):
        if each.is_dir():
            yield from _modules(each)
        elif each.name.endswith(".py"):
            yield each
