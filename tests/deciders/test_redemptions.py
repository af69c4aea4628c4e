"""Redemptions: nearest expiry first, and never below zero."""

from decimal import Decimal
from typing import Any

import pytest
from deciders.scenario import (
    activated,
    definition,
    expired,
    issue,
    pending,
    redeem,
    redemption,
    registered,
    reward,
)
from deciders.spent import NOON
from deciders.story import given
from pydantic import ValidationError

from ledger.rejections import (
    InsufficientBalance,
    UnknownProfile,
)


def test_takes_the_nearest_expiry_first() -> None:
    story = given(reward(1, "5.00", expires="2031-02-01"), reward(2, "5.00", expires="2031-01-01"))
    story.when(redeem("7.00")).then(redemption(100, (2, "5.00"), (1, "2.00"))).then_balance("3.00")


def test_takes_what_never_expires_last() -> None:
    story = given(reward(1, "5.00"), reward(2, "5.00", expires="2099-01-01"))
    story.when(redeem("7.00")).then(redemption(100, (2, "5.00"), (1, "2.00")))


def test_takes_the_earlier_issued_of_two_that_expire_together() -> None:
    story = given(
        reward(1, "5.00", expires="2031-01-01", issued="2030-02-02"),
        reward(2, "5.00", expires="2031-01-01", issued="2030-02-01"),
    )
    story.when(redeem("7.00")).then(redemption(100, (2, "5.00"), (1, "2.00")))


def test_takes_the_lower_id_of_two_that_are_alike() -> None:
    story = given(reward(12, "5.00", expires="2031-01-01"), reward(9, "5.00", expires="2031-01-01"))
    story.when(redeem("7.00")).then(redemption(100, (9, "5.00"), (12, "2.00")))


def test_ties_between_rewards_that_never_expire_go_by_issue_too() -> None:
    story = given(reward(1, "5.00", issued="2030-02-02"), reward(2, "5.00", issued="2030-02-01"))
    story.when(redeem("6.00")).then(redemption(100, (2, "5.00"), (1, "1.00")))


def test_a_lot_that_is_used_up_is_passed_over() -> None:
    story = given(
        reward(1, "5.00", expires="2031-01-01"), reward(2, "5.00"), redemption(50, (1, "5.00"))
    )
    story.when(redeem("1.00")).then(redemption(100, (2, "1.00")))


def test_exactly_the_whole_balance_can_be_redeemed() -> None:
    story = given(reward(1, "5.00"), reward(2, "0.01"))
    story.when(redeem("5.01")).then(redemption(100, (1, "5.00"), (2, "0.01"))).then_balance("0.00")


def test_a_short_balance_is_refused_with_what_there_is() -> None:
    story = given(reward(1, "5.00"), reward(2, "1.99"))
    story.when(redeem("7.00")).then_refused(InsufficientBalance, available=Decimal("6.99"))
    story.then_balance("6.99")


def test_what_is_not_strict_takes_what_there_is_and_says_so() -> None:
    story = given(reward(1, "5.00"))
    story.when(redeem("7.00", strict=False)).then(
        redemption(100, (1, "5.00"), requested="7.00", strict=False)
    )


def test_what_is_not_strict_takes_no_more_than_was_asked_for() -> None:
    given(reward(1, "5.00")).when(redeem("2.00", strict=False)).then(
        redemption(100, (1, "2.00"), strict=False)
    )


@pytest.mark.parametrize("strict", [True, False])
def test_an_empty_balance_is_refused_either_way(strict: bool) -> None:
    given(registered()).when(redeem("1.00", strict=strict)).then_refused(
        InsufficientBalance, available=0
    )


def test_an_unknown_profile_has_nothing_to_redeem() -> None:
    given().when(redeem("1.00")).then_refused(UnknownProfile)


@pytest.mark.parametrize("amount", ["0", "-1", "0.001"])
def test_an_amount_is_a_positive_number_of_cents(amount: str) -> None:
    with pytest.raises(ValidationError):
        redeem(amount)


@pytest.mark.parametrize("strategies", [[], ["rewards", "rewards"], ["gold"]])
def test_strategies_are_known_and_named_once(strategies: list[str]) -> None:
    with pytest.raises(ValidationError):
        redeem("1.00", strategies=strategies)


def test_what_the_sender_tells_is_kept() -> None:
    told: dict[str, Any] = {
        "external_id": "r-1",
        "transaction_external_id": "t-1",
        "transaction_receipt_ref": "0042",
        "location_id": "shop-3",
    }
    given(reward(1, "5.00")).when(redeem("1.00", **told)).then(redemption(100, (1, "1.00"), **told))


def test_what_is_due_comes_before_a_redemption() -> None:
    story = given(
        reward(1, "5.00", expires="2030-05-31"),
        pending(2, "4.00", issued="2030-06-01", expires="2031-01-01"),
        reward(3, "4.00", expires="2031-01-02"),
    )
    story.when(redeem("6.00"), at=NOON).then(
        activated(2, "4.00"),
        expired(1, "5.00", expires="2030-05-31"),
        redemption(100, (2, "4.00"), (3, "2.00"), at=NOON),
    )


def test_a_refusal_does_not_count_what_has_expired() -> None:
    story = given(reward(1, "5.00", expires="2030-05-31"), reward(2, "1.00"))
    story.when(redeem("2.00"), at=NOON).then_refused(InsufficientBalance, available=1)


def test_the_case_of_the_article() -> None:
    """Its printed dates, under a clock fixed at 2021-02-10."""
    today = "2021-02-10 00:00:00"
    command = issue(
        value_initial="10",
        issued_at="2021-02-10 10:00:00",
        expires_at="2022-02-10 12:59:59",
        timezone="Australia/Melbourne",
    )
    (
        given(definition())
        .when(command, at=today)
        .then(
            registered(),
            reward(
                100,
                "10.00",
                issued="2021-02-09 23:00:00",
                expires="2022-02-10 01:59:59",
                timezone="Australia/Melbourne",
            ),
        )
        .then_balance("10.00", at=today)
        .when(redeem("10"), at=today)
        .then(redemption(200, (100, "10.00"), at=today))
        .then_balance("0.00", at=today)
    )
