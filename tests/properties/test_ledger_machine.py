"""Random histories of several profiles and their sales, through two committers over one store:
whatever happens, and whoever answers, it is what an independent model says.

Every command may be tried as a dry run first, and repeated under its key or its external_id.
"""

from datetime import datetime
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, precondition, rule
from properties.fair_shares import by_hand
from properties.held_sales import SALES
from properties.identified import IdentifiedProfiles
from properties.moments import WINDOW, amount_of, instant
from properties.sales_model import PROFILES, SalesModel

from ledger.account.folding import fold
from ledger.account.rewards import facts_due
from ledger.account.state import Account
from ledger.decider import ProgrammeSettings
from ledger.rejections import Rejection
from ledger.submission import Accepted
from ledger.transactions.state import Transaction
from schemas.events import Event
from schemas.profiles import MergeProfiles
from schemas.redemptions import (
    MakeRedemption,
    RedemptionMade,
    ReturnRedemption,
    ReverseRedemption,
)
from schemas.reward_definitions import AddRewardDefinition
from schemas.rewards import IssueReward, ReassignReward, RewardIssued
from schemas.transactions import (
    LinkRedemption,
    RecordTransaction,
    TransactionRecorded,
    VoidTransaction,
)

WHICH = st.integers(0, 1000)
CENTS = st.integers(1, 900)
PROFILE = st.sampled_from(PROFILES)
SALE_NAMES = st.sampled_from([None, None, *(f"s-{n}" for n in range(15))])
EXPIRES = st.sampled_from(["2030-01-01T12:00:00Z", "2030-01-02T00:00:00Z", "2031-01-01T00:00:00Z"])


class LedgerMachine(IdentifiedProfiles):
    """Two processes and the model, side by side through the same commands."""

    MODEL: type[SalesModel] = SalesModel

    @initialize(grace_days=st.sampled_from([0, 2]), policy=st.sampled_from(["reissue", "restore"]))
    def begin(self, grace_days: int, policy: str) -> None:
        rules = ProgrammeSettings(
            reversal_window=WINDOW,
            grace_days=grace_days,
            return_policy="reissue" if policy == "reissue" else "restore",
        )
        self.model = self.MODEL(int(WINDOW.total_seconds()) * 1000, grace_days, policy)
        self.model.time(self.now)
        self._start(rules)
        fields = {"name": "B", "handle": "b", "value": "1", "type": "b", "period": 2}
        definition = AddRewardDefinition.model_validate(fields | {"is_reassignable": True})
        self._send(definition, "begin")
        for profile in PROFILES:
            self.issue(profile, 500, "2031-01-01T00:00:00Z", 0)

    # ── Rewards and redemptions ──────────────────────────────────────────────────────────────────

    @rule(profile=PROFILE, cents=CENTS, expires=EXPIRES, by=WHICH)
    def issue(self, profile: str, cents: int, expires: str, by: int) -> None:
        command = IssueReward.model_validate(
            {
                "profile_id": profile,
                "reward_definition_handle": "b",
                "value_initial": amount_of(cents),
                "issued_at": instant(self.now).isoformat(),
                "expires_at": expires,
            }
        )
        second = int(datetime.fromisoformat(expires).timestamp())
        terms = {"issued": self.now // 1000, "expires": second, "days": 2, "offset": 0}
        terms |= {"may_live_longer": False, "days_longer": None}

        def expected(events: tuple[Event, ...]) -> None:
            number = next((e.reward_id for e in events if isinstance(e, RewardIssued)), -1)
            self.model.accounts[self.model.now_of(profile)].issue(number, cents, terms)

        self._both(command, by, expected)

    @precondition(lambda self: any(a.balance() for a in self.model.accounts.values()))
    @rule(profile=PROFILE, cents=CENTS, announced=SALE_NAMES, strict=st.booleans(), by=WHICH)
    def redeem(
        self, profile: str, cents: int, announced: str | None, strict: bool, by: int
    ) -> None:
        command = MakeRedemption(
            profile_id=profile,
            amount=amount_of(cents),
            strict=strict,
            transaction_external_id=announced,
            external_id=f"r-{by % 9}" if by % 3 == 0 else None,
        )

        def expected(events: tuple[Event, ...]) -> None:
            paid, sale = self.model.redeem(profile, cents, announced, strict=strict)
            made = next((e for e in events if isinstance(e, RedemptionMade)), None)
            if made is not None:
                assert [(m.lot, m.amount_minor) for m in made.movements] == paid
                self.model.redeemed(made.redemption_id, profile, paid, announced, sale)
                self._name("redemption", command.external_id, command, made.redemption_id)

        self._both(command, by, expected)

    @precondition(lambda self: self.model.redemptions)
    @rule(which=WHICH, by=WHICH)
    def reverse(self, which: int, by: int) -> None:
        number = self._some_redemption(which)

        def expected(events: tuple[Event, ...]) -> None:
            self.model.reverse(number, reissued(events).get(number, []))
            self._finished(events)

        self._both(ReverseRedemption(redemption_id=number), by, expected)

    @precondition(lambda self: self.model.redemptions)
    @rule(
        which=WHICH,
        cents=st.one_of(st.none(), st.integers(1, 200)),
        policy=st.sampled_from(["reissue", "restore"]),
        by=WHICH,
    )
    def give_back(self, which: int, cents: int | None, policy: str, by: int) -> None:
        number = self._some_redemption(which)
        amount = None if cents is None else amount_of(cents)
        command = ReturnRedemption.model_validate(
            {"redemption_id": number, "amount": amount, "policy": policy}
        )

        def expected(events: tuple[Event, ...]) -> None:
            self.model.give_back(number, cents, policy, reissued(events).get(number, []))
            self._finished(events)

        self._both(command, by, expected)

    # ── Sales ────────────────────────────────────────────────────────────────────────────────────

    @rule(told=SALES, which=st.one_of(st.none(), WHICH), by=WHICH)
    def sell(self, told: dict[str, Any], which: int | None, by: int) -> None:
        redemption = None if which is None else self._free_redemption(which)
        told = told | {"redemption": redemption}
        command = RecordTransaction.model_validate(
            {
                "profile_id": told["profile"],
                "external_id": told["external_id"],
                "redemption_id": redemption,
                "total": amount_of(told["total"]),
                "transacted_at": instant(self.now).isoformat(),
                "timezone": "UTC",
                "items": [
                    {"name": "x", "quantity": many, "price_current": price, "price_sell": price}
                    for price, many in told["lines"]
                ],
                "is_void": told["void"] is not None,
                "keep_redemption": told["void"] == "keep",
            }
        )

        def expected(events: tuple[Event, ...]) -> None:
            self.model.check_record(told)
            number = next((e for e in events if isinstance(e, TransactionRecorded)), None)
            if number is not None:
                self.model.record(number.transaction_id, told, reissued(events))
                self._name("transaction", command.external_id, command, number.transaction_id)
                self._finished(events)

        self._both(command, by, expected)

    @precondition(lambda self: any(a.balance() for a in self.model.accounts.values()))
    @rule(told=SALES, share=st.integers(1, 4), announced=st.booleans(), by=WHICH)
    def pay(self, told: dict[str, Any], share: int, announced: bool, by: int) -> None:
        """Redeem and sell at one till, the redemption named or announced."""
        profile = told["profile"] or PROFILES[by % 2]
        whose = self.model.accounts[self.model.now_of(profile)]
        cents = max(1, whose.balance() * share // 4)
        before = set(self.model.redemptions)
        self.redeem(profile, cents, told["external_id"] if announced else None, True, by)
        made = set(self.model.redemptions) - before
        self.sell(told, None if announced or not made else 1, by // 2)

    @precondition(lambda self: self.model.sales)
    @rule(which=WHICH, whom=WHICH, by=WHICH)
    def link(self, which: int, whom: int, by: int) -> None:
        sale, redemption = self._some_sale(which), self._free_redemption(whom)

        def expected(events: tuple[Event, ...]) -> None:
            assert self.model.link(sale, redemption) == bool(events)

        self._both(LinkRedemption(transaction_id=sale, redemption_id=redemption), by, expected)

    @precondition(lambda self: self.model.sales)
    @rule(which=WHICH, keep=st.sampled_from([False, False, True]), by=WHICH)
    def void(self, which: int, keep: bool, by: int) -> None:
        sale = self._some_sale(which)

        def expected(events: tuple[Event, ...]) -> None:
            assert self.model.void(sale, keep=keep, fresh=reissued(events)) == bool(events)
            self._finished(events)

        self._both(VoidTransaction(transaction_id=sale, keep_redemption=keep), by, expected)

    # ── From account to account ──────────────────────────────────────────────────────────────────

    @rule(winner=PROFILE, loser=PROFILE, by=WHICH)
    def merge(self, winner: str, loser: str, by: int) -> None:
        command = MergeProfiles(winner=winner, loser=loser)
        self._both(command, by, lambda _: self.model.merge(winner, loser))

    @rule(which=WHICH, profile=PROFILE, by=WHICH)
    def reassign(self, which: int, profile: str, by: int) -> None:
        lots = sorted({number for each in self.model.accounts.values() for number in each.lots})
        number = [*lots, 999_999][-1 - which % min(6, len(lots) + 1)]
        command = ReassignReward(reward_id=number, profile_id=profile)
        self._both(command, by, lambda _: self.model.reassign(number, profile))

    # ── Time, and the same again ─────────────────────────────────────────────────────────────────

    @rule(ms=st.sampled_from([1, 1000, 600_000, 600_001, 10_800_000, 86_400_000]))
    def time_passes(self, ms: int) -> None:
        self.now += ms
        self.model.time(self.now)

    @precondition(lambda self: self.answered)
    @rule(which=WHICH, by=WHICH)
    def the_same_under_its_key(self, which: int, by: int) -> None:
        command, key, first = self.answered[which % len(self.answered)]
        again = self._send(command, key, by=by)
        if isinstance(first, Rejection):
            assert isinstance(again, Rejection)
            assert (again.code, again.facts) == (first.code, first.facts)
        elif isinstance(first, Accepted):
            assert isinstance(again, Accepted)
            assert again.replayed
            assert again.events == first.events
        else:
            assert (again.stream_id, again.external_id) == (first.stream_id, first.external_id)

    # ── What holds after every step ──────────────────────────────────────────────────────────────

    @invariant()
    def the_log_holds_what_the_model_holds(self) -> None:
        self._read_on()
        for profile, model in self.model.accounts.items():
            account = self.states.get(f"account-{profile}", Account())
            assert isinstance(account, Account)
            account = fold(facts_due(account, instant(self.now)), account)
            assert account.available_minor(instant(self.now)) == model.balance()
            assert set(account.lots) == set(model.lots)
            for number, lot in account.lots.items():
                books = {str(book): amount for book, amount in lot.books.items() if amount}
                assert books == model.books(number)
                assert sum(lot.books.values()) == lot.issued_minor
                assert all(amount >= 0 for amount in lot.books.values())
            assert account.merged_into == self.model.became.get(profile)
            if account.merged_into is not None:
                continue
            assert set(account.redemptions) == {*model.redemptions, *model.holds}
            for number, redemption in account.redemptions.items():
                assert redemption.transaction_id == self.model.redemptions[number]["sale"]
                assert redemption.total_minor - sum(redemption.given_back.values()) == (
                    self.model.out(number)
                )

    @invariant()
    def whoever_reads_balance_and_journal_reads_the_same(self) -> None:
        self._read_on()
        for profile, model in self.model.accounts.items():
            self.books.tell(profile, model.balance(), instant(self.now))

    @invariant()
    def sales_are_paid_once_and_shared_fairly(self) -> None:
        self._read_on()
        live: list[int] = []
        for number, known in self.model.sales.items():
            sale = self.states[f"transaction-{number}"]
            assert isinstance(sale, Transaction)
            assert (sale.profile_id, sale.void) == (known["profile"], known["void"])
            assert [redemption for redemption, _ in sale.redemptions] == known["paid"]
            assert sale.attributed_minor == self.model.paid(number)
            if not sale.void:
                live += known["paid"]
            elif not known["kept"]:
                assert all(not self.model.out(redemption) for redemption in known["paid"])
            if known["paid"]:
                last = self.shares[number]
                assert sum(last.shares_minor) + last.unallocated_minor == sale.attributed_minor
                assert (last.shares_minor, last.unallocated_minor) == by_hand(
                    sale.attributed_minor, self.model.weights(number)
                )
        assert len(live) == len(set(live)), "a redemption paid for two sales that live"


def reissued(events: tuple[Event, ...]) -> dict[int, list[int]]:
    """The new rewards of a return or void, redemption by redemption."""
    found: dict[int, list[int]] = {}
    for event in events:
        if isinstance(event, RewardIssued) and event.redemption_id is not None:
            found.setdefault(event.redemption_id, []).append(event.reward_id)
    return found


LedgerMachine.TestCase.settings = settings(
    max_examples=200,
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
TestLedger = LedgerMachine.TestCase
