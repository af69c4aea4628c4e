"""Reads of the past: `?as_of=` and what it means."""

from datetime import datetime
from typing import Final

from fastapi import Request

from api.parameters import Parameter
from api.problems import Refused
from api.services import services_of
from ledger.past import Cut

AS_OF: Final = Parameter(
    "as_of",
    "As of this moment, to the end of its second: UTC, or ISO 8601 with an offset.",
    {"type": "string", "examples": ["2026-02-10T12:00:00+11:00", "2026-02-10 01:00:00"]},
)
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
    given = request.query_params
    moment, kind = given.get(AS_OF.name), given.get(TIME.name, "occurred")
    return cut_told(moment, kind, services_of(request).clock())


def cut_told(moment: str | None, kind: str, now: datetime) -> Cut | None:
    """The cut that `as_of` and `time` name.

    Of business time the future may be asked for: what is left then if nothing but time happens.
    What the ledger will know nobody can tell.

    Raises:
        Refused: 422, one of them is not what it should be.
    """
    if kind not in ("occurred", "recorded"):
        raise Refused.invalid({TIME.name: ["Give occurred or recorded."]})
    if moment is None:
        return None
    recorded = kind == "recorded"
    try:
        cut = Cut.told(moment, "UTC", recorded=recorded)
    except ValueError as error:
        raise Refused.invalid({AS_OF.name: [str(error)]}) from None
    if recorded and cut.at.replace(microsecond=0) > now:
        sentence = "The ledger can't tell what it will have recorded; give a moment that has come."
        raise Refused.invalid({AS_OF.name: [sentence]})
    return cut
