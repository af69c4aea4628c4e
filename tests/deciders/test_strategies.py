"""Strategies, and what a reward asks of the sale it pays for."""

from decimal import Decimal
from typing import Any

import pytest
from deciders.holding import held
from deciders.scenario import NOW, give_back, redeem, redemption, returned, reverse, reward
from deciders.scenario import back as back_to
from deciders.story import Given, given
from pydantic import ValidationError

from ledger.rejections import (
    AmountExceedsTransactionTotal,
    InsufficientBalance,
    StrategyNotRedeemed,
    TransactionTotalRequired,
    UnsupportedCurrency,
)
from schemas.redemptions import ReturnRedemption

# ── Strategies ───────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "strategies", [["rewards"], ["points", "rewards"], ["credits", "rewards", "points"]]
)
def test_what_is_kept_by_no_strategy_but_rewards_comes_from_rewards(strategies: list[str]) -> None:
    given(reward(1, "5.00")).when(redeem("5.00", strategies=strategies)).then(
        redemption(100, (1, "5.00"), strategies=tuple(strategies))
    )


@pytest.mark.parametrize("strategies", [["points"], ["credits"], ["credits", "points"]])
def test_points_and_credits_hold_nothing_yet(strategies: list[str]) -> None:
    given(reward(1, "5.00")).when(redeem("5.00", strategies=strategies, strict=False)).then_refused(
        InsufficientBalance, available=0
    )


@pytest.mark.parametrize(
    ("strategies", "said"),
    [
        ([], "at least 1"),
        (["rewards", "rewards"], "once"),
        (["gold"], "rewards"),
        (["benefits"], "leave that strategy out"),
        (["rewards", "benefits"], "leave that strategy out"),
        ("rewards", "tuple"),
    ],
)
def test_strategies_are_known_and_named_once(strategies: Any, said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        redeem("5.00", strategies=strategies)


def test_only_the_currency_of_the_programme_is_redeemed_and_returned() -> None:
    story = given(reward(1, "5.00"))
    story.when(redeem("5.00", currency="NZD")).then_refused(UnsupportedCurrency)
    made = story.when(redeem("5.00", currency="AUD")).then(redemption(100, (1, "5.00")))
    other = ReturnRedemption.model_validate({"redemption_id": 100, "currency": "NZD"})
    made.when(other).then_refused(UnsupportedCurrency)


# ── What a reward asks of the sale ───────────────────────────────────────────────────────────────


def limited(**limits: Any) -> Given:
    """5.00 with limits, going first, and 3.00 without."""
    return given(
        reward(1, "5.00", expires="2031-01-01", **limits),
        reward(2, "3.00", expires="2031-02-01", definition_id=7),
    )


OVER_FIFTY = {"min_spend_minor": 5000}
AT_MOST_TWO = {"max_redeem_per_transaction_minor": 200}


@pytest.mark.parametrize("limits", [OVER_FIFTY, AT_MOST_TWO])
def test_without_a_total_rewards_with_limits_are_passed_over(limits: dict[str, int]) -> None:
    limited(**limits).when(redeem("3.00")).then(redemption(100, (2, "3.00")))


@pytest.mark.parametrize(
    ("limits", "amount"), [(OVER_FIFTY, "3.01"), (OVER_FIFTY, "8.00"), (AT_MOST_TWO, "5.00")]
)
def test_what_only_they_could_cover_needs_the_total(limits: dict[str, int], amount: str) -> None:
    limited(**limits).when(redeem(amount)).then_refused(TransactionTotalRequired)


@pytest.mark.parametrize(("limits", "amount"), [(OVER_FIFTY, "8.01"), (AT_MOST_TWO, "5.01")])
def test_what_even_they_could_not_cover_is_a_short_balance(
    limits: dict[str, int], amount: str
) -> None:
    limited(**limits).when(redeem(amount)).then_refused(InsufficientBalance, available=3)


def test_without_strict_the_total_is_asked_for_only_where_nothing_else_is_there() -> None:
    limited(**OVER_FIFTY).when(redeem("8.00", strict=False)).then(
        redemption(100, (2, "3.00"), requested="8.00", strict=False)
    )
    given(reward(1, "5.00", **OVER_FIFTY)).when(redeem("8.00", strict=False)).then_refused(
        TransactionTotalRequired
    )


def test_a_sale_large_enough_is_paid_by_them_too() -> None:
    limited(**OVER_FIFTY).when(redeem("6.00", transaction_total="50.00")).then(
        redemption(100, (1, "5.00"), (2, "1.00"), transaction_total_minor=5000)
    )


def test_a_sale_too_small_is_not() -> None:
    limited(**OVER_FIFTY).when(redeem("6.00", transaction_total="49.99")).then_refused(
        InsufficientBalance, available=3
    )


def test_more_than_the_sale_is_worth_is_not_redeemed() -> None:
    story = limited()
    story.when(redeem("5.01", transaction_total="5.00")).then_refused(AmountExceedsTransactionTotal)
    story.when(redeem("5.00", transaction_total="5.00")).accepted()


def test_a_cap_holds_within_one_redemption() -> None:
    limited(**AT_MOST_TWO).when(redeem("4.00", transaction_total="60.00")).then(
        redemption(100, (1, "2.00"), (2, "2.00"), transaction_total_minor=6000)
    )


def test_a_cap_is_of_the_definition_and_not_of_each_reward() -> None:
    given(reward(1, "1.50", **AT_MOST_TWO), reward(2, "1.50", **AT_MOST_TWO)).when(
        redeem("2.01", transaction_total="60.00")
    ).then_refused(InsufficientBalance, available=2)


def announcing(**told: Any) -> dict[str, Any]:
    """For the sale t-1, of 60.00."""
    return {"transaction_external_id": "t-1", "transaction_total": "60.00"} | told


def test_a_cap_counts_over_all_redemptions_for_the_same_sale() -> None:
    story = given(reward(1, "9.00", **AT_MOST_TWO)).when(redeem("1.50", **announcing())).accepted()
    story.when(redeem("0.51", **announcing())).then_refused(
        InsufficientBalance, available=Decimal("0.5")
    )
    story.when(redeem("0.50", **announcing())).accepted()
    story.when(redeem("2.00", **announcing(transaction_external_id="t-2"))).accepted()
    story.when(redeem("2.00", transaction_total="60.00")).accepted()


def test_a_cap_counts_what_is_held_and_not_what_was_given_back() -> None:
    lots = given(reward(1, "9.00", **AT_MOST_TWO))
    hold = lots.when(redeem("1.50", hold="PT15M", **announcing())).accepted()
    hold.when(redeem("0.51", **announcing())).then_refused(
        InsufficientBalance, available=Decimal("0.5")
    )
    made = lots.when(redeem("1.50", **announcing())).accepted()
    undone = made.when(reverse(100)).accepted()
    undone.when(redeem("2.00", **announcing())).accepted()
    part = made.when(give_back(100, "1.00", "restore")).then(
        returned(200, 100, back_to(1, "1.00"), policy="restore")
    )
    part.when(redeem("1.50", **announcing())).accepted()
    part.when(redeem("1.51", **announcing())).then_refused(
        InsufficientBalance, available=Decimal("1.5")
    )


def test_a_cap_counts_no_hold_whose_deadline_has_passed() -> None:
    story = given(
        reward(1, "9.00", **AT_MOST_TWO),
        held(50, (1, "2.00"), until=NOW, transaction_external_id="t-1"),
    )
    story.when(redeem("2.00", **announcing())).accepted()


# ── Returns name the strategies that may get something back ──────────────────────────────────────


def returning(**told: Any) -> ReturnRedemption:
    """Return of redemption 50, restoring."""
    return ReturnRedemption.model_validate({"redemption_id": 50, "policy": "restore"} | told)


def test_a_return_names_only_strategies_that_paid() -> None:
    story = given(reward(1, "5.00"), redemption(50, (1, "5.00")))
    for strategies in (["points"], ["rewards", "credits"]):
        story.when(returning(strategies=strategies)).then_refused(StrategyNotRedeemed)
    story.when(returning(strategies=["rewards"])).accepted()


def test_a_return_that_is_not_strict_gives_back_what_is_left() -> None:
    story = given(reward(1, "5.00"), redemption(50, (1, "5.00")))
    event = returned(100, 50, back_to(1, "5.00"), policy="restore")
    story.when(returning(amount="7.00", strict=False)).then(
        event.model_copy(update={"requested_minor": 700})
    )
    story.when(returning(amount="5.00", strict=False)).then(event)


def test_a_return_keeps_what_the_till_told() -> None:
    told = {
        "transaction_external_id": "t-2",
        "transaction_receipt_ref": "rc-2",
        "location_id": 7,
    }
    given(reward(1, "5.00"), redemption(50, (1, "5.00"))).when(returning(**told)).then(
        returned(100, 50, back_to(1, "5.00"), policy="restore").model_copy(update=told)
    )
