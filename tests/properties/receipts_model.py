"""Receipts, told a second time from the rules: sales that change, goods that come back, and claims.

Quantities are fractions, amounts whole cents, moments milliseconds. Nothing here is the ledger's.
"""

from collections.abc import Callable
from copy import deepcopy
from fractions import Fraction
from typing import Any

from properties.fair_shares import by_hand
from properties.model import Refused
from properties.sales_model import PROFILES, SalesModel

Portions = list[list[int]]
"""The new rewards of each return of value that follows, in order."""

TOLD_OF_A_SALE = ("receipt", "linked", "give", "location", "at", "version")


class ReceiptsModel(SalesModel):
    """What a ledger must answer and hold that keeps receipts."""

    def __init__(self, window_ms: int, grace_days: int, policy: str) -> None:
        super().__init__(window_ms, grace_days, policy)
        self.filed: dict[str, list[int]] = {}
        self.waiting: dict[str, list[int]] = {}
        self.claims: dict[int, dict[str, Any]] = {}
        self.portions: Portions = []

    def whole_or_not_at_all(self, change: Callable[[], Any]) -> Any:
        """What is refused has changed nothing."""
        before = deepcopy(self.__dict__)
        try:
            return change()
        except Refused:
            self.__dict__.update(before)
            raise

    # ── Recording ────────────────────────────────────────────────────────────────────────────────

    def record(
        self, number: int, told: dict[str, Any], fresh: dict[int, list[int]]
    ) -> tuple[str | None, list[int]]:
        """The sale is there, and found by its receipt."""
        found = super().record(number, told, fresh)
        sale = self.sales[number]
        sale |= {name: told.get(name) for name in TOLD_OF_A_SALE}
        sale["at"] = told.get("at", self.accounts[PROFILES[0]].now)
        sale |= {"lines": told["lines"], "of": None}
        sale["skus"] = told.get("skus", [None] * len(told["lines"]))
        sale |= {"back": {}, "gave": {}}
        self._settle(number, claims=True)
        return found

    def returns_goods(self, number: int) -> bool:
        """Whether it names a sale, and goods came back on a line of it."""
        sale = self.sales[number]
        return bool(sale["linked"]) and any(Fraction(many) < 0 for _, many in sale["lines"])

    def _sells(self, number: int) -> bool:
        lines = self.sales[number]["lines"]
        return not lines or any(Fraction(many) >= 0 for _, many in lines)

    # ── Changing ─────────────────────────────────────────────────────────────────────────────────

    def found(self, told: dict[str, Any]) -> int | None:
        """Which sale an upsert means; None is a new one."""
        named, by_id = self.sale_named(told.get("external_id")), told.get("id")
        if by_id is None:
            return named
        if named is None and told.get("external_id") is not None:
            return by_id if by_id in self.sales else None
        if by_id not in self.sales:
            raise Refused("transaction_not_found")
        if named not in (None, by_id):
            raise Refused("transaction_id_mismatch")
        return int(by_id)

    def change(self, number: int, told: dict[str, Any], fresh: dict[int, list[int]]) -> bool:
        """Whether anything of the sale is new."""
        sale = self.sales[number]
        old, new = sale["version"], told.get("version")
        if None not in (old, new) and new < old:
            return False
        profile = self._owner_of_change(number, told)
        news = self._news(number, told)
        joins = sale["profile"] is None and profile is not None
        redemption = told.get("redemption")
        another = redemption is not None and redemption not in sale["paid"]
        if sale["void"]:
            if news or joins or another or told.get("void") == "no":
                raise Refused("transaction_void")
            return False
        self._check_lines(number, news)
        was_return = sale["linked"] if self.returns_goods(number) else None
        was_filed = sale["receipt"] if self._sells(number) else None
        was_told = was_filed, sale["total"], sale["location"]
        sale |= news
        if "lines" in news:
            sale["weights"] = [
                max(Fraction(0), Fraction(p) * Fraction(q)) for p, q in sale["lines"]
            ]
        if joins:
            self._own(number, str(profile))
        self._pay(number, redemption if another else None)
        voids = told.get("void") in ("give back", "keep")
        if voids:
            self._void(number, keep=told["void"] == "keep", fresh=fresh)
        changed = bool(news or joins or another or voids)
        if changed:
            self._leave(number, was_return, was_filed)
            is_filed = sale["receipt"] if self._sells(number) else None
            looks = was_told != (is_filed, sale["total"], sale["location"])
            self._settle(number, claims=looks)
        return changed

    def unattach(self, number: int, profile: str) -> None:
        """Nobody's again."""
        owner = self.sales[number]["profile"] if number in self.sales else None
        if owner is None or self.now_of(owner) != self.now_of(profile):
            raise Refused("transaction_not_found")
        if self.sales[number]["void"]:
            raise Refused("transaction_void")
        if self.sales[number]["paid"]:
            raise Refused("transaction_has_redemptions")
        self.sales[number]["profile"] = None

    def _owner_of_change(self, number: int, told: dict[str, Any]) -> str | None:
        sale = self.sales[number]
        profile = None if told.get("profile") is None else self.now_of(told["profile"])
        mine = None if sale["profile"] is None else self.now_of(sale["profile"])
        if mine is not None and profile not in (None, mine):
            raise Refused("transaction_profile_mismatch")
        owners = {profile, mine} - {None}
        if told.get("redemption") is not None:
            owners.add(self._owner(told["redemption"]))
        name, total = told.get("external_id"), told.get("total", sale["total"])
        if name is not None and sale["external_id"] is None and total >= 0:
            owners |= {self._announcer(name)} - {None}
        if len(owners) > 1:
            raise Refused("redemption_profile_mismatch")
        return owners.pop() if owners else None

    def _news(self, number: int, told: dict[str, Any]) -> dict[str, Any]:
        sale = self.sales[number]
        news = {
            name: told[name]
            for name in ("lines", "skus", "receipt", "linked", "location", "total", "at", "give")
            if name in told and told[name] != sale[name]
        }
        for name in ("version", "external_id"):
            if told.get(name) not in (None, sale[name]):
                news[name] = told[name]
        if "external_id" in news and sale["external_id"] is not None:
            raise Refused("transaction_id_mismatch")
        pays = sale["paid"] or told.get("redemption") is not None
        if news.get("total", 0) < 0 and pays:
            raise Refused("invalid_transaction")
        return news

    def _check_lines(self, number: int, news: dict[str, Any]) -> None:
        sale = self.sales[number]
        other_lines = bool(news.keys() & {"lines", "skus"})
        if sale["of"] is not None and (other_lines or "linked" in news):
            raise Refused("transaction_has_returns")
        if sale["back"] and other_lines:
            raise Refused("transaction_has_returns")

    def _pay(self, number: int, redemption: int | None) -> None:
        sale = self.sales[number]
        if redemption is not None:
            if sale["paid"]:
                raise Refused("transaction_redemption_mismatch")
            self._check_free(redemption, sale["external_id"])
            if sale["total"] < 0:
                raise Refused("invalid_transaction")
            self._link(redemption, number)
        if sale["total"] >= 0:
            for waits in list(self._announcing(sale["external_id"])):
                if self.redemptions[waits]["sale"] is None and self.out(waits):
                    self._link(waits, number)

    # ── Whose it is ──────────────────────────────────────────────────────────────────────────────

    def _own(self, number: int, profile: str) -> None:
        self.sales[number]["profile"] = profile
        self.accounts[profile].known = True
        self._take_returns_along(number)

    def _link(self, redemption: int, number: int) -> None:
        was_nobodys = self.sales[number]["profile"] is None
        super()._link(redemption, number)
        if was_nobodys and "back" in self.sales[number]:
            self._take_returns_along(number)

    def _take_returns_along(self, number: int) -> None:
        for returned in self.sales[number]["back"]:
            if self.sales[returned]["profile"] is None:
                self.sales[returned]["profile"] = self.sales[number]["profile"]

    # ── Goods that come back ─────────────────────────────────────────────────────────────────────

    def _settle(self, number: int, *, claims: bool) -> None:
        sale = self.sales[number]
        if sale["void"]:
            return
        if self.returns_goods(number) and sale["of"] is None:
            self._seek(number)
        if not sale["receipt"] or not self._sells(number):
            return
        filed = self.filed.setdefault(sale["receipt"], [])
        if number not in filed:
            filed.append(number)
        for returned in list(self.waiting.get(sale["receipt"], ())):
            if self._fits(number, returned):
                self._match(number, returned, late=True)
                self.waiting[sale["receipt"]].remove(returned)
        if claims:
            self._settle_claims(number)

    def _leave(self, number: int, was_return: str | None, was_filed: str | None) -> None:
        """What it was known by before it changed, where it is no longer."""
        sale = self.sales[number]
        if sale["void"]:
            return
        still = sale["linked"] if self.returns_goods(number) else None
        if was_return and was_return != still and number in self.waiting.get(was_return, ()):
            self.waiting[was_return].remove(number)
        now = sale["receipt"] if self._sells(number) else None
        if was_filed and was_filed != now:
            self.filed[was_filed].remove(number)

    def _seek(self, number: int) -> None:
        receipt = self.sales[number]["linked"]
        best: int | None = None
        for sale in self.filed.get(receipt, []):
            if self._fits(sale, number) and (best is None or self._nearer(sale, best, number)):
                best = sale
        if best is None:
            waiting = self.waiting.setdefault(receipt, [])
            if number not in waiting:
                waiting.append(number)
            return
        self._match(best, number, late=False)
        if number in self.waiting.get(receipt, ()):
            self.waiting[receipt].remove(number)

    def _fits(self, number: int, returned: int) -> bool:
        sale, back = self.sales[number], self.sales[returned]
        if sale["void"] or number == returned or sale["at"] > back["at"]:
            return False
        if sale["location"] is None or back["location"] is None:
            return True
        if sale["location"] == back["location"]:
            return True
        owners = [each["profile"] for each in (sale, back) if each["profile"] is not None]
        return len(owners) == 2 and self.now_of(owners[0]) == self.now_of(owners[1])

    def _nearer(self, number: int, other: int, returned: int) -> bool:
        here = self.sales[returned]["location"]
        mine, theirs = self.sales[number], self.sales[other]
        if (mine["location"] == here) != (theirs["location"] == here):
            return bool(mine["location"] == here)
        return (mine["at"], number) > (theirs["at"], other)

    def _match(self, number: int, returned: int, *, late: bool) -> None:
        sale, back = self.sales[number], self.sales[returned]
        taken: list[tuple[int, Fraction]] = []
        left = [
            Fraction(many) - self.came_back(number, n) for n, (_, many) in enumerate(sale["lines"])
        ]
        for (_, many), sku in zip(back["lines"], back["skus"], strict=True):
            wanted = -Fraction(many)
            for line, name in enumerate(sale["skus"]):
                part = min(wanted, left[line]) if sku == name and sku is not None else Fraction(0)
                if part > 0:
                    taken.append((line, part))
                    left[line] -= part
                    wanted -= part
            if wanted > 0 and not late:
                raise Refused("return_exceeds_sale", transaction_id=number)
        shares = by_hand(self.paid(number), sale["weights"])[0]
        out = sum(self.out(r) for r in sale["paid"]) if back["give"] and sale["profile"] else 0
        total = 0
        done = {line: self.came_back(number, line) for line, _ in taken}
        for line, part in taken:
            sold = Fraction(sale["lines"][line][1])
            done[line] += part
            due = int(shares[line] * done[line] / sold) - sale["gave"].get(line, 0)
            amount = min(out, max(0, due))
            sale["gave"][line] = sale["gave"].get(line, 0) + amount
            out -= amount
            total += amount
        sale["back"][returned] = taken
        back["of"] = number
        if back["profile"] is None and sale["profile"] is not None:
            back["profile"] = self.now_of(sale["profile"])
        self._give_back_of(number, total)

    def came_back(self, number: int, line: int) -> Fraction:
        """How much of a line came back, in the returns that stand."""
        back = self.sales[number]["back"].values()
        return sum((part for parts in back for of, part in parts if of == line), Fraction(0))

    def _give_back_of(self, number: int, cents: int) -> None:
        for redemption in reversed(self.sales[number]["paid"]):
            part = min(cents, self.out(redemption))
            if part:
                fresh = self.portions.pop(0) if self.portions else []
                self._account_of(redemption).give_back(redemption, part, self.policy, fresh)
                cents -= part

    def _void(self, number: int, *, keep: bool, fresh: dict[int, list[int]]) -> None:
        super()._void(number, keep=keep, fresh=fresh)
        sale = self.sales[number]
        if sale.get("of") is not None:
            self.sales[sale["of"]]["back"].pop(number)
        for waiting in self.waiting.values():
            if number in waiting:
                waiting.remove(number)

    def merge(self, winner: str, loser: str) -> None:
        """The claims of one are the other's."""
        super().merge(winner, loser)
        for claim in self.claims.values():
            claim["profile"] = self.now_of(claim["profile"])

    # ── Claims ───────────────────────────────────────────────────────────────────────────────────

    def claim(self, number: int, told: dict[str, Any]) -> bool:
        """Whether there is a claim now that was not there before."""
        told = told | {"profile": self.now_of(told["profile"])}
        if not self.accounts[told["profile"]].known:
            raise Refused("profile_not_found")
        standing = (c for c in self.claims.values() if c["status"] == "open")
        if any(all(c[name] == told[name] for name in told) for c in standing):
            return False
        fitting = [s for s in self.filed.get(told["receipt"], []) if self._is_claimed(s, told)]
        free = [s for s in fitting if self.sales[s]["profile"] is None]
        if fitting and not free:
            raise Refused("receipt_claimed")
        self.claims[number] = told | {"status": "open", "sale": None, "looks": 1}
        if free:
            latest = free[0]
            for sale in free:
                if (self.sales[sale]["at"], sale) > (self.sales[latest]["at"], latest):
                    latest = sale
            self._own(latest, told["profile"])
            self.claims[number] |= {"status": "claimed", "sale": latest}
        return True

    def _is_claimed(self, number: int, told: dict[str, Any]) -> bool:
        sale = self.sales[number]
        here = told["location"]
        return bool(
            not sale["void"]
            and sale["total"] == told["total"]
            and (here is None or here == sale["location"])
        )

    def _settle_claims(self, number: int) -> None:
        for claim in self.claims.values():
            if claim["status"] != "open" or claim["receipt"] != self.sales[number]["receipt"]:
                continue
            claim["looks"] += 1
            if not self._is_claimed(number, claim):
                continue
            owner = self.sales[number]["profile"]
            owner = None if owner is None else self.now_of(owner)
            if owner is None:
                self._own(number, claim["profile"])
            if owner in (None, claim["profile"]):
                claim |= {"status": "claimed", "sale": number}
            else:
                claim["status"] = "rejected"
