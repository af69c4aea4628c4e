"""Whether a condition in JSON Logic holds for the facts of a case."""

from collections.abc import Mapping
from typing import Any


def holds(rule: Mapping[str, Any], facts: Mapping[str, Any]) -> bool:
    """Whether it does, as JavaScript counts true. One that divides by zero does not.

    The rule has been checked when it was written: it reads no clock and its work is bounded.
    """
    try:
        # Few programmes have conditions, so only they load the library.
        from json_logic import jsonLogic  # noqa: PLC0415

        return bool(jsonLogic({"!!": [dict(rule)]}, dict(facts)))
    except Exception:
        return False
