"""Random histories of sales that change, of goods that come back and of claims, through two
committers over one store: whatever happens is what an independent model says.
"""

from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import invariant, precondition, rule
from properties.model import Refused
from properties.moments import amount_of, instant
from properties.receipts_model import Portions, ReceiptsModel
from properties.sales_model import PROFILES
from properties.test_ledger_machine import PROFILE, SALE_NAMES, WHICH, LedgerMachine, reissued

from ledger.account.state import Account
from ledger.transactions.state import Transaction
from schemas.events import Event
from schemas.redemptions import RedemptionReturned, RedemptionReversed
from schemas.rewards import RewardIssued
from schemas.transaction_changes import (
    ChangeTransaction,
    UnattachTransaction,
    UpsertTransaction,
)
from schemas.transaction_claims import ClaimTransaction, TransactionClaimOpened
from schemas.transactions import RecordTransaction, TransactionRecorded

MILLION = 1_000_000
RECEIPTS = st.sampled_from(["r-0", "r-0", "r-1"])
PLACES = st.sampled_from([None, None, "1", "2"])
SKUS = st.sampled_from(["a", "b"])
SOLD = st.lists(
    st.tuples(SKUS, st.sampled_from(["0.333333", "1", "9.99"]), st.sampled_from(["1", "3", "2.5"])),
    min_size=1,
    max_size=3,
)
BROUGHT = st.lists(st.tuples(SKUS, st.sampled_from(["-1", "-0.5", "-2"])), min_size=1, max_size=2)
AGO = st.sampled_from([0, 0, 1000, 3_600_000])
CHANGES = st.fixed_dictionaries(
    {},
    optional={
        "total": st.sampled_from([1000, 1000, 900, -500]),
        "lines": SOLD,
        "receipt": st.sampled_from(["r-0", "r-1", None]),
        "location": PLACES,
        "profile": PROFILE,
        "version": st.integers(0, 5),
        "void": st.sampled_from(["no", "no", "give back", "keep"]),
    },
)


class ReceiptsMachine(LedgerMachine):
    """All that happens to sales and redemptions, and what happens to their receipts."""

    MODEL = ReceiptsModel
    model: ReceiptsModel

    # ── Sales with receipts, and goods that come back ────────────────────────────────────────────

    @rule(
        lines=SOLD, receipt=RECEIPTS, location=PLACES, profile=st.one_of(st.none(), PROFILE),
        name=SALE_NAMES, ago=AGO, which=st.one_of(st.none(), WHICH), by=WHICH,
    )  # fmt: skip
    def sell_with_a_receipt(self, **told: Any) -> None:
        which, by = told["which"], told["by"]
        self._record(
            {
                "profile": told["profile"],
                "external_id": told["name"],
                "redemption": None if which is None else self._free_redemption(which),
                "total": 1000,
                "lines": [(price, many) for _, price, many in told["lines"]],
                "skus": [sku for sku, _, _ in told["lines"]],
                "void": None,
                "receipt": told["receipt"],
                "location": told["location"],
                "at": self.now - told["ago"],
            },
            by,
        )

    @rule(
        lines=BROUGHT, receipt=RECEIPTS, location=PLACES, give=st.booleans(),
        profile=st.one_of(st.none(), st.none(), PROFILE), by=WHICH,
    )  # fmt: skip
    def bring_back(self, **told: Any) -> None:
        self._record(
            {
                "profile": told["profile"],
                "external_id": None,
                "redemption": None,
                "total": -500,
                "lines": [("1", many) for _, many in told["lines"]],
                "skus": [sku for sku, _ in told["lines"]],
                "void": None,
                "linked": told["receipt"],
                "location": told["location"],
                "give": told["give"],
                "at": self.now,
            },
            told["by"],
        )

    @precondition(lambda self: any(a.balance() for a in self.model.accounts.values()))
    @rule(lines=SOLD, brought=BROUGHT, profile=PROFILE, share=st.integers(1, 4), by=WHICH)
    def buy_with_rewards_and_bring_back(self, **told: Any) -> None:
        """A sale paid in part with rewards, some of whose goods come back, and then some more."""
        profile, by = told["profile"], told["by"]
        cents = max(1, self.model.accounts[profile].balance() * told["share"] // 4)
        before = set(self.model.redemptions)
        self.redeem(profile, cents, None, True, by)
        if not set(self.model.redemptions) - before:
            return
        receipt = f"own-{len(self.model.sales)}"
        common = {"receipt": receipt, "location": None, "profile": None, "by": by}
        lines = told["lines"]
        self.sell_with_a_receipt(lines=lines, name=None, ago=0, which=1, **common)
        for _ in range(2):
            self.bring_back(lines=told["brought"], give=True, **common)

    @rule(lines=SOLD, receipt=RECEIPTS, first=PROFILE, by=WHICH)
    def claim_and_sell(self, lines: Any, receipt: str, first: str, by: int) -> None:
        """Two profiles say that the next sale is theirs."""
        for profile in (first, *(each for each in PROFILES if each != first)):
            self.claim(profile, receipt, 1000, None, by)
        self.sell_with_a_receipt(
            lines=lines, receipt=receipt, location=None, profile=None, name=None, ago=0,
            which=None, by=by,
        )  # fmt: skip

    def _record(self, told: dict[str, Any], by: int) -> None:
        command = RecordTransaction.model_validate(_fields(told))

        def expected(events: tuple[Event, ...]) -> None:
            self.model.portions = _portions(events)
            number = _recorded(events)
            self.model.whole_or_not_at_all(lambda: self.model.record(number, told, {}))
            self._name("transaction", command.external_id, command, number)
            self._finished(events)

        self._both(command, by, expected)

    # ── Changes ──────────────────────────────────────────────────────────────────────────────────

    @rule(told=CHANGES, name=SALE_NAMES, which=WHICH, whom=st.one_of(st.none(), WHICH), by=WHICH)
    def upsert(
        self, told: dict[str, Any], name: str | None, which: int, whom: int | None, by: int
    ) -> None:
        """By name, by id or by both; sometimes as a change of the sale with this id."""
        told = self._with_lines(told)
        if whom is not None and whom % 3 == 0:
            told["redemption"] = self._free_redemption(whom)
        if name is not None:
            told["external_id"] = name
        number = self._some_sale(which)
        if which % 3 == 0:
            self._change(number, told, by)
            return
        if which % 3 == 1 or name is None:
            told["id"] = number
        command = UpsertTransaction.model_validate(_fields(told))

        def expected(events: tuple[Event, ...]) -> None:
            self.model.portions = _portions(events)
            assert self.model.whole_or_not_at_all(lambda: self._upserted(told, events)) == bool(
                events
            )
            self._finished(events)

        self._both(command, by, expected)

    def _upserted(self, told: dict[str, Any], events: tuple[Event, ...]) -> bool:
        number = self.model.found(told)
        if number is not None:
            return self._named_late(number, told, events)
        # It never tells when it took place, which a new one needs.
        raise Refused("invalid_transaction")

    def _change(self, number: int, told: dict[str, Any], by: int) -> None:
        fields = _fields(told) | {"transaction_id": number}
        command = ChangeTransaction.model_validate(fields)

        def expected(events: tuple[Event, ...]) -> None:
            self.model.portions = _portions(events)
            assert self.model.whole_or_not_at_all(
                lambda: self._changed(number, told, events)
            ) == bool(events)
            self._finished(events)

        self._both(command, by, expected)

    def _changed(self, number: int, told: dict[str, Any], events: tuple[Event, ...]) -> bool:
        if number not in self.model.sales:
            raise Refused("transaction_not_found")
        if self.model.sale_named(told.get("external_id")) not in (None, number):
            raise Refused("transaction_id_mismatch")
        return self._named_late(number, told, events)

    def _named_late(self, number: int, told: dict[str, Any], events: tuple[Event, ...]) -> bool:
        """A name given late is taken as well, for another request than the one that records."""
        before = self.model.sales[number]["external_id"]
        changed = self.model.change(number, told, reissued(events))
        if before is None and self.model.sales[number]["external_id"] is not None:
            self.named["transaction", told["external_id"]] = ("", number)
        return changed

    @staticmethod
    def _with_lines(told: dict[str, Any]) -> dict[str, Any]:
        if "lines" not in told:
            return dict(told)
        return told | {
            "lines": [(price, many) for _, price, many in told["lines"]],
            "skus": [sku for sku, _, _ in told["lines"]],
        }

    @precondition(lambda self: self.model.sales)
    @rule(which=WHICH, profile=PROFILE, by=WHICH)
    def unattach(self, which: int, profile: str, by: int) -> None:
        number = self._some_sale(which)
        owner = self.model.sales.get(number, {}).get("profile")
        profile = owner if owner is not None and by % 3 else profile
        command = UnattachTransaction(profile_id=profile, transaction_id=number)
        self._both(command, by, lambda _: self.model.unattach(number, profile))

    # ── Claims ───────────────────────────────────────────────────────────────────────────────────

    @rule(
        profile=PROFILE, receipt=RECEIPTS, total=st.sampled_from([1000, 1000, 900]),
        location=PLACES, by=WHICH,
    )  # fmt: skip
    def claim(self, profile: str, receipt: str, total: int, location: str | None, by: int) -> None:
        told = {"profile": profile, "receipt": receipt, "total": total, "location": location}
        command = ClaimTransaction(
            profile_id=profile,
            transaction_receipt_ref=receipt,
            transaction_total=amount_of(total),
            transaction_location_external_code=location,
        )

        def expected(events: tuple[Event, ...]) -> None:
            opened = [e.claim_id for e in events if isinstance(e, TransactionClaimOpened)]
            number = opened[0] if opened else -1
            assert self.model.claim(number, told) == bool(events)

        self._both(command, by, expected)

    # ── What holds after every step ──────────────────────────────────────────────────────────────

    @invariant()
    def goods_come_back_once(self) -> None:
        self._read_on()
        for number, known in self.model.sales.items():
            sale = self.states[f"transaction-{number}"]
            assert isinstance(sale, Transaction)
            assert sale.sale_id == known["of"]
            assert set(sale.returns) == set(known["back"])
            for line, (_, many) in enumerate(known["lines"]):
                came_back = self.model.came_back(number, line)
                assert sale.returned(line) == came_back * MILLION
                assert came_back == 0 or came_back * MILLION <= _millionths(many)
                given = sale.given_back_minor.get(line, 0)
                assert given == known["gave"].get(line, 0)

    @invariant()
    def claims_are_settled_once(self) -> None:
        self._read_on()
        for number, claim in self.model.claims.items():
            account = self.states[f"account-{claim['profile']}"]
            assert isinstance(account, Account)
            found = account.sale_claims[number]
            assert (found.status, found.transaction_id) == (claim["status"], claim["sale"])
            assert found.attempts == claim["looks"]


def _fields(told: dict[str, Any]) -> dict[str, Any]:
    """What the model is told, as the ledger is."""
    names = {
        "profile": "profile_id",
        "external_id": "external_id",
        "redemption": "redemption_id",
        "receipt": "receipt_ref",
        "linked": "linked_receipt_ref",
        "location": "location_id",
        "version": "source_version",
        "give": "return_redemption",
        "id": "id",
    }
    fields = {names[name]: value for name, value in told.items() if name in names}
    if "total" in told:
        fields["total"] = amount_of(told["total"])
    if "at" in told:
        fields |= {"transacted_at": instant(told["at"]).isoformat(), "timezone": "UTC"}
    if "lines" in told:
        fields["items"] = [
            {"name": "x", "sku": sku, "quantity": many, "price_current": price, "price_sell": price}
            for sku, (price, many) in zip(told["skus"], told["lines"], strict=True)
        ]
    if told.get("void") is not None:
        fields["is_void"] = told["void"] != "no"
        if told["void"] == "keep":
            fields["keep_redemption"] = True
    return fields


def _portions(events: tuple[Event, ...]) -> Portions:
    """The new rewards of each way back of value, in order."""
    found: Portions = []
    for event in events:
        if isinstance(event, RedemptionReturned | RedemptionReversed):
            found.append([])
        if isinstance(event, RewardIssued) and event.redemption_id is not None:
            found[-1].append(event.reward_id)
    return found


def _recorded(events: tuple[Event, ...]) -> int:
    numbers = [e.transaction_id for e in events if isinstance(e, TransactionRecorded)]
    return numbers[0] if numbers else -1


def _millionths(many: str) -> int:
    return int(float(many) * MILLION)


ReceiptsMachine.TestCase.settings = settings(
    max_examples=100,
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
TestReceipts = ReceiptsMachine.TestCase
