"""Random histories of one account: whatever happens, it answers as an independent model does."""

from collections.abc import Callable
from datetime import datetime
from itertools import count
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, precondition, rule
from properties.changes import Changes
from properties.holds import Holds
from properties.holds_model import HoldingModel
from properties.model import Refused
from properties.moments import START, WINDOW, amount_of, instant
from properties.read_side import ReadSide

from ledger.account.folding import fold
from ledger.account.issuing import issue_reward
from ledger.account.redemptions import make_redemption
from ledger.account.returns import return_redemption, reverse_redemption
from ledger.account.rewards import facts_due, revoke_reward
from ledger.account.state import Account
from ledger.decider import Circumstances, ProgrammeSettings
from ledger.programme.counters import IssueCounter
from ledger.rejections import Rejection
from schemas.events import Event, decode, encode
from schemas.redemptions import (
    MakeRedemption,
    RedemptionMade,
    RedemptionReturned,
    RedemptionReversed,
    ReturnRedemption,
    ReverseRedemption,
)
from schemas.reward_definitions import RewardDefinitionAdded
from schemas.rewards import IssueReward, RevokeReward, RewardIssued, RewardRevoked

PERIODS = (1, 2, 5)
LONGER = {2: None, 5: 3}
"""Which of them may live longer, and by how many days unless somebody says."""
LIMITS = {6: {"least": 500}, 7: {"most": 200}, 8: {"least": 400, "most": 300}}
"""Definitions that ask something of the sale: its least total, the most they pay of it."""

ZONES = {"UTC": 0, "Etc/GMT-10": 36_000, "Etc/GMT+5": -18_000}
"""Zones without clock changes: their days are whole numbers to the model."""

WHICH = st.integers(0, 1000)
DEFINITION = st.sampled_from([*PERIODS, *PERIODS, *LIMITS])
AMOUNT = st.integers(1, 900)
ISSUED = st.sampled_from([0, 0, -1, -2, -86_400, 3600])
EXPIRY = st.sampled_from(["period", "period", None, 60, 3600, 90_000, 90_000, 0, -5])


DEFINITIONS = {
    days: RewardDefinitionAdded.model_validate(
        RewardDefinitionAdded.EXAMPLE
        | {"definition_id": days, "handle": f"of-{days}", "period": days}
        | {"is_extendable": days in LONGER, "extend_days": LONGER.get(days)}
        | {"min_spend_minor": LIMITS.get(days, {}).get("least")}
        | {"max_redeem_per_transaction_minor": LIMITS.get(days, {}).get("most")}
    )
    for days in (*PERIODS, *LIMITS)
}
"""One definition for each period."""


class AccountMachine(Holds, Changes):
    """One account and its model, side by side through the same commands at the same moments."""

    def __init__(self) -> None:
        super().__init__()
        self.account = Account()
        self.events: list[Event] = []
        self.ids = count(1)
        self.now = START
        self.read_side = ReadSide()

    @initialize(
        grace_days=st.sampled_from([0, 1, 2, 2]),
        first=st.lists(st.tuples(AMOUNT, ISSUED, EXPIRY), min_size=2, max_size=4),
    )
    def begin(self, grace_days: int, first: list[tuple[int, int, str | int | None]]) -> None:
        self.settings = ProgrammeSettings(reversal_window=WINDOW, grace_days=grace_days)
        self.model = HoldingModel(int(WINDOW.total_seconds()) * 1000, grace_days)
        self.model.time(self.now)
        self._redeem(1, strict=False)
        for cents, issued, expiry in first:
            self._issue(cents, cents, (1, "UTC"), issued, expiry)
        self._issue(600, 600, (7, "UTC"), 0, 90_000)

    # ── Commands ─────────────────────────────────────────────────────────────────────────────────

    @rule(
        cents=st.integers(0, 900),
        kept=st.integers(0, 900),
        terms=st.tuples(
            st.sampled_from([*PERIODS, *PERIODS, *LIMITS]), st.sampled_from(sorted(ZONES))
        ),
        issued=ISSUED,
        expiry=EXPIRY,
    )
    def issue(
        self, cents: int, kept: int, terms: tuple[int, str], issued: int, expiry: str | int | None
    ) -> None:
        self._issue(cents, min(kept, cents), terms, issued, expiry)

    def _issue(
        self, cents: int, kept: int, of: tuple[int, str], issued: int, expiry: str | int | None
    ) -> None:
        days, zone = of
        second = self.now // 1000 + issued
        expires = second + expiry if isinstance(expiry, int) else expiry
        fields: dict[str, Any] = {
            "profile_id": "p-1",
            "reward_definition_id": days,
            "value_initial": amount_of(cents),
            "value_remaining": amount_of(kept),
            "issued_at": instant(second * 1000).isoformat(),
            "timezone": zone,
        }
        if expires is None:
            fields["expires_at"] = None
        elif isinstance(expires, int):
            fields["expires_at"] = instant(expires * 1000).isoformat()
        command = IssueReward.model_validate(fields)
        definition, counter = DEFINITIONS[days], IssueCounter()
        answer = self._ask(lambda at: issue_reward(command, self.account, definition, counter, at))
        terms = {"issued": second, "expires": expires, "days": days, "offset": ZONES[zone]}
        terms |= {"worth": cents, "may_live_longer": days in LONGER}
        terms |= {"days_longer": LONGER.get(days), "of": days, **LIMITS.get(days, {})}
        number = next(iter(self._fresh(answer)), -1)
        self._same_answer(answer, lambda: self.model.issue(number, kept, terms))

    @rule(cents=AMOUNT, strict=st.booleans())
    def redeem(self, cents: int, strict: bool) -> None:
        self._redeem(cents, strict)

    @precondition(lambda self: self.model.spendable())
    @rule(share=st.integers(1, 4))
    def redeem_what_is_there(self, share: int) -> None:
        self._redeem(max(1, self.model.spendable() * share // 4), strict=True)

    def _redeem(self, cents: int, strict: bool) -> None:
        command = MakeRedemption(profile_id="p-1", amount=amount_of(cents), strict=strict)
        free = {n for n, lot in self.model.lots.items() if lot["least"] is lot["most"] is None}
        next_to_go = [
            each for each in self.read_side.next_to_go(self.now_instant) if each[0] in free
        ]
        answer = self._ask(lambda at: make_redemption(command, self.account, at))
        paid = self._same_answer(answer, lambda: self.model.redeem(cents, strict=strict))
        if paid is not None:
            made = answer[-1]
            assert isinstance(made, RedemptionMade)
            assert [(m.lot, m.amount_minor) for m in made.movements] == paid
            assert made.total_minor == sum(amount for _, amount in paid)
            self.model.redeemed(made.redemption_id, paid)
            assert [lot for lot, _ in paid] == [lot for lot, _ in next_to_go[: len(paid)]]
            assert paid[:-1] == next_to_go[: len(paid) - 1]

    @precondition(lambda self: self.model.redemptions)
    @rule(which=WHICH)
    def reverse(self, which: int) -> None:
        number = self._some_record(which)
        command = ReverseRedemption(redemption_id=number)
        answer = self._ask(lambda at: reverse_redemption(command, self.account, at))

        def expected() -> Any:
            self.model.check_reverse(number)
            return self.model.reverse(number, self._fresh(answer))

        self._value_came_back(answer, self._same_answer(answer, expected))

    @precondition(lambda self: self.model.redemptions)
    @rule(
        which=WHICH,
        cents=st.one_of(st.none(), st.integers(1, 90), AMOUNT),
        policy=st.sampled_from(["reissue", "restore"]),
    )
    def give_back(self, which: int, cents: int | None, policy: str) -> None:
        self._give_back(self._some_record(which), cents, policy)

    @precondition(lambda self: self.model.spendable())
    @rule(share=st.integers(1, 4), of_it=st.integers(1, 4))
    def spend_and_get_it_back_too_late(self, share: int, of_it: int) -> None:
        """The reward that paid first is past its time when value comes back to it."""
        self._redeem(max(1, self.model.spendable() * share // 4), strict=True)
        number, redemption = list(self.model.redemptions.items())[-1]
        expires = self.model.lots[redemption["out"][0][0]]["expires"]
        if expires is not None:
            self._until((expires + 1) * 1000)
        total = sum(amount for _, amount in redemption["out"])
        self._give_back(number, max(1, total * of_it // 4), "restore")

    def _give_back(self, number: int, cents: int | None, policy: str) -> None:
        amount = None if cents is None else amount_of(cents)
        command = ReturnRedemption.model_validate(
            {"redemption_id": number, "amount": amount, "policy": policy}
        )
        answer = self._ask(lambda at: return_redemption(command, self.account, at))

        def expected() -> Any:
            self.model.check_return(number, cents)
            return self.model.give_back(number, cents, policy, self._fresh(answer))

        self._value_came_back(answer, self._same_answer(answer, expected))

    @precondition(lambda self: self.model.lots)
    @rule(which=WHICH)
    def revoke(self, which: int) -> None:
        numbers = [*self.model.lots, 999_999]
        number = numbers[which % len(numbers)]
        command = RevokeReward(reward_id=number)
        answer = self._ask(lambda at: revoke_reward(command, self.account, at))
        gone = self._same_answer(answer, lambda: self.model.revoke(number))
        if gone is not None:
            assert isinstance(answer[-1], RewardRevoked)
            assert sum(m.amount_minor for m in answer[-1].movements) == gone

    @rule()
    def record_what_is_due(self) -> None:
        self._record(facts_due(self.account, self.now_instant))

    # ── Time ─────────────────────────────────────────────────────────────────────────────────────

    @rule(ms=st.sampled_from([1, 999, 1000, 599_000, 3_600_000, 86_400_000, 172_800_000]))
    def time_passes(self, ms: int) -> None:
        self._until(self.now + ms)

    @precondition(lambda self: any(lot["expires"] for lot in self.model.lots.values()))
    @rule(which=WHICH, ms=st.sampled_from([-1, 0, 999, 1000, 1001]))
    def time_comes_to_an_expiry(self, which: int, ms: int) -> None:
        ends = [lot["expires"] for lot in self.model.lots.values() if lot["expires"]]
        self._until(ends[which % len(ends)] * 1000 + ms)

    @precondition(lambda self: self.model.redemptions)
    @rule(ms=st.sampled_from([-1, 0, 1]))
    def time_comes_to_the_end_of_a_window(self, ms: int) -> None:
        latest = max(redemption["until"] for redemption in self.model.redemptions.values())
        self._until(latest + ms)

    # ── What holds after every step ──────────────────────────────────────────────────────────────

    @invariant()
    def every_lot_balances(self) -> None:
        for lot in self.account.lots.values():
            assert sum(lot.books.values()) == lot.issued_minor
            assert all(amount >= 0 for amount in lot.books.values())

    @invariant()
    def it_holds_what_the_model_holds(self) -> None:
        account = fold(facts_due(self.account, self.now_instant), self.account)
        assert account.available_minor(self.now_instant) == self.model.balance()
        assert set(account.lots) == set(self.model.lots)
        for number, lot in account.lots.items():
            books = {str(book): amount for book, amount in lot.books.items() if amount}
            assert books == self.model.books(number)
            assert lot.issued_minor == self.model.lots[number]["total"]
            known = self.model.lots[number]
            expires = known["expires"]
            assert lot.terms.value_initial_minor == known["worth"]
            assert (lot.extended_at is not None) is known["longer"]
            assert lot.terms.expires_at == (None if expires is None else instant(expires * 1000))

    @invariant()
    def the_read_models_hold_what_it_holds(self) -> None:
        self.read_side.agrees_with(self.account, self.model.balance(), self.now_instant)
        for number in (*self.model.redemptions, *self.model.holds):
            status, total = self.read_side.redemption(number, self.now_instant)
            assert status == self.model.status(number)
            hold = self.model.holds.get(number)
            if status == "held" and hold is not None:
                assert total == sum(amount for _, amount in hold["parts"])
            elif status in ("released", "lapsed"):
                assert total == 0

    @invariant()
    def what_was_stored_leads_to_the_same_account(self) -> None:
        stored = [(type(e).__name__, e.SCHEMA_VERSION, encode(e)) for e in self.events]
        assert fold(decode(*one) for one in stored) == self.account

    # ── Both sides ───────────────────────────────────────────────────────────────────────────────

    @property
    def now_instant(self) -> datetime:
        return instant(self.now)

    def _until(self, now: int) -> None:
        self.now = max(self.now, now)
        self.model.time(self.now)

    def _ask(self, decide: Callable[[Circumstances], tuple[Event, ...]]) -> Any:
        """The events of the decision, or its refusal."""
        try:
            return decide(Circumstances(self.now_instant, self.ids, self.settings))
        except Rejection as refusal:
            return refusal

    def _same_answer(self, answer: Any, expected: Callable[[], Any]) -> Any:
        """Both accept, or both refuse for the same reason; what is accepted is recorded."""
        wanted = _value_or_refusal(expected)
        if isinstance(wanted, Refused):
            assert isinstance(answer, Rejection), f"accepted, but expected {wanted.code}"
            assert (answer.code, answer.facts) == (wanted.code, wanted.facts)
            return None
        assert not isinstance(answer, Rejection), f"refused: {answer!r}"
        self._record(answer)
        return wanted

    def _record(self, events: tuple[Event, ...]) -> None:
        self.events.extend(events)
        self.account = fold(events, self.account)
        self.read_side.fold(events, self.now_instant)
        assert facts_due(self.account, self.now_instant) == ()

    def _fresh(self, answer: Any) -> list[int]:
        issued = () if isinstance(answer, Rejection) else answer
        return [e.reward_id for e in issued if isinstance(e, RewardIssued)]

    def _some_record(self, which: int) -> int:
        """Mostly the latest redemption: the older ones are often closed already."""
        redemptions = list(self.model.redemptions)
        if redemptions and which % 4:
            return int(redemptions[-1 - which // 4 % min(2, len(redemptions))])
        records = [*redemptions, *self.model.final, 999_999]
        return int(records[which % len(records)])

    def _value_came_back(self, answer: Any, expected: Any) -> None:
        if expected is None:
            return
        moves, forfeited = expected
        record = next(e for e in answer if isinstance(e, RedemptionReversed | RedemptionReturned))
        assert [(m.lot, m.amount_minor, str(m.target)) for m in record.movements] == moves
        assert record.forfeited_minor == forfeited
        assert record.total_minor == sum(amount for _, amount, _ in moves)
        if isinstance(record, RedemptionReversed):
            self.model.final.add(record.reversal_id)
        else:
            self.model.final.add(record.return_id)


def _value_or_refusal(expected: Callable[[], Any]) -> Any:
    try:
        return expected()
    except Refused as refused:
        return refused


AccountMachine.TestCase.settings = settings(
    max_examples=600,
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
TestAccount = AccountMachine.TestCase
