"""Reads of the past: `?as_of=` and what it means."""

from typing import Final

from fastapi import Request

from api.parameters import Parameter, text
from api.problems import Refused
from ledger.history import Cut
from schemas.times import parse_instant

AS_OF: Final = text("as_of", "The last moment told: UTC, or ISO 8601 with an offset.")
TIME: Final = Parameter(
    "time",
    "What `as_of` means: when it happened, or when the ledger knew.",
    {"type": "string", "enum": ["occurred", "recorded"], "default": "occurred"},
)


def cut_of(request: Request) -> Cut | None:
    """Where a request wants to stop; None is nowhere.

    Raises:
        Refused: 422, a parameter is not what it should be.
    """
    moment, kind = request.query_params.get("as_of"), request.query_params.get("time", "occurred")
    if kind not in ("occurred", "recorded"):
        raise Refused.invalid({"time": ["Give occurred or recorded."]})
    if moment is None:
        return None
    try:
        return Cut(parse_instant(moment, "UTC"), recorded=kind == "recorded")
    except ValueError as error:
        raise Refused.invalid({"as_of": [str(error)]}) from None
