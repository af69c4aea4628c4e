"""Holds beside sales, as rules of a machine: who waits for a sale, and when it is paid."""

from datetime import timedelta
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule
from properties.both_sides import BothSides
from properties.moments import amount_of
from properties.sales_model import PROFILES

from schemas.events import Event
from schemas.holds import CaptureRedemption, RedemptionHeld, ReleaseRedemption
from schemas.redemptions import MakeRedemption

WHICH = st.integers(0, 1000)
CENTS = st.integers(1, 900)
PROFILE = st.sampled_from(PROFILES)
SALE_NAMES = st.sampled_from([None, None, *(f"s-{n}" for n in range(15))])
LASTING = st.sampled_from([1, 600, 90_000])
LINES = st.lists(
    st.tuples(st.sampled_from(["-1", "0", "0.333333", "1", "9.99"]), st.sampled_from(["1", "2.5"])),
    max_size=4,
)
SALES = st.fixed_dictionaries(
    {
        "profile": st.one_of(st.none(), PROFILE),
        "external_id": SALE_NAMES,
        "total": st.sampled_from([1000, 1000, 1000, 1000, 1000, 0, -500]),
        "lines": LINES,
        "void": st.sampled_from([None, None, None, None, None, None, "give back", "keep"]),
    }
)


class HeldSales(BothSides):
    """The rules; sales themselves are the machine's."""

    def sell(self, told: dict[str, Any], named: int | None, by: int) -> None:
        raise NotImplementedError

    @precondition(lambda self: any(a.balance() for a in self.model.accounts.values()))
    @rule(profile=PROFILE, cents=CENTS, announced=SALE_NAMES, lasting=LASTING, by=WHICH)
    def hold(self, profile: str, cents: int, announced: str | None, lasting: int, by: int) -> None:
        command = MakeRedemption(
            profile_id=profile,
            amount=amount_of(cents),
            strict=False,
            hold=timedelta(seconds=lasting),
            transaction_external_id=announced,
            external_id=f"r-{by % 9}" if by % 3 == 0 else None,
        )

        def expected(events: tuple[Event, ...]) -> None:
            paid, _ = self.model.redeem(profile, cents, announced, strict=False, book="held")
            made = next((e for e in events if isinstance(e, RedemptionHeld)), None)
            if made is not None:
                assert [(m.lot, m.amount_minor) for m in made.movements] == paid
                number = made.redemption_id
                self.model.held(number, profile, paid, announced, lasting * 1000)
                self._name("redemption", command.external_id, command, number)

        self._both(command, by, expected)

    @precondition(lambda self: any(a.holds for a in self.model.accounts.values()))
    @rule(which=WHICH, cents=st.one_of(st.none(), CENTS), by=WHICH)
    def capture(self, which: int, cents: int | None, by: int) -> None:
        number = self._some_hold(which)
        amount = None if cents is None else amount_of(cents)
        command = CaptureRedemption(redemption_id=number, amount=amount)
        self._both(command, by, lambda _: self.model.capture(number, cents))

    @precondition(lambda self: any(a.holds for a in self.model.accounts.values()))
    @rule(which=WHICH, by=WHICH)
    def release(self, which: int, by: int) -> None:
        number = self._some_hold(which)
        command = ReleaseRedemption(redemption_id=number)
        self._both(command, by, lambda _: self.model.release(number))

    @precondition(lambda self: any(a.balance() for a in self.model.accounts.values()))
    @rule(told=SALES, order=st.permutations(["hold", "sell", "capture"]), by=WHICH)
    def pay_when_the_payment_has_succeeded(
        self, told: dict[str, Any], order: list[str], by: int
    ) -> None:
        """The sale comes before the hold, between hold and capture, or after both."""
        profile = told["profile"] or PROFILES[by % 2]
        for step in order if order.index("hold") < order.index("capture") else order[::-1]:
            if step == "hold":
                self.hold(profile, 300, told["external_id"], 600, 1)
            elif step == "sell":
                self.sell(told, None, by // 2)
            else:
                opened = [n for n in self.model.redemptions if self.model.is_held(n)]
                if opened:
                    self.capture(5 * (len(opened) - 1) + 1, None if by % 3 else 100, by)
