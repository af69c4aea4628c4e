"""What a till does before and after the payment, as rules of a machine: hold, capture, release."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule
from properties.holds_model import HoldingModel
from properties.moments import amount_of

from ledger.account.holds import capture_redemption, release_redemption
from ledger.account.redemptions import make_redemption
from ledger.account.state import Account
from ledger.decider import Circumstances
from schemas.events import Event
from schemas.holds import (
    CaptureRedemption,
    HoldReleased,
    RedemptionCaptured,
    RedemptionHeld,
    ReleaseRedemption,
)
from schemas.redemptions import MakeRedemption, RedemptionMade

WHICH = st.integers(0, 1000)
LASTING = st.sampled_from([None, 1, 60, 900, 900, 90_000])
"""Seconds of a hold; None takes the value at once."""

TOTALS = st.sampled_from([None, 300, 499, 500, 2000, 2000])
SALE = st.sampled_from([None, "s-1", "s-2"])


class Holds(RuleBasedStateMachine):
    """The rules; the machine they are mixed into has both sides and compares them."""

    account: Account
    model: HoldingModel
    now: int

    def _ask(self, decide: Callable[[Circumstances], tuple[Event, ...]]) -> Any:
        raise NotImplementedError

    def _same_answer(self, answer: Any, expected: Callable[[], Any]) -> Any:
        raise NotImplementedError

    def _until(self, now: int) -> None:
        raise NotImplementedError

    @precondition(lambda self: self.model.spendable(2000))
    @rule(share=st.integers(1, 5), lasting=LASTING, total=TOTALS, sale=SALE, strict=st.booleans())
    def pay(
        self, share: int, lasting: int | None, total: int | None, sale: str | None, strict: bool
    ) -> None:
        """Redeem for a sale, or hold for it."""
        cents = max(1, self.model.spendable(2000, sale) * share // 4)
        command = MakeRedemption(
            profile_id="p-1",
            amount=amount_of(cents),
            strict=strict,
            hold=None if lasting is None else timedelta(seconds=lasting),
            transaction_total=None if total is None else amount_of(total),
            transaction_external_id=sale,
        )
        answer = self._ask(lambda at: make_redemption(command, self.account, at))
        book = "redeemed" if lasting is None else "held"
        paid = self._same_answer(
            answer,
            lambda: self.model.redeem(cents, strict=strict, total=total, sale=sale, book=book),
        )
        if paid is None:
            return
        made = answer[-1]
        assert isinstance(made, RedemptionMade if lasting is None else RedemptionHeld)
        assert [(m.lot, m.amount_minor, str(m.target)) for m in made.movements] == [
            (lot, amount, book) for lot, amount in paid
        ]
        self.model.named(made.redemption_id, sale)
        if lasting is None:
            self.model.redeemed(made.redemption_id, paid)
        else:
            self.model.held(made.redemption_id, paid, lasting * 1000)

    @precondition(lambda self: self.model.holds)
    @rule(which=WHICH, share=st.sampled_from([None, None, 1, 2, 3, 4, 5]))
    def capture(self, which: int, share: int | None) -> None:
        number = self._some_hold(which)
        held = sum(amount for _, amount in self.model.holds.get(number, {"parts": []})["parts"])
        cents = None if share is None else max(1, held * share // 4)
        amount = None if cents is None else amount_of(cents)
        command = CaptureRedemption(redemption_id=number, amount=amount)
        answer = self._ask(lambda at: capture_redemption(command, self.account, at))
        moves = self._same_answer(answer, lambda: self.model.capture(number, cents))
        if moves is not None:
            self._ended_with(answer[-1], RedemptionCaptured, moves)
            assert answer[-1].total_minor == sum(a for _, a, book in moves if book == "redeemed")

    @precondition(lambda self: self.model.holds)
    @rule(which=WHICH)
    def release(self, which: int) -> None:
        number = self._some_hold(which)
        command = ReleaseRedemption(redemption_id=number)
        answer = self._ask(lambda at: release_redemption(command, self.account, at))
        moves = self._same_answer(answer, lambda: self.model.release(number))
        if moves is not None:
            self._ended_with(answer[-1], HoldReleased, moves)

    @precondition(lambda self: self.model.holds)
    @rule(which=WHICH, ms=st.sampled_from([-1, 0, 0, 1, 1000]))
    def time_comes_to_a_deadline(self, which: int, ms: int) -> None:
        ends = [hold["until"] for hold in self.model.holds.values()]
        self._until(ends[-1 - which % len(ends)] + ms)

    @precondition(lambda self: self._first_end() is not None)
    @rule(
        share=st.integers(1, 4),
        of_it=st.sampled_from(["release", "lapse", None, 1, 2, 3]),
    )
    def hold_what_ends_meanwhile(self, share: int, of_it: str | int | None) -> None:
        """The reward that would go first is past its time before its hold is over."""
        end = self._first_end()
        assert end is not None
        before = len(self.model.holds)
        self.pay(share, end - self.now // 1000 + 60, 2000, None, strict=True)
        if len(self.model.holds) == before:
            return
        self._until((end + 1) * 1000)
        if of_it == "lapse":
            self.time_comes_to_a_deadline(0, 0)
        elif of_it == "release":
            self._to_the_latest(self.release)
        else:
            self._to_the_latest(lambda which: self.capture(which, of_it))  # type: ignore[arg-type]

    @precondition(lambda self: self.model.spendable(2000))
    @rule(
        shares=st.tuples(st.sampled_from([2, 4]), st.sampled_from([1, 4, 5])),
        lasting=st.tuples(LASTING, LASTING),
    )
    def pay_twice_for_one_sale(
        self, shares: tuple[int, int], lasting: tuple[int | None, int | None]
    ) -> None:
        for share, seconds in zip(shares, lasting, strict=True):
            if self.model.spendable(2000):
                self.pay(share, seconds, 2000, "s-1", strict=True)

    def _first_end(self) -> int | None:
        """When the reward that would go first ends, if that is soon enough for a hold."""
        usable = self.model.usable(2000, None)
        end = self.model.lots[usable[0][0]]["expires"] if usable else None
        return end if end is not None and end - self.now // 1000 < 500_000 else None

    def _to_the_latest(self, end: Callable[[int], None]) -> None:
        opened = [n for n, hold in self.model.holds.items() if hold["status"] == "held"]
        end(4 * (len(opened) - 1) + 1)

    def _ended_with(
        self, event: Event, kind: type[Event], moves: list[tuple[int, int, str]]
    ) -> None:
        assert isinstance(event, kind)
        assert [(m.lot, m.amount_minor, str(m.target)) for m in event.movements] == moves

    def _some_hold(self, which: int) -> int:
        """Mostly one that is open; sometimes no hold at all."""
        model = self.model
        opened = [number for number, hold in model.holds.items() if hold["status"] == "held"]
        if opened and which % 4:
            return int(opened[which // 4 % len(opened)])
        numbers = [*model.holds, *model.redemptions, *model.final, 999_999]
        return int(numbers[which // 4 % len(numbers)])
