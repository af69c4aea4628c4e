"""Sales and what paid for them, told a second time from the rules: accounts of several profiles,
each a `Model`, and the sales between them. Weights are fractions, amounts whole cents.
"""

from collections.abc import Iterable
from copy import deepcopy
from fractions import Fraction
from typing import Any

from properties.holds_model import HoldingModel
from properties.identities_model import IdentitiesModel
from properties.model import Refused

PROFILES = ("p-1", "p-2", "p-3", "p-4")


class SalesModel:
    """What a ledger with sales must answer and hold."""

    def __init__(self, window_ms: int, grace_days: int, policy: str) -> None:
        self.accounts = {name: HoldingModel(window_ms, grace_days) for name in PROFILES}
        self.policy = policy
        self.redemptions: dict[int, dict[str, Any]] = {}
        self.final: dict[int, str] = {}
        self.sales: dict[int, dict[str, Any]] = {}
        self.became: dict[str, str] = {}
        self.identities = IdentitiesModel()

    def now_of(self, profile: str) -> str:
        """Whoever a profile is by now."""
        while profile in self.became:
            profile = self.became[profile]
        return profile

    def merge(self, winner: str, loser: str) -> None:
        """Two are one from now on, whoever the winner is by now."""
        if loser in self.became:
            raise Refused("profile_merged", merged_into=self.became[loser])
        winner = self.now_of(winner)
        if winner == loser:
            raise Refused("same_profile")
        self.accounts[winner].absorb(self.accounts[loser])
        self.identities.merge(winner, loser)
        self.became[loser] = winner
        for number, profile in self.final.items():
            self.final[number] = winner if profile == loser else profile
        for known in self.redemptions.values():
            known["profile"] = winner if known["profile"] == loser else known["profile"]

    def reassign(self, number: int, to: str) -> None:
        """What is left of a reward is another profile's."""
        here = [name for name in self.accounts if self._has(name, number)]
        if not here:
            raise Refused("reward_not_found")
        giver, taker = here[0], self.now_of(to)
        if giver == taker:
            raise Refused("same_profile")
        self.accounts[taker].receive(number, *self.accounts[giver].send(number))

    def _has(self, profile: str, number: int) -> bool:
        lot = self.accounts[profile].lots.get(number)
        return profile not in self.became and lot is not None and not lot["gone"]

    def time(self, now: int) -> None:
        """Time passes for everybody."""
        for account in self.accounts.values():
            account.time(now)

    # ── Redemptions ──────────────────────────────────────────────────────────────────────────────

    def redeem(
        self,
        profile: str,
        cents: int,
        announced: str | None,
        *,
        strict: bool,
        book: str = "redeemed",
    ) -> tuple[list[tuple[int, int]], int | None]:
        """What each lot pays, and the sale that is waiting for it. Nothing where it is refused."""
        profile = self.now_of(profile)
        sale = self.sale_named(announced)
        if sale is None and self._announcer(announced) not in (None, profile):
            raise Refused("redemption_announced_elsewhere")
        account = self.accounts[profile]
        before = deepcopy(account.__dict__)
        paid = account.redeem(cents, strict=strict, book=book)
        try:
            if sale is not None:
                self._check_takes_announced(self.sales[sale], profile)
        except Refused:
            account.__dict__.update(before)
            raise
        return paid, sale

    def _check_takes_announced(self, sale: dict[str, Any], profile: str) -> None:
        if sale["void"]:
            raise Refused("transaction_void")
        if sale["profile"] is not None and self.now_of(sale["profile"]) != profile:
            raise Refused("redemption_profile_mismatch")
        if sale["total"] < 0:
            raise Refused("invalid_transaction")

    def redeemed(
        self,
        number: int,
        profile: str,
        paid: list[tuple[int, int]],
        announced: str | None,
        sale: int | None,
    ) -> None:
        """The redemption is known by this number from now on."""
        profile = self.now_of(profile)
        self.accounts[profile].redeemed(number, paid)
        total = sum(amount for _, amount in paid)
        self.redemptions[number] = {
            "profile": profile,
            "announced": announced,
            "sale": None,
            "total": total,
        }
        if sale is not None:
            self._link(number, sale)

    def held(
        self,
        number: int,
        profile: str,
        paid: list[tuple[int, int]],
        announced: str | None,
        lasting_ms: int,
    ) -> None:
        """The hold is known by this number from now on; no sale is paid by it yet."""
        profile = self.now_of(profile)
        self.accounts[profile].held(number, paid, lasting_ms)
        self.redemptions[number] = {
            "profile": profile,
            "announced": announced,
            "sale": None,
            "total": sum(amount for _, amount in paid),
        }

    def capture(self, number: int, cents: int | None) -> None:
        """It pays from now on, and the sale it announced, if that has come."""
        account = self._account_of(number)
        before = deepcopy(account.__dict__)
        moves = account.capture(number, cents)
        known = self.redemptions[number]
        sale = self.sale_named(known["announced"])
        try:
            if sale is not None:
                self._check_takes_announced(self.sales[sale], known["profile"])
        except Refused:
            account.__dict__.update(before)
            raise
        known["total"] = sum(amount for _, amount, book in moves if book == "redeemed")
        if sale is not None:
            self._link(number, sale)

    def release(self, number: int) -> None:
        """Nothing was taken."""
        self._account_of(number).release(number)

    def is_held(self, number: int) -> bool:
        """It may still be captured."""
        return number not in self.final and self._account_of(number).status(number) == "held"

    def reverse(self, number: int, fresh: list[int]) -> None:
        """Undone, if nothing rests on it."""
        account = self._account_of(number)
        account.check_reverse(number, linked=self._sale_of(number) is not None)
        account.reverse(number, fresh)

    def give_back(self, number: int, cents: int | None, policy: str, fresh: list[int]) -> None:
        """A part or the rest comes back, whatever it paid for."""
        account = self._account_of(number)
        account.check_return(number, cents)
        account.give_back(number, cents, policy, fresh)

    def finished(self, number: int, of: int) -> None:
        """A return or a reversal is known by this number from now on."""
        profile = self.redemptions[of]["profile"]
        self.final[number] = profile
        self.accounts[profile].final.add(number)

    def out(self, number: int) -> int:
        """What of a redemption is still redeemed."""
        known = self._account_of(number).redemptions.get(number)
        return 0 if known is None else sum(amount for _, amount in known["out"])

    # ── Sales ────────────────────────────────────────────────────────────────────────────────────

    def check_record(self, told: dict[str, Any]) -> tuple[str | None, list[int]]:
        """Whose sale it is, and which redemptions paid for it, in order."""
        named, total = told["redemption"], told["total"]
        owners = {None if told["profile"] is None else self.now_of(told["profile"])} - {None}
        if named is not None:
            owners.add(self._owner(named))
        announced = told["external_id"] if total >= 0 else None
        owners |= {self._announcer(announced)} - {None}
        if len(owners) > 1:
            raise Refused("redemption_profile_mismatch")
        if total < 0 and named is not None:
            raise Refused("invalid_transaction")
        if named is not None:
            self._check_free(named, told["external_id"])
        paying = [] if named is None else [named]
        paying += [n for n in self._announcing(announced) if n not in paying and self.out(n)]
        return (owners.pop() if owners else None), paying

    def record(
        self, number: int, told: dict[str, Any], fresh: dict[int, list[int]]
    ) -> tuple[str | None, list[int]]:
        """The sale is there, with all that paid for it; given back at once where it is void."""
        profile, paying = self.check_record(told)
        self.sales[number] = {
            "profile": profile,
            "external_id": told["external_id"],
            "total": told["total"],
            "weights": [max(Fraction(0), Fraction(p) * Fraction(q)) for p, q in told["lines"]],
            "paid": [],
            "void": False,
            "kept": False,
        }
        if profile is not None:
            self.accounts[profile].known = True
        for redemption in paying:
            self._link(redemption, number)
        if told["void"] is not None:
            self._void(number, keep=told["void"] == "keep", fresh=fresh)
        return profile, paying

    def link(self, number: int, redemption: int) -> bool:
        """Whether there was anything to do."""
        if number not in self.sales:
            raise Refused("transaction_not_found")
        sale, owner = self.sales[number], self._owner(redemption)
        if redemption in self.final:
            raise Refused("linked_redemption_not_found")
        if sale["void"]:
            raise Refused("transaction_void")
        if self._sale_of(redemption) == number:
            return False
        if sale["profile"] is not None and self.now_of(sale["profile"]) != owner:
            raise Refused("redemption_profile_mismatch")
        self._check_free(redemption, sale["external_id"])
        if sale["total"] < 0:
            raise Refused("invalid_transaction")
        self._link(redemption, number)
        return True

    def void(self, number: int, *, keep: bool, fresh: dict[int, list[int]]) -> bool:
        """Whether there was anything to do."""
        if number not in self.sales:
            raise Refused("transaction_not_found")
        if self.sales[number]["void"]:
            return False
        self._void(number, keep=keep, fresh=fresh)
        return True

    def _void(self, number: int, *, keep: bool, fresh: dict[int, list[int]]) -> None:
        sale = self.sales[number]
        sale["void"], sale["kept"] = True, keep
        for redemption in sale["paid"]:
            self.redemptions[redemption] |= {"sale": None, "announced": None}
            if keep or not self.out(redemption):
                continue
            account = self._account_of(redemption)
            known = account.redemptions[redemption]
            mine = fresh.get(redemption, [])
            if account.now > known["until"]:
                account.give_back(redemption, None, self.policy, mine)
            elif known["touched"]:
                account.give_back(redemption, None, "restore", mine)
            else:
                account.reverse(redemption, mine)

    def _link(self, redemption: int, number: int) -> None:
        sale = self.sales[number]
        sale["profile"] = self.redemptions[redemption]["profile"]
        sale["paid"].append(redemption)
        self.redemptions[redemption]["sale"] = number

    # ── Who and which ────────────────────────────────────────────────────────────────────────────

    def paid(self, number: int) -> int:
        """What all redemptions of a sale took."""
        return sum(self.redemptions[n]["total"] for n in self.sales[number]["paid"])

    def weights(self, number: int) -> list[Fraction]:
        """What the lines of a sale weigh."""
        return list(self.sales[number]["weights"])

    def _check_free(self, number: int, external_id: str | None) -> None:
        if number in self.final:
            raise Refused("linked_redemption_not_found")
        known = self.redemptions[number]
        if known["sale"] is not None:
            raise Refused("redemption_already_linked", transaction_id=known["sale"])
        if known["announced"] not in (None, external_id):
            raise Refused("redemption_announced_elsewhere")
        if self.is_held(number):
            raise Refused("redemption_held")
        if not self.out(number):
            raise Refused("redemption_given_back")

    def _owner(self, number: int) -> str:
        if number in self.final:
            return self.final[number]
        if number not in self.redemptions:
            raise Refused("linked_redemption_not_found")
        profile: str = self.redemptions[number]["profile"]
        return profile

    def _account_of(self, number: int) -> HoldingModel:
        if number in self.final:
            return self.accounts[self.final[number]]
        if number not in self.redemptions:
            raise Refused("redemption_not_found")
        return self.accounts[self.redemptions[number]["profile"]]

    def _sale_of(self, number: int) -> int | None:
        known = self.redemptions.get(number)
        return None if known is None else known["sale"]

    def sale_named(self, external_id: str | None) -> int | None:
        """The sale of this name."""
        named = (n for n, sale in self.sales.items() if sale["external_id"] == external_id)
        return None if external_id is None else next(named, None)

    def _announcing(self, external_id: str | None) -> Iterable[int]:
        if external_id is None:
            return []
        return [
            number
            for number, known in self.redemptions.items()
            if known["announced"] == external_id and (self.out(number) or self.is_held(number))
        ]

    def _announcer(self, external_id: str | None) -> str | None:
        owners = {self.redemptions[n]["profile"] for n in self._announcing(external_id)}
        assert len(owners) <= 1, "two profiles wait for one sale"
        return owners.pop() if owners else None
