"""Extending rewards: once each, by their own calendar, all of them or none."""

from typing import Any

import pytest
from deciders.scenario import (
    expired,
    extended,
    move,
    redeem,
    redemption,
    registered,
    revoked,
    reward,
)
from deciders.story import elsewhere, given
from pydantic import ValidationError

from ledger.rejections import (
    AlreadyExtended,
    InvalidRewardTerms,
    NotExtendable,
    RewardIsRevoked,
    UnknownProfile,
    UnknownReward,
)
from schemas.movements import Book
from schemas.rewards import EXTENDED_MAX, ExtendRewards, RewardIssued

NOW = "2030-06-01 12:00:00"


def extend(*ids: int, **fields: Any) -> ExtendRewards:
    return ExtendRewards.model_validate({"profile_id": "p-1", "ids": ids} | fields)


def extendable(
    reward_id: int, amount: str = "10.00", expires: str | None = "2030-06-30", **changes: Any
) -> RewardIssued:
    return reward(reward_id, amount, expires=expires, **({"is_extendable": True} | changes))


def came_back(reward_id: int, amount: str) -> Any:
    return move(reward_id, amount, Book.EXPIRED, Book.AVAILABLE)


def test_days_count_from_the_expiry_there_was() -> None:
    (
        given(extendable(1))
        .when(extend(1, extend_days=10))
        .then(extended(1, before="2030-06-30", expires="2030-07-10"))
        .then_balance("10.00", at="2030-07-10 23:59:59")
        .then_balance("0", at="2030-07-11 00:00:00")
    )


def test_days_are_days_of_the_rewards_calendar() -> None:
    """The clocks change on 6 October in Melbourne: its last second comes an hour earlier."""
    melbourne = extendable(1, expires="2030-10-05 13:59:59", timezone="Australia/Melbourne")
    given(melbourne).when(extend(1, extend_days=1)).then(
        extended(1, before="2030-10-05 13:59:59", expires="2030-10-06 12:59:59")
    )


def test_a_date_means_its_end_and_a_time_means_itself() -> None:
    brisbane = extendable(1, timezone="Australia/Brisbane")
    for date, expires in (
        ("2030-07-10", "2030-07-10 13:59:59"),
        ("2030-07-10 09:00:00", "2030-07-09 23:00:00"),
        ("2030-07-10T09:00:00.9Z", "2030-07-10 09:00:00"),
    ):
        given(brisbane).when(extend(1, extend_date=date)).then(
            extended(1, before="2030-06-30", expires=expires)
        )


def test_without_either_the_definition_gives_the_days() -> None:
    given(extendable(1, extend_days=7), extendable(2, extend_days=14)).when(extend(2, 1)).then(
        extended(2, before="2030-06-30", expires="2030-07-14"),
        extended(1, before="2030-06-30", expires="2030-07-07"),
    )
    given(extendable(1)).when(extend(1)).then_refused(InvalidRewardTerms)


def test_what_has_expired_comes_back() -> None:
    gone = extendable(1, expires="2030-05-31")
    back = extended(1, came_back(1, "7.00"), before="2030-05-31", expires="2030-06-10")
    spent = redemption(7, (1, "3.00"))
    (
        given(gone, spent, expired(1, "7.00", expires="2030-05-31"))
        .when(extend(1, extend_days=10))
        .then(back)
        .then_balance("7.00")
        .when(redeem("7.00"))
        .then(redemption(200, (1, "7.00")))
    )
    (
        given(gone, spent)
        .when(extend(1, extend_days=10))
        .then(expired(1, "7.00", expires="2030-05-31"), back)
    )


def test_what_expires_again_has_expired_for_good() -> None:
    (
        given(extendable(1, expires="2030-05-31"))
        .when(extend(1, extend_days=10))
        .accepted()
        .then_balance("0", at="2030-06-11")
        .when(extend(1, extend_days=30), at="2030-06-11")
        .then_refused(AlreadyExtended)
    )


def test_an_extension_that_brings_nothing_is_refused() -> None:
    gone = extendable(1, expires="2030-05-01")
    given(gone).when(extend(1, extend_days=30)).then_refused(InvalidRewardTerms)
    given(extendable(1)).when(extend(1, extend_date="2030-06-30")).then_refused(InvalidRewardTerms)
    given(extendable(1)).when(extend(1, extend_date="2030-06-29")).then_refused(InvalidRewardTerms)


def test_the_last_second_of_an_extended_life_counts() -> None:
    gone = extendable(1, expires="2030-05-31 12:00:00")
    exactly = extend(1, extend_days=1)
    given(gone).when(exactly, at="2030-06-01 12:00:00.999999").accepted()
    given(gone).when(exactly, at="2030-06-01 12:00:01").then_refused(InvalidRewardTerms)


def test_each_reward_is_extended_once() -> None:
    (
        given(extendable(1), extendable(2))
        .when(extend(1, extend_days=1))
        .accepted()
        .when(extend(2, 1, extend_days=1))
        .then_refused(AlreadyExtended)
        .when(extend(2, extend_days=1))
        .accepted()
    )


@pytest.mark.parametrize(
    ("other", "refusal"),
    [
        (reward(2, "1.00", expires="2030-06-30"), NotExtendable),
        (extendable(2, expires=None), NotExtendable),
    ],
)
def test_all_of_them_or_none(other: RewardIssued, refusal: Any) -> None:
    given(extendable(1), other).when(extend(1, 2, extend_days=1)).then_refused(refusal)


def test_revoked_and_unknown_rewards_are_never_extended() -> None:
    gone = given(extendable(1), revoked(1, "10.00"))
    gone.when(extend(1, extend_days=1)).then_refused(RewardIsRevoked)
    given(registered()).when(extend(1, extend_days=1)).then_refused(UnknownReward)
    given().when(extend(1, extend_days=1)).then_refused(UnknownProfile)
    of_another = given(registered(), elsewhere("p-2", registered("p-2"), extendable(1)))
    of_another.when(extend(1, extend_days=1)).then_refused(UnknownReward)


def test_value_held_past_its_expiry_stays_held() -> None:
    hold = redemption(7, (1, "4.00"), movements=(move(1, "4.00", Book.AVAILABLE, Book.HELD),))
    (
        given(extendable(1, expires="2030-05-31"), hold)
        .when(extend(1, extend_days=10))
        .accepted()
        .then_balance("6.00")
    )


def test_a_spent_reward_lives_longer_too() -> None:
    """What a return gives back to it finds it alive."""
    (
        given(extendable(1), redemption(7, (1, "10.00")))
        .when(extend(1, extend_days=10))
        .then(extended(1, before="2030-06-30", expires="2030-07-10"))
    )


@pytest.mark.parametrize(
    "fields",
    [
        {"ids": []},
        {"ids": [1, "1"]},
        {"ids": list(range(1, EXTENDED_MAX + 2))},
        {"extend_days": 1, "extend_date": "2030-07-01"},
        {"extend_days": 0},
        {"extend_date": "2030-02-30"},
        {"extend_date": "2030-07"},
        {"extend_date": "next week"},
    ],
)
def test_a_request_names_rewards_once_and_one_way(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        extend(1, **fields)


def test_no_life_goes_past_the_calendar() -> None:
    late = extendable(1, expires="9999-12-01")
    given(late).when(extend(1, extend_days=36_500)).then_refused(InvalidRewardTerms)
