"""Whatever is done with amounts, in whatever order, comes out to the last minor unit."""

from contextlib import suppress
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from deciders.scenario import NOW, definition, give_back, issue, moment, redeem, registered
from deciders.story import Given
from deciders.story import given as happened
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.rejections import (
    CaptureExceedsHold,
    InsufficientBalance,
    InvalidAmount,
    ReturnExceedsRedemption,
)
from schemas.amounts import from_minor
from schemas.commands import Command
from schemas.holds import CaptureRedemption, ReleaseRedemption

Step = tuple[str, int, int]
"""What is done, how many minor units of it, and to which of those there are."""

KINDS = ("issue", "redeem", "part", "give_back", "hold", "capture", "release")
STEPS = st.lists(
    st.tuples(st.sampled_from(KINDS), st.integers(1, 400), st.integers(0, 5)), max_size=14
)
DIGITS = st.sampled_from((0, 1, 2))
REFUSALS = (CaptureExceedsHold, InsufficientBalance, ReturnExceedsRedemption)


def written(minor: int, digits: int) -> str:
    """The amount as a till sends it: always with all its decimals."""
    return f"{Decimal(minor).scaleb(-digits):f}"


@dataclass
class ByHand:
    """The same reckoned in fractions: what is free, taken and held."""

    story: Given
    digits: int
    free: Fraction = Fraction(0)
    taken: dict[int, Fraction] = field(default_factory=dict)
    held: dict[int, Fraction] = field(default_factory=dict)

    def carry_out(self, step: Step) -> None:
        kind, minor, which = step
        amount = written(minor, self.digits)
        getattr(self, kind)(amount, Fraction(amount), which)

    def issue(self, amount: str, value: Fraction, _: int) -> None:
        self._accepted(issue(value_initial=amount, expires_at=None))
        self.free += value

    def redeem(self, amount: str, value: Fraction, _: int) -> None:
        if self._told(redeem(amount), value <= self.free):
            self.taken[self._last_id()] = value
            self.free -= value

    def part(self, amount: str, value: Fraction, _: int) -> None:
        """As much of it as there is."""
        if self._told(redeem(amount, strict=False), self.free > 0):
            self.taken[self._last_id()] = min(value, self.free)
            self.free -= min(value, self.free)

    def hold(self, amount: str, value: Fraction, _: int) -> None:
        if self._told(redeem(amount, hold="PT15M"), value <= self.free):
            self.held[self._last_id()] = value
            self.free -= value

    def capture(self, amount: str, value: Fraction, which: int) -> None:
        if self.held:
            number = sorted(self.held)[which % len(self.held)]
            command = CaptureRedemption.model_validate({"redemption_id": number, "amount": amount})
            if self._told(command, value <= self.held[number]):
                self.free += self.held.pop(number) - value
                self.taken[number] = value

    def release(self, _amount: str, _value: Fraction, which: int) -> None:
        if self.held:
            number = sorted(self.held)[which % len(self.held)]
            self._accepted(ReleaseRedemption(redemption_id=number))
            self.free += self.held.pop(number)

    def give_back(self, amount: str, value: Fraction, which: int) -> None:
        if self.taken:
            number = sorted(self.taken)[which % len(self.taken)]
            policy = ("reissue", "restore")[which % 2]
            command = give_back(number, amount, policy)
            if self._told(command, value <= self.taken[number]):
                self.free += value
                self.taken[number] -= value

    def _told(self, command: Command, can: bool) -> bool:
        """Accepted exactly where it can be."""
        if can:
            self._accepted(command)
        else:
            with pytest.raises(REFUSALS):
                self.story.when(command).accepted()
        return can

    def _accepted(self, command: Command) -> None:
        self.story = self.story.when(command).accepted()

    def _last_id(self) -> int:
        return 100 * self.story.commands

    def shown(self) -> Decimal:
        """What an answer says can be spent."""
        minor = self.story.account().available_minor(moment(NOW))
        return from_minor(minor, digits=self.digits)


@settings(deadline=None)
@given(steps=STEPS, digits=DIGITS)
def test_a_balance_is_what_its_operations_come_to(steps: list[Step], digits: int) -> None:
    by_hand = ByHand(happened(definition(), registered()).under(currency_digits=digits), digits)
    for step in steps:
        by_hand.carry_out(step)
        assert Fraction(by_hand.shown()) == by_hand.free


@given(minors=st.lists(st.integers(-(2**40), 2**40), max_size=30), digits=st.integers(0, 6))
def test_a_sum_of_amounts_is_the_amount_of_the_sum(minors: list[int], digits: int) -> None:
    shown = [Fraction(from_minor(minor, digits=digits)) for minor in minors]
    assert sum(shown) == Fraction(from_minor(sum(minors), digits=digits))


@given(minor=st.integers(1, 10**9), digits=DIGITS, more=st.integers(1, 9))
def test_no_amount_is_rounded_to_the_currency(minor: int, digits: int, more: int) -> None:
    story = happened(definition(), registered()).under(currency_digits=digits)
    finer = written(10 * minor + more, digits + 1)
    asked: dict[str, Any] = {"value_initial": finer, "expires_at": None}
    with suppress(ValueError):  # two decimals are the most any amount has
        command = issue(**asked)
        with pytest.raises(InvalidAmount):
            story.when(command).accepted()
        return
    assert digits == 2
