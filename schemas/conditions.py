"""Conditions in JSON Logic: which ones are taken. What they come to is judged where they are used.

Checked when they are written, so that a misspelt operator or fact is refused and does not silently
say no to everybody for ever. Left out are operators that write logs or whose work has no bound:
`log`, and those that go through lists (`map`, `filter`, `reduce`, `all`, `some`, `none`).
"""

from collections.abc import Iterator
from typing import Annotated, Any, Final

from pydantic import AfterValidator

from schemas.json_values import JsonObject

DEPTH_MAX: Final = 20
NODES_MAX: Final = 200

OPERATORS: Final[dict[str, tuple[int, int | None]]] = {
    "var": (1, 2),
    "missing": (1, None),
    "missing_some": (2, 2),
    "==": (2, 2),
    "===": (2, 2),
    "!=": (2, 2),
    "!==": (2, 2),
    ">": (2, 3),
    ">=": (2, 3),
    "<": (2, 3),
    "<=": (2, 3),
    "!": (1, 1),
    "!!": (1, 1),
    "and": (1, None),
    "or": (1, None),
    "if": (2, None),
    "?:": (3, 3),
    "in": (2, 2),
    "cat": (1, None),
    "substr": (2, 3),
    "merge": (1, None),
    "+": (1, None),
    "-": (1, 2),
    "*": (1, None),
    "/": (2, 2),
    "%": (2, 2),
    "min": (1, None),
    "max": (1, None),
}
"""Each operator with the fewest and the most values it takes; None is any number."""

FACTS: Final = (
    "now",
    "profile.id",
    "profile.balance",
    "profile.rewards",
    "profile.rewards_of_definition",
    "profile.redemptions",
    "profile.type",
    "profile.tags",
    "reward.definition",
    "reward.definition_id",
    "reward.type",
    "reward.value",
    "reward.issued_at",
    "reward.issued_on",
    "reward.timezone",
)
"""What a condition about issuing a reward may ask for."""

_SHAPE: Final = 'Write each step as an object with one operator, such as {">": [1, 0]}.'


def known_condition(rule: dict[str, Any]) -> dict[str, Any]:
    """Let a rule pass that can be judged.

    Raises:
        ValueError: it can't, and the message says what to write instead.
    """
    if not rule:
        raise ValueError(_SHAPE)
    for number, (node, depth) in enumerate(_nodes(rule, 1), start=1):
        if depth > DEPTH_MAX or number > NODES_MAX:
            raise ValueError(
                f"Write a shorter rule: at most {DEPTH_MAX} deep, at most {NODES_MAX} steps."
            )
        if isinstance(node, dict):
            _check(node)
    return rule


def _nodes(node: Any, depth: int) -> Iterator[tuple[Any, int]]:
    yield node, depth
    if depth > DEPTH_MAX:
        return
    inner = node if isinstance(node, list) else []
    if isinstance(node, dict):
        inner = [each for values in node.values() for each in _listed(values)]
    for each in inner:
        yield from _nodes(each, depth + 1)


def _check(node: dict[str, Any]) -> None:
    if len(node) != 1:
        raise ValueError(_SHAPE)
    ((operator, values),) = node.items()
    bounds = OPERATORS.get(operator)
    if bounds is None:
        raise ValueError(f"Use operators known here: {', '.join(OPERATORS)}.")
    least, most = bounds
    given = _listed(values)
    if len(given) < least or (most is not None and len(given) > most):
        raise ValueError(f"Give {operator} {_how_many(least, most)}.")
    for name in _names(operator, given):
        if not (isinstance(name, str) and name in FACTS):
            raise ValueError(f"Name facts known here: {', '.join(FACTS)}.")


def _names(operator: str, values: list[Any]) -> list[Any]:
    """The facts a step names."""
    if operator == "var":
        return values[:1]
    if operator == "missing":
        return _listed(values[0]) if isinstance(values[0], list) else values
    return _listed(values[1]) if operator == "missing_some" else []


def _listed(values: Any) -> list[Any]:
    return values if isinstance(values, list) else [values]


def _how_many(least: int, most: int | None) -> str:
    if most is None:
        return f"at least {least} values"
    return f"{least} values" if least == most else f"{least} to {most} values"


Condition = Annotated[JsonObject, AfterValidator(known_condition)]
"""A rule in JSON Logic, over the facts listed here."""
