"""What the rules say of holds, and of rewards that ask something of the sale they pay for."""

from collections import Counter
from functools import cmp_to_key
from typing import Any

from properties.changes_model import ChangingModel
from properties.model import Model, Refused
from properties.moments import amount_of

PLENTY = 10**12

Paid = list[tuple[int, int]]


class HoldingModel(ChangingModel):
    """The account whose value can be set aside first."""

    def __init__(self, window_ms: int, grace_days: int) -> None:
        super().__init__(window_ms, grace_days)
        self.holds: dict[int, dict[str, Any]] = {}
        self.made_for: dict[int, str] = {}

    def time(self, now: int) -> None:
        """A deadline lets go of what is held: as it was at that very moment."""
        for hold in sorted(self.holds.values(), key=lambda each: int(each["until"])):
            if hold["status"] == "held" and hold["until"] <= now:
                self.now = hold["until"]
                self._let_go(hold["parts"])
                hold["status"] = "lapsed"
        super().time(now)

    # ── Taking, at once or later ─────────────────────────────────────────────────────────────────

    def spendable(self, total: int | None = None, sale: str | None = None) -> int:
        """What a redemption could take that says this of its sale."""
        return sum(amount for _, amount in self.usable(total, sale))

    def redeem(
        self,
        amount: int,
        *,
        strict: bool,
        total: int | None = None,
        sale: str | None = None,
        book: str = "redeemed",
    ) -> Paid:
        """Which lots pay how much: the one that would be lost first, if it may pay for this."""
        if not self.known:
            raise Refused("profile_not_found")
        if total is not None and amount > total:
            raise Refused("amount_exceeds_transaction_total")
        there = self.spendable(total, sale)
        if there == 0 or (strict and there < amount):
            more = self.spendable(PLENTY, sale) if total is None else there
            if more > there and (more >= amount or not strict):
                raise Refused("transaction_total_required")
            raise Refused("insufficient_balance", available=amount_of(there))
        paid = _up_to(amount, self.usable(total, sale))
        for number, part in paid:
            self.lots[number]["available"] -= part
            self.lots[number][book] += part
        return paid

    def named(self, number: int, sale: str | None) -> None:
        """The sale a redemption was made for."""
        if sale is not None:
            self.made_for[number] = sale

    def held(self, number: int, paid: Paid, lasting_ms: int) -> None:
        """The hold is known by this number from now on."""
        until = self.now + lasting_ms
        self.holds[number] = {"parts": paid, "until": until, "status": "held"}

    def usable(self, total: int | None, sale: str | None) -> Paid:
        """What each reward could pay of such a sale, the one that goes first at the front."""
        paid = self._paid_for(sale)
        usable = []
        there = (number for number, lot in self.lots.items() if lot["available"])
        for number in sorted(there, key=cmp_to_key(self._first_of)):
            lot = self.lots[number]
            asks = lot["least"] is not None or lot["most"] is not None
            if asks and (total is None or total < (lot["least"] or 0)):
                continue
            room = PLENTY if lot["most"] is None else lot["most"] - paid[lot["of"]]
            amount = min(lot["available"], room)
            if amount > 0:
                paid[lot["of"]] += amount
                usable.append((number, amount))
        return usable

    def _first_of(self, number: int, other: int) -> int:
        if self._sooner(number, other):
            return -1
        return 1 if self._sooner(other, number) else number - other

    def _paid_for(self, sale: str | None) -> Counter[int]:
        """What each definition pays for a sale already, held or redeemed."""
        paid: Counter[int] = Counter()
        for number in (n for n, made_for in self.made_for.items() if made_for == sale):
            hold, redemption = self.holds.get(number), self.redemptions.get(number)
            parts = [] if redemption is None else redemption["out"]
            if hold is not None and hold["status"] == "held":
                parts = hold["parts"]
            for lot, amount in parts:
                paid[self.lots[lot]["of"]] += amount
        return paid

    def absorb(self, other: Model) -> None:
        """With what it holds."""
        assert isinstance(other, HoldingModel)
        super().absorb(other)
        self.holds |= other.holds
        self.made_for |= other.made_for
        other.holds, other.made_for = {}, {}

    # ── How a hold ends ──────────────────────────────────────────────────────────────────────────

    def capture(self, number: int, amount: int | None) -> list[tuple[int, int, str]]:
        """The first lots are taken, the others let go."""
        hold = self._open_hold(number)
        there = sum(part for _, part in hold["parts"])
        if amount is not None and amount > there:
            raise Refused("capture_exceeds_hold", held=amount_of(there))
        taken = _up_to(there if amount is None else amount, hold["parts"])
        left = Counter(dict(hold["parts"]))
        for lot, part in taken:
            self.lots[lot]["held"] -= part
            self.lots[lot]["redeemed"] += part
            left[lot] -= part
        gone = self._let_go([(lot, left[lot]) for lot, _ in hold["parts"] if left[lot]])
        hold["status"] = "captured"
        self.redeemed(number, taken)
        return [(lot, part, "redeemed") for lot, part in taken] + gone

    def release(self, number: int) -> list[tuple[int, int, str]]:
        """All of it is let go."""
        hold = self._open_hold(number)
        hold["status"] = "released"
        return self._let_go(hold["parts"])

    def status(self, number: int) -> str:
        """What has become of a redemption."""
        return str(self.holds[number]["status"]) if number in self.holds else "redeemed"

    def revoke(self, number: int) -> int:
        """Not under a hold."""
        lot = self.lots.get(number)
        if lot is not None and not lot["withdrawn"] and lot["held"]:
            raise Refused("reward_held", held=amount_of(lot["held"]))
        return super().revoke(number)

    def _let_go(self, parts: Paid) -> list[tuple[int, int, str]]:
        moves = []
        for number, amount in parts:
            lot = self.lots[number]
            book = "expired" if self._over(lot) else "available"
            lot["held"] -= amount
            lot[book] += amount
            moves.append((number, amount, book))
        return moves

    def _open_hold(self, number: int) -> dict[str, Any]:
        known = number in self.holds or number in self.redemptions or number in self.final
        if not known:
            raise Refused("redemption_not_found")
        if number not in self.holds:
            raise Refused("not_held")
        status = self.holds[number]["status"]
        if status != "held":
            raise Refused("already_captured" if status == "captured" else f"hold_{status}")
        return self.holds[number]

    def _open(self, number: int) -> dict[str, Any]:
        """What is held, or was let go, can be neither reversed nor returned."""
        status = self.holds[number]["status"] if number in self.holds else "captured"
        if status != "captured":
            raise Refused("redemption_held" if status == "held" else f"hold_{status}")
        return super()._open(number)


def _up_to(amount: int, parts: Paid) -> Paid:
    taken = []
    for number, there in parts:
        part = min(there, amount)
        amount -= part
        if part:
            taken.append((number, part))
    return taken
