"""Limits of staff: what one command may move at once, for those whom limits hold for."""

from typing import Any

import pytest
from deciders.scenario import definition, give_back, issue, redemption, reward
from deciders.story import Given, given

from ledger.rejections import LimitExceeded

SPENT = (definition(), reward(1, "50.00"), redemption(9, (1, "50.00")))


def limited(*happened: Any, **limits: int) -> Given:
    return given(*happened).under(**limits).as_staff()


def test_staff_may_issue_up_to_the_limit() -> None:
    staff = limited(definition(), issue_max_minor=2000)
    staff.when(issue(value_initial="20")).accepted()
    staff.when(issue(value_initial="20.01")).then_refused(LimitExceeded, limit=20)


def test_the_limit_counts_the_whole_reward_and_not_what_remains_of_it() -> None:
    staff = limited(definition(), issue_max_minor=2000)
    command = issue(value_initial="30", value_remaining="10")
    staff.when(command).then_refused(LimitExceeded, limit=20)


def test_the_definitions_own_value_is_limited_too() -> None:
    staff = limited(definition(value_minor=5000), issue_max_minor=2000)
    staff.when(issue()).then_refused(LimitExceeded, limit=20)


@pytest.mark.parametrize("amount", ["20.01", None])
def test_staff_may_return_up_to_the_limit(amount: str | None) -> None:
    staff = limited(*SPENT, return_max_minor=2000)
    staff.when(give_back(9, amount)).then_refused(LimitExceeded, limit=20)
    staff.when(give_back(9, "20")).accepted()


def test_a_limit_of_nothing_forbids_it() -> None:
    staff = limited(*SPENT, return_max_minor=0)
    staff.when(give_back(9, "0.01")).then_refused(LimitExceeded, limit=0)


def test_others_have_no_limit() -> None:
    unlimited = given(*SPENT).under(issue_max_minor=100, return_max_minor=100)
    unlimited.when(issue(value_initial="50")).accepted()
    unlimited.when(give_back(9)).accepted()


def test_without_a_limit_there_is_none() -> None:
    limited(definition()).when(issue(value_initial="100000")).accepted()
