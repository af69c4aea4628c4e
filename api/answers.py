"""What answers look like, for the OpenAPI document: one object under `data`, or a page of them.

Tests hold the answers to it; FastAPI doesn't look at each a second time.
"""

from collections.abc import Collection, Mapping
from typing import Any, Final

from api.bodies import BATCH
from api.pages import SIZE
from api.problems import SCHEMA as PROBLEM

Schema = Mapping[str, Any]

_TIME: Final = "^[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}$"
_NUMBER_OR_NULL: Final[Schema] = {"type": ["number", "null"]}
_DOCUMENT: Final[Schema] = {
    "type": "object",
    "patternProperties": {
        "^id$|_id$": {"type": ["integer", "string", "null"]},
        "_at$": {"type": ["string", "null"], "pattern": _TIME},
        "^(is|has)_": {"type": ["boolean", "null"]},
        "^value_|^(available|forfeited|released|requested|returned|total)$": _NUMBER_OR_NULL,
        "^(items|strategies|tags)$": {"type": ["array", "null"]},
    },
}
"""Times are UTC but for `…_local_at`; amounts are numbers, never text."""

_META: Final[Schema] = {"type": "object"}
ONE: Final[Schema] = {
    "title": "One",
    "type": "object",
    "required": ["data"],
    "properties": {"data": _DOCUMENT, "meta": _META},
    "additionalProperties": False,
}
ALL: Final[Schema] = {
    "title": "All",
    "type": "object",
    "required": ["data"],
    "properties": {"data": {"type": "array", "items": _DOCUMENT}, "meta": _META},
    "additionalProperties": False,
}
_LINK: Final[Schema] = {"type": ["string", "null"]}
_COUNT: Final[Schema] = {"type": ["integer", "null"], "minimum": 0}
PAGE: Final[Schema] = {
    "title": "Page",
    "type": "object",
    "required": ["data", "links", "meta"],
    "properties": {
        "data": {"type": "array", "items": _DOCUMENT},
        "links": {
            "type": "object",
            "required": ["first", "last", "prev", "next"],
            "additionalProperties": _LINK,
        },
        "meta": {
            "type": "object",
            "required": ["current_page", "from", "to", "last_page", "path", "per_page", "total"],
            "properties": {
                "current_page": _COUNT,
                "from": _COUNT,
                "to": _COUNT,
                "last_page": _COUNT,
                "path": {"type": "string"},
                "per_page": _COUNT,
                "total": _COUNT,
                "next_cursor": _LINK,
            },
        },
    },
    "additionalProperties": False,
}
_ROW: Final[Schema] = {
    "type": "object",
    "required": ["index", "status"],
    "properties": {
        "index": {"type": "integer"},
        "status": {"type": "integer"},
        "data": _DOCUMENT,
        "problem": PROBLEM,
    },
    "additionalProperties": False,
    "oneOf": [{"required": ["data"]}, {"required": ["problem"]}],
}
ROWS: Final[Schema] = {
    "title": "Rows",
    "type": "object",
    "required": ["message", "data", "meta"],
    "properties": {
        "message": {"type": "string"},
        "data": {"type": "array", "items": _ROW},
        "meta": {
            "type": "object",
            "required": ["total", "accepted", "refused"],
            "additionalProperties": {"type": "integer"},
        },
    },
    "additionalProperties": False,
}
QUEUED: Final[Schema] = {
    "title": "Queued",
    "type": "object",
    "required": ["message", "id", "source"],
    "properties": {
        "message": {"type": "string"},
        "id": {"type": ["string", "null"]},
        "source": {"type": "string"},
    },
    "additionalProperties": False,
}


def answers_of(path: str, parameters: Collection[str], status: int) -> dict[int | str, Any]:
    """What a route that says nothing else answers with. `status` is its own.

    What is there already, and a dry run, which creates nothing, are answered with 200.
    """
    if path.endswith(BATCH):
        return answering(ROWS)
    schema = PAGE if SIZE.name in parameters else ONE
    if status == _NOTHING:
        return {}
    both = answering(schema, status)
    return both if status != _CREATED else both | answering(schema, _OK, "It was there already.")


def answering(schema: Schema, status: int = 200, said: str = "Done.") -> dict[int | str, Any]:
    """`responses=answering(…)` of a route whose answer has a shape of its own."""
    return {status: {"description": said, "content": {"application/json": {"schema": schema}}}}


_OK: Final = 200
_CREATED: Final = 201
_NOTHING: Final = 204
