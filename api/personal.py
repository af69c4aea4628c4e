"""What is personal in an answer: rows have it sealed, and it is opened as the answer is written.

A document says with `hidden` that its row has some. An answer without any costs nothing more.
"""

from collections.abc import Collection, Iterator, Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any, Final, TypeGuard

from fastapi import Request, Response

from api.json_body import write_json
from api.services import services_of
from ledger.personal.sealing import DataKey
from ledger.personal.vault import Opened
from schemas.json_text import not_plain
from schemas.json_values import exact
from schemas.personal import Fields, Layer, merged, overlay

PLACE: Final = "personal_data"
_AT_HAND: Final = "ledger.keys_at_hand"
ERASED: Final = "erased"
"""What stands there when the key of some of it is destroyed; the fields are null then."""


@dataclass(frozen=True, slots=True)
class Hidden:
    """The layers of a row's personal data, as they came one after the other."""

    layers: Collection[Layer]


def hidden(row: Mapping[str, Any]) -> dict[str, Any]:
    """The mark in a document that more is to be filled in; `{}` where nothing is."""
    layers = row["personal"]
    return {PLACE: Hidden(layers)} if layers else {}


class Document(Response):
    """A JSON answer that is written when what is hidden in it can be opened."""

    media_type = "application/json"

    def __init__(
        self, content: Any, status: int = 200, headers: Mapping[str, str] | None = None
    ) -> None:
        """`content` is written at once where nothing is hidden in it."""
        self._content = content
        self._places = list(_places(content))
        super().__init__(None if self._places else write_json(content), status, headers)

    async def written(self, request: Request) -> Response:
        """The answer as it goes out."""
        if not self._places:
            return self
        layers = [layer for place in self._places for layer in place[PLACE].layers]
        opened = await services_of(request).vault.opened(
            filter(_is_sealed, layers), keys_at_hand(request)
        )
        for place in self._places:
            _fill(place, opened)
        answer = Response(write_json(self._content), self.status_code, media_type=self.media_type)
        # With what a route has put there since.
        more = {name: value for name, value in self.headers.items() if name not in answer.headers}
        answer.headers.update(more)
        return answer


def keys_at_hand(request: Request) -> set[DataKey]:
    """The keys that have sealed something in this request: they need not be looked for."""
    keys: set[DataKey] = request.scope.setdefault(_AT_HAND, set())
    return keys


def shown(layers: Collection[Layer], opened: Mapping[str, Opened]) -> tuple[Fields, bool]:
    """What stands after all layers, and whether some of them can't be opened any more."""
    found = [opened[layer] if isinstance(layer, str) else {} for layer in layers]
    resets = [layer["without"] if isinstance(layer, dict) else () for layer in layers]
    return merged(found, resets), any(fields is None for fields in found)


def _is_sealed(layer: Layer) -> TypeGuard[str]:
    return isinstance(layer, str)


def _fill(document: MutableMapping[str, Any], opened: Mapping[str, Opened]) -> None:
    fields, erased = shown(document.pop(PLACE).layers, opened)
    overlay(document, exact(fields))
    if erased:
        document[PLACE] = ERASED


def _places(content: Any) -> Iterator[dict[str, Any]]:
    """The documents with something hidden: those of `data`, and objects inside of them."""
    if isinstance(content, list):
        for each in content:
            yield from _places(each)
    elif isinstance(content, dict):
        if isinstance(content.get(PLACE), Hidden):
            yield content
        for value in not_plain(content.values()):
            # Other lists inside of documents are lines and parts, without personal data apart.
            if isinstance(value, dict) or (
                isinstance(value, list) and (value is content.get("data") or _shows_rewards(value))
            ):
                yield from _places(value)


def _shows_rewards(items: list[Any]) -> bool:
    """The items of a redemption, each with the reward it took value from."""
    return bool(items) and isinstance(items[0], dict) and "type_attributes" in items[0]
