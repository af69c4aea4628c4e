"""The made-up programme: the same for the same seed, in time order, and of every kind of thing."""

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from app.demo.programme import CLIENTS, HANDLES, TWO_YEARS, Step, plan
from schemas.registrations import RegisterProfile
from schemas.reward_definitions import AddRewardDefinition

UNTIL = datetime(2026, 8, 20, 2, 15, 7, tzinfo=UTC)
SEVERAL = 300


def steps(seed: int = 1, profiles: int = SEVERAL, until: datetime = UNTIL) -> list[Step]:
    return list(plan(seed, profiles, until))


def test_the_same_seed_gives_the_same_programme_and_another_seed_another() -> None:
    assert steps(5, 30) == steps(5, 30)
    assert steps(5, 30) != steps(6, 30)


def test_steps_come_in_time_order_within_the_two_years() -> None:
    moments = [step.at for step in steps()]
    assert moments == sorted(moments)
    assert moments[0] == UNTIL - TWO_YEARS
    assert moments[-1] <= UNTIL
    assert UNTIL - moments[-1] < timedelta(days=3)


def test_no_two_steps_share_a_key_and_every_key_is_the_programmes_own() -> None:
    keys = Counter(step.key for step in [*steps(1, 40), *steps(2, 40), *steps(1, 41)])
    assert set(keys.values()) == {1}
    assert {step.client for step in steps()} == set(CLIENTS)


def test_a_step_names_only_what_was_made_before_it() -> None:
    seen: set[str] = set()
    for step in steps():
        assert seen.issuperset(step.rests_on)
        seen.add(step.key)


@pytest.mark.parametrize("profiles", [1, 2, 30])
def test_a_small_programme_has_all_its_profiles_and_definitions(profiles: int) -> None:
    found = steps(profiles=profiles)
    registered = [step for step in found if step.kind is RegisterProfile]
    assert len({step.fields["profile_id"] for step in registered}) == profiles
    assert {s.fields["handle"] for s in found if s.kind is AddRewardDefinition} == HANDLES


def test_nobody_can_take_it_for_real_people() -> None:
    mails = [step.fields["email"] for step in steps() if step.kind is RegisterProfile]
    assert len(set(mails)) == SEVERAL
    assert {mail.partition("@")[2] for mail in mails} == {
        "example.com",
        "example.net",
        "example.org",
    }


def test_there_is_something_of_everything() -> None:
    kinds = Counter(step.kind.__name__ for seed in (1, 2, 3) for step in steps(seed))
    assert set(kinds) == {
        "AddRewardDefinition",
        "AdjustReward",
        "CaptureRedemption",
        "ChangeProfile",
        "ChangeRewardDefinition",
        "DeleteProfile",
        "ExtendRewards",
        "IssueReward",
        "MakeRedemption",
        "MergeProfiles",
        "ReassignReward",
        "RecordDueFacts",
        "RecordTransaction",
        "RegisterProfile",
        "ReleaseRedemption",
        "ReturnRedemption",
        "ReverseRedemption",
        "RevokeReward",
        "VoidTransaction",
    }
    planned = Counter(step.refused for seed in (1, 2, 3) for step in steps(seed) if step.refused)
    assert set(planned) == {
        "insufficient_balance",
        "max_total_reached",
        "reversal_window_closed",
    }
