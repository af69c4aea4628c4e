"""Conditions are checked when they are written: what can't be judged is no rule."""

from typing import Any

import pytest

from schemas.conditions import DEPTH_MAX, FACTS, NODES_MAX, known_condition


def deep(levels: int) -> Any:
    rule: Any = True
    for _ in range(levels):
        rule = {"!": [rule]}
    return rule


@pytest.mark.parametrize("name", FACTS)
def test_each_fact_can_be_named(name: str) -> None:
    known_condition({"var": name})
    known_condition({"missing": [name]})
    known_condition({"missing_some": [1, [name]]})


@pytest.mark.parametrize(
    "rule",
    [
        {},
        {"and": [{}]},
        {"==": [1, 1], "!=": [1, 2]},
        {"_comment": "x", "==": [1, 1]},
        {"equals": [1, 1]},
        {"today": []},
        {"log": "x"},
        {"some": [[1], {"var": "now"}]},
        {"map": [[1], {"var": "now"}]},
        {"==": [1]},
        {"==": 1},
        {"!": [1, 2]},
        {"var": []},
        {"var": ""},
        {"var": 0},
        {"var": "profile"},
        {"var": "profile.tire"},
        {"var": {"cat": ["profile", ".id"]}},
        {"missing": ["profile.tire"]},
        {"missing": [["profile.tire"]]},
        {"missing_some": [1, ["profile.tire"]]},
        {"if": [True, {"then": 1}]},
        deep(DEPTH_MAX + 1),
        {"or": [True] * NODES_MAX},
    ],
)
def test_a_rule_that_is_none_is_refused(rule: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"^(Write|Use|Give|Name) .*\.$"):
        known_condition(rule)


def test_a_rule_may_be_as_long_and_as_deep_as_the_bounds() -> None:
    known_condition({"or": [True] * (NODES_MAX - 1)})
    known_condition(deep(DEPTH_MAX - 1))
