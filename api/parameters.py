"""Parameters beside the body: what is documented is known, and what is not known is refused.

A misspelt `?dryrun=true` would write what was only to be tried.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final

from fastapi import Request

from api.problems import Refused
from schemas.sentences import FIELD_LENGTH_MAX

FILTER: Final = re.compile(r"filter\[([a-z_]+)\](?:\[([a-z]+)\])?")
_KNOWN_LISTED_MAX: Final = 12
_WHOLE: Final = re.compile(r"[0-9]{1,6}")
_BOOLEANS: Final = {"true": True, "1": True, "false": False, "0": False}


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter, as the OpenAPI document shows it."""

    name: str
    description: str
    schema: Mapping[str, Any]
    place: str = "query"

    def documented(self) -> dict[str, Any]:
        """As OpenAPI says it."""
        return {
            "name": self.name,
            "in": self.place,
            "required": False,
            "description": self.description,
            "schema": dict(self.schema),
        }


def text(name: str, description: str, place: str = "query") -> Parameter:
    """A parameter of text."""
    return Parameter(name, description, {"type": "string"}, place)


DRY_RUN: Final = Parameter(
    "dry_run", "Decide and answer, but write nothing.", {"type": "boolean", "default": False}
)
IDEMPOTENCY_KEY: Final = text(
    "Idempotency-Key", "Repeats of a request under one key have its first answer.", "header"
)
IF_MATCH: Final = text("If-Match", "The ETag the change rests on; another one is 412.", "header")
WAIT_FOR: Final = text(
    "Ledger-Wait-For", "The Ledger-Position of an answer this list may not be older than.", "header"
)


def documented(*parameters: Parameter) -> dict[str, Any]:
    """What a route says of parameters: `openapi_extra=documented(DRY_RUN)`."""
    return {"parameters": [parameter.documented() for parameter in parameters]}


def refuse_unknown(request: Request, known: Collection[str]) -> None:
    """Each known parameter once, and no other.

    Raises:
        Refused: 422 with each parameter at fault.
    """
    errors: dict[str, list[str]] = {}
    for name in request.query_params:
        if name not in known and not _is_filter(name, known):
            errors[name[:FIELD_LENGTH_MAX]] = [_unknown(known)]
        elif len(request.query_params.getlist(name)) > 1:
            errors[name[:FIELD_LENGTH_MAX]] = ["Give this parameter once."]
    if errors:
        raise Refused.invalid(errors)


def flag(request: Request, name: str) -> bool:
    """A parameter that is true or false, and false when it is left out.

    Raises:
        Refused: 422, it is neither.
    """
    given = request.query_params.get(name, "false").lower()
    if given not in _BOOLEANS:
        raise Refused.invalid({name: ["Give true or false."]})
    return _BOOLEANS[given]


def whole(name: str, description: str, default: int, most: int) -> Parameter:
    """A parameter that is a number from 1 to `most`; `number_of` reads it."""
    bounds = {"type": "integer", "minimum": 1, "maximum": most, "default": default}
    return Parameter(name, description, bounds)


def number_of(request: Request, parameter: Parameter) -> int:
    """What a request gives for a `whole` parameter, or its default.

    Raises:
        Refused: 422, it is no such number.
    """
    most = int(parameter.schema["maximum"])
    given = request.query_params.get(parameter.name, str(parameter.schema["default"]))
    if _WHOLE.fullmatch(given) is None or not 1 <= int(given) <= most:
        raise Refused.invalid({parameter.name: [f"Give a whole number from 1 to {most}."]})
    return int(given)


def _is_filter(name: str, known: Collection[str]) -> bool:
    """A list tells its unknown filters itself; it knows those there are."""
    return FILTER.fullmatch(name) is not None and any(map(FILTER.fullmatch, known))


def _unknown(known: Collection[str]) -> str:
    if not known:
        return "This parameter is not known here; there are none."
    listed = ", ".join(sorted(known)[:_KNOWN_LISTED_MAX])
    return f"This parameter is not known here. Known are: {listed}."
