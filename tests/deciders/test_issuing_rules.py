"""What a definition says of issuing: when, to whom, how many, and until when they live."""

from datetime import date
from typing import Any

import pytest
from deciders.scenario import definition, give_back, issue, redeem, registered, revoked, reward
from deciders.story import Given, given

from ledger.rejections import (
    DefinitionEnded,
    DefinitionNotStarted,
    InvalidRewardTerms,
    MaxPerProfileReached,
    MaxTotalReached,
    Rejection,
    UnknownProfile,
)
from schemas.redemptions import RedemptionMade
from schemas.reward_definitions import DefinitionIssueCounted
from schemas.rewards import RevokeReward, RewardIssued

NOON = "2030-06-01 12:00:00"


def under(**terms: Any) -> Given:
    """A definition with these terms, and a profile."""
    return given(definition(**terms), registered())


def counted(number: int, reward_id: int) -> DefinitionIssueCounted:
    return DefinitionIssueCounted(definition_id=6, reward_id=reward_id, number=number)


# ── When ─────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("issued_at", "refusal"),
    [
        ("2030-05-31 23:59:59", DefinitionNotStarted),
        ("2030-06-01 00:00:00", None),
        ("2030-06-30 23:59:59", None),
        ("2030-07-01 00:00:00", DefinitionEnded),
    ],
)
def test_both_ends_are_included(issued_at: str, refusal: type[Rejection] | None) -> None:
    june = under(start_at="2030-06-01T00:00:00Z", end_at="2030-06-30T23:59:59Z")
    when = june.when(issue(issued_at=issued_at))
    if refusal is None:
        when.accepted()
    else:
        when.then_refused(refusal)


def test_the_time_of_issue_counts_and_not_the_time_of_the_request() -> None:
    past = under(end_at="2030-05-01T00:00:00Z")
    past.when(issue(issued_at="2030-04-30 00:00:00", expires_at=None)).accepted()
    past.when(issue()).then_refused(DefinitionEnded)


# ── Until when ───────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("terms", "expires"),
    [
        ({"period_type": "absolute_date", "absolute_expiry": date(2030, 12, 31)}, "2030-12-31"),
        ({"period_type": "absolute_week", "period": 0}, "2030-06-02"),
        ({"period_type": "absolute_week", "period": 2}, "2030-06-16"),
        ({"period_type": "absolute_month", "period": 0}, "2030-06-30"),
        ({"period_type": "absolute_month", "period": 8}, "2031-02-28"),
    ],
)
def test_an_absolute_expiry_is_the_same_for_all_issued_in_its_time(
    terms: dict[str, Any], expires: str
) -> None:
    written = {"period": 30} | terms
    under(**terms).when(issue()).then(reward(100, "10.00", issued=NOON, expires=expires, **written))


def test_nothing_is_issued_after_the_date_it_would_end_with() -> None:
    over = under(period_type="absolute_date", absolute_expiry=date(2030, 5, 31))
    over.when(issue()).then_refused(InvalidRewardTerms)
    over.when(issue(expires_at="2030-07-01 00:00:00")).accepted()


# ── How much, how many ───────────────────────────────────────────────────────────────────────────


def test_a_reward_is_worth_at_most_the_definitions_maximum() -> None:
    story = under(max_value_minor=1500)
    story.when(issue(value_initial="15")).accepted()
    story.when(issue(value_initial="15.01")).then_refused(InvalidRewardTerms)


def test_a_profile_gets_as_many_as_it_may() -> None:
    story = under(max_per_profile=2).when(issue()).accepted().when(issue()).accepted()
    story.when(issue()).then_refused(MaxPerProfileReached)


def test_what_was_revoked_stays_counted() -> None:
    story = under(max_per_profile=1).when(issue()).accepted()
    story = story.when(RevokeReward(reward_id=100)).then(revoked(100, "10.00"))
    story.when(issue()).then_refused(MaxPerProfileReached)


def test_what_a_return_makes_of_a_reward_is_no_new_one() -> None:
    story = under(max_per_profile=2).when(issue()).accepted().when(redeem("10")).accepted()
    made = next(event for _, event in story.history if isinstance(event, RedemptionMade))
    story = story.when(give_back(made.redemption_id)).accepted()
    assert sum(isinstance(event, RewardIssued) for _, event in story.history) == 2
    story.when(issue()).accepted().when(issue()).then_refused(MaxPerProfileReached)


def test_each_definition_counts_its_own() -> None:
    other = definition(7, handle="other", max_per_profile=1)
    story = given(definition(max_per_profile=1), other).when(issue()).accepted()
    story.when(issue(7)).accepted().when(issue(7)).then_refused(MaxPerProfileReached)


def test_all_together_get_as_many_as_there_are() -> None:
    (
        under(max_total=2)
        .when(issue(expires_at=None))
        .then(reward(100, "10.00", issued=NOON), counted(1, 100))
        .when(issue(expires_at=None))
        .then(reward(200, "10.00", issued=NOON), counted(2, 200))
        .when(issue())
        .then_refused(MaxTotalReached)
    )


def test_a_higher_cap_lets_more_be_issued() -> None:
    story = given(definition(max_total=1), registered(), counted(1, 17))
    story.when(issue()).then_refused(MaxTotalReached)
    given(definition(max_total=2), registered(), counted(1, 17)).when(issue(expires_at=None)).then(
        reward(100, "10.00", issued=NOON), counted(2, 100)
    )


def test_without_a_cap_nothing_is_counted() -> None:
    under().when(issue(expires_at=None)).then(reward(100, "10.00", issued=NOON))


def test_an_unknown_profile_is_not_registered_where_the_programme_says_so() -> None:
    given(definition()).under(auto_register=False).when(issue()).then_refused(UnknownProfile)
    given(definition(), registered()).under(auto_register=False).when(issue()).accepted()
