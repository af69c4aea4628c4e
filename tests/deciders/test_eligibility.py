"""Who may be issued a reward: a rule over what the ledger knows, and no rule errs into a yes."""

from typing import Any

import pytest
from deciders.scenario import definition, issue, registered, reward
from deciders.story import given
from json_logic.builtins import BUILTINS

from ledger.rejections import NotEligible
from schemas.conditions import OPERATORS


def test_every_operator_that_may_be_written_is_known_to_the_library() -> None:
    lazy = {"if", "?:", "and", "or"}
    assert set(OPERATORS) - lazy <= set(BUILTINS)


@pytest.mark.parametrize(
    "rule",
    [
        {"==": [{"var": "profile.id"}, "p-1"]},
        {"==": [{"var": "profile.rewards"}, 1]},
        {"==": [{"var": "profile.rewards_of_definition"}, 0]},
        {">=": [{"var": "profile.balance"}, 12.34]},
        {"!": {"var": "profile.redemptions"}},
        {"in": [{"var": "reward.type"}, ["birthday", "staff"]]},
        {"and": [{"==": [{"var": "reward.value"}, 10]}, {"var": "reward.definition_id"}]},
        {"===": [{"var": "reward.definition"}, "birthday-reward"]},
        {"==": [{"var": "reward.timezone"}, "Australia/Melbourne"]},
        {"==": [{"var": "reward.issued_on"}, "2030-06-02"]},
        {"==": [{"var": "reward.issued_at"}, "2030-06-01 20:00:00"]},
        {"<=": ["2030-06-01 12:00:00", {"var": "now"}, "2030-06-01 12:00:01"]},
        {"==": [{"var": ["profile.id", "nobody"]}, "p-1"]},
        {"!": {"missing": ["profile.id", "reward.type"]}},
        {"==": [{"%": [{"var": "reward.value"}, 4]}, 2]},
        {"if": [{"var": "profile.redemptions"}, False, {"var": "profile.id"}]},
    ],
)
def test_a_rule_may_ask_for_each_fact(rule: dict[str, Any]) -> None:
    other, earlier = definition(7, handle="other"), reward(1, "12.34", definition_id=7)
    command = issue(timezone="Australia/Melbourne", issued_at="2030-06-02 06:00:00")
    given(other, definition(eligibility=rule), earlier).when(command).accepted()
    negated = definition(eligibility={"!": [rule]})
    given(other, negated, earlier).when(command).then_refused(NotEligible)


@pytest.mark.parametrize(
    "rule",
    [
        {"<": [{"var": "profile.id"}, 5]},
        {">": [{"var": "profile.id"}, 5]},
        {"/": [1, 0]},
        {"!": {"%": [1, 0]}},
        {"+": ["a", "b"]},
        {"*": [1e308, 1e308, 0]},
        {"==": [[1], [1]]},
        {"var": ["profile.redemptions", True]},
    ],
)
def test_a_rule_that_comes_to_nothing_or_cannot_be_judged_says_no(rule: dict[str, Any]) -> None:
    story = given(definition(eligibility=rule), registered())
    story.when(issue()).then_refused(NotEligible)


def test_the_balance_a_rule_sees_is_that_of_the_moment() -> None:
    rule = {">": [{"var": "profile.balance"}, 0]}
    story = given(definition(eligibility=rule), reward(1, "5.00", expires="2030-05-31"))
    story.when(issue()).then_refused(NotEligible)
