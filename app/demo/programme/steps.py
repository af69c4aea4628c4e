"""One step of the programme: a command with its moment, its key and whose it is."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from schemas.commands import Command

What = Literal["definition", "reward", "redemption", "transaction"]


@dataclass(frozen=True, slots=True)
class Made:
    """What an earlier step made. Its number is known once that one has its answer."""

    key: str
    what: What


@dataclass(frozen=True, slots=True)
class Step:
    """A command as it was given at its moment. Its fields may name what earlier steps made."""

    at: datetime
    key: str
    client: str
    kind: type[Command]
    fields: Mapping[str, Any]
    streams: tuple[str, ...]
    """What it is about: steps that share one of these keep their order."""
    after: tuple[str, ...] = ()
    """Keys of steps that have to be written before it, beside those whose numbers it names."""
    refused: str | None = None
    """The code it is refused with, where the story wants it so."""

    @property
    def rests_on(self) -> tuple[str, ...]:
        """The steps that have to be answered before it."""
        named = [value for value in self.fields.values() if isinstance(value, Made)]
        for value in self.fields.values():
            if isinstance(value, tuple):
                named += [each for each in value if isinstance(each, Made)]
        return (*self.after, *(made.key for made in named))

    def command(self, number: Callable[[Made], int]) -> Command:
        """The command with the numbers in their places."""

        def known(value: Any) -> Any:
            if isinstance(value, tuple):
                return tuple(known(each) for each in value)
            return number(value) if isinstance(value, Made) else value

        return self.kind.model_validate({name: known(v) for name, v in self.fields.items()})
