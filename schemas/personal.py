"""What of a command is personal: taken out of it before it goes on, and put back into an answer.

Taken out, it is one JSON object of the same shape; entries of a list stand under their index.
"""

from collections.abc import Iterable, Mapping, MutableMapping
from functools import cache
from typing import Any, TypeVar, cast

from pydantic import BaseModel
from pydantic_core import to_jsonable_python

from schemas.commands import Command

SomeCommand = TypeVar("SomeCommand", bound=Command)

Fields = dict[str, Any]
Layer = str | dict[str, list[str]]
"""A sealed text; or `{"without": […]}`, the fields whose earlier values no longer count."""

_Tree = dict[str, Any]


def split(command: SomeCommand) -> tuple[SomeCommand, Fields]:
    """The command without what is personal in it, and what that is; empty where nothing was.

    It still says which fields were given, a null among them: only not what they hold.
    """
    tree = _tree(type(command))
    if not tree:
        return command, {}
    told = command.NULL_SAYS_MORE & command.model_fields_set
    rest, fields = _split(command, tree, told)
    return cast(SomeCommand, rest), fields


def is_clear(command: Command) -> bool:
    """Whether anything personal stands in it: what is given as null tells nothing."""
    return _holds(command, _tree(type(command)))


def merged(layers: Iterable[Mapping[str, Any] | None], resets: Iterable[Iterable[str]]) -> Fields:
    """What stands after opened layers in their order: a later one wins, field by field.

    `resets` has, layer by layer, the fields it makes its predecessors forget.
    """
    fields: Fields = {}
    for layer, forgotten in zip(layers, resets, strict=True):
        for name in forgotten:
            fields.pop(name, None)
        fields.update(layer or {})
    return fields


def laid_on(
    layers: list[Layer] | None, sealed: str | None, without: Iterable[str] = ()
) -> list[Layer] | None:
    """The layers of a row after one more event; None while there are none.

    `without` names the fields the event replaces though it may bring nothing for them.
    """
    found = list(layers or ())
    forgotten = list(without)
    if found and forgotten:
        found.append({"without": forgotten})
    if sealed is not None:
        found.append(sealed)
    return found or None


def overlay(
    document: MutableMapping[str, Any], fields: Mapping[str, Any], *, everywhere: bool = False
) -> None:
    """Put fields back where a document has a place for them, or `everywhere` they came from."""
    for name, value in fields.items():
        if name not in document and not everywhere:
            continue
        standing = document.get(name)
        if not isinstance(standing, list) or not isinstance(value, dict):
            document[name] = value
            continue
        for index, of_entry in value.items():
            if int(index) < len(standing):
                overlay(standing[int(index)], of_entry, everywhere=everywhere)


def personal_paths(command: type[Command]) -> frozenset[str]:
    """The dotted paths of a command that are personal; `*` stands for every entry of a list."""
    return command.PERSONAL


@cache
def _tree(command: type[Command]) -> _Tree:
    tree: _Tree = {}
    for path in command.PERSONAL:
        below = tree
        *way, last = path.split(".")
        for name in way:
            below = below.setdefault(name, {})
        below[last] = None
    return tree


def _holds(model: BaseModel, tree: _Tree) -> bool:
    for name, below in tree.items():
        value = getattr(model, name)
        if below is None:
            if value is not None:
                return True
        elif any(_holds(entry, below["*"]) for entry in value or ()):
            return True
    return False


def _split(
    model: BaseModel, tree: _Tree, told: frozenset[str] | set[str] = frozenset()
) -> tuple[BaseModel, Fields]:
    fields: Fields = {}
    left: dict[str, Any] = {}
    for name, below in tree.items():
        value = getattr(model, name)
        if below is None:
            if value is not None or name in told:
                fields[name], left[name] = to_jsonable_python(value), None
            continue
        entries = [_split(entry, below["*"]) for entry in value or ()]
        found = {str(index): taken for index, (_, taken) in enumerate(entries) if taken}
        if found:
            fields[name], left[name] = found, tuple(entry for entry, _ in entries)
    return (model.model_copy(update=left) if left else model), fields
