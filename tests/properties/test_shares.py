"""Shares: however a redemption spreads over the lines, nothing is lost and nobody is favoured."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from properties.fair_shares import by_hand, weight_by_hand

from ledger.transactions.shares import shares, weights_of
from schemas.transactions import Item


def item(price: Decimal | str, quantity: Decimal | str = "1", **fields: Any) -> Item:
    """A line of a sale."""
    line = {"name": "x", "quantity": quantity, "price_current": price, "price_sell": "0"}
    return Item.model_validate(line | fields)


def decimals(largest: str) -> st.SearchStrategy[Decimal]:
    """Prices and quantities as a till may send them, absurd ones included."""
    usual = st.decimals("-9", "99", places=2)
    fine = st.decimals("-0.0001", "0.0001", places=6)
    extreme = st.decimals(f"-{largest}", largest, places=6)
    return st.one_of(usual, fine, extreme, st.just(Decimal(0)), st.just(Decimal(1)))


LARGEST = "9007199254.740991"
LINES = st.lists(
    st.builds(item, decimals(LARGEST), decimals(LARGEST), is_void=st.booleans()), max_size=12
)
TOTALS = st.one_of(st.integers(1, 20), st.integers(1, 100_000), st.integers(1, 2**53 - 1))


@given(total=TOTALS, lines=LINES)
def test_shares_are_those_of_the_rule_and_sum_to_the_total(total: int, lines: list[Item]) -> None:
    spread = shares(total, weights_of(lines))
    weights = [weight_by_hand(line) for line in lines]
    assert (spread.by_line, spread.unallocated) == by_hand(total, weights)
    assert sum(spread.by_line) + spread.unallocated == total


@given(total=TOTALS, lines=LINES)
def test_only_a_line_that_costs_something_carries_a_share(total: int, lines: list[Item]) -> None:
    spread = shares(total, weights_of(lines))
    for line, share in zip(lines, spread.by_line, strict=True):
        assert share >= 0
        if line.is_void or line.price_current * line.quantity <= 0:
            assert share == 0


@given(total=TOTALS, price=decimals(LARGEST), count=st.integers(1, 9))
def test_equal_lines_differ_by_one_at_most_and_the_earlier_has_more(
    total: int, price: Decimal, count: int
) -> None:
    by_line = shares(total, weights_of([item(price, "3")] * count)).by_line
    assert list(by_line) == sorted(by_line, reverse=True)
    assert by_line[0] - by_line[-1] <= 1


@pytest.mark.parametrize(
    ("total", "prices", "expected"),
    [
        (5000, ["65", "115", "25", "45"], (1300, 2300, 500, 900)),
        (100, ["1", "1", "1"], (34, 33, 33)),
        (2, ["1", "1", "1", "1"], (1, 1, 0, 0)),
        (101, ["0.005", "0.005"], (51, 50)),
        (1000, ["9.99"], (1000,)),
        (100, ["1", "-5", "0", "3"], (25, 0, 0, 75)),
        (1, ["1", "2"], (0, 1)),
    ],
)
def test_examples(total: int, prices: list[str], expected: tuple[int, ...]) -> None:
    assert shares(total, weights_of([item(price) for price in prices])) == (expected, 0)


def test_a_quantity_may_be_a_weight() -> None:
    lines = [item("20", "0.125"), item("2.5", "1")]
    assert shares(300, weights_of(lines)).by_line == (150, 150)


def test_weights_are_exact_however_many_digits_they_have() -> None:
    """The second line is heavier by the smallest difference there is."""
    lines = [item("9007199254.740989", LARGEST), item("9007199254.740990", "9007199254.740990")]
    assert shares(1, weights_of(lines)).by_line == (0, 1)


def test_a_share_may_exceed_its_line() -> None:
    assert shares(1000, weights_of([item("9.99")])).by_line == (1000,)


@pytest.mark.parametrize("lines", [[], [item("0")], [item("5", is_void=True), item("-1")]])
def test_what_no_line_can_carry_is_unallocated(lines: list[Item]) -> None:
    spread = shares(700, weights_of(lines))
    assert spread == ((0,) * len(lines), 700)
