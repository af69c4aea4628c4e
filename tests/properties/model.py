"""A second account, written from the rules alone: dicts and whole numbers, nothing of the ledger's.

Moments are milliseconds since 1970, terms are whole seconds. Unlike the ledger it records what
time does the moment it is asked, so there is never a fact still due.
"""

from copy import deepcopy
from decimal import Decimal
from typing import Any

from properties.moments import amount_of

DAY = 86_400
BOOKS = ("pending", "available", "held", "redeemed", "expired", "revoked", "transferred")


class Refused(Exception):
    """The model says no, with the code the ledger must answer with."""

    def __init__(self, code: str, **facts: int | str | Decimal) -> None:
        super().__init__(code)
        self.code = code
        self.facts = facts


def day_end(second: int, days: int, offset: int) -> int:
    """23:59:59 so many days after a second, where clocks are `offset` seconds ahead of UTC."""
    local_day = (second + offset) // DAY + days
    return local_day * DAY + DAY - 1 - offset


class Model:
    """What one account must answer and hold."""

    def __init__(self, window_ms: int, grace_days: int) -> None:
        self.window_ms = window_ms
        self.grace_days = grace_days
        self.now = 0
        self.known = False
        self.lots: dict[int, dict[str, Any]] = {}
        self.redemptions: dict[int, dict[str, Any]] = {}
        self.final: set[int] = set()

    def time(self, now: int) -> None:
        """Time alone: what starts, starts; what is over, is over."""
        self.now = now
        for lot in self.lots.values():
            if lot["issued"] * 1000 <= now:
                lot["available"] += lot["pending"]
                lot["pending"] = 0
            if self._over(lot):
                lot["expired"] += lot["available"]
                lot["available"] = 0

    def balance(self) -> int:
        """What can be spent now."""
        return sum(lot["available"] for lot in self.lots.values())

    def issue(self, number: int, remaining: int, terms: dict[str, Any]) -> None:
        """A reward, with an expiry of its own, or by its period, or never."""
        expires = terms["expires"]
        if expires == "period":
            expires = day_end(terms["issued"], terms["days"], terms["offset"])
        if expires is not None and expires < terms["issued"]:
            raise Refused("invalid_reward_terms")
        self.known = True
        self._add(number, remaining, terms | {"expires": expires, "graced": False})

    def redeem(self, amount: int, *, strict: bool) -> list[tuple[int, int]]:
        """Which lots pay how much: always the one that would be lost first."""
        if not self.known:
            raise Refused("profile_not_found")
        there = self.balance()
        if there == 0 or (strict and there < amount):
            raise Refused("insufficient_balance", available=amount_of(there))
        paid = []
        while amount and self.balance():
            number = self._next_to_go()
            lot = self.lots[number]
            part = min(amount, lot["available"])
            lot["available"] -= part
            lot["redeemed"] += part
            amount -= part
            paid.append((number, part))
        return paid

    def redeemed(self, number: int, paid: list[tuple[int, int]]) -> None:
        """The redemption is known by this number from now on."""
        self.redemptions[number] = {
            "out": [list(part) for part in paid],
            "until": self.now + self.window_ms,
            "undone": False,
            "touched": False,
        }

    def check_reverse(self, number: int, *, linked: bool = False) -> None:
        """Only what is whole, pays for no sale, and is inside the window."""
        redemption = self._open(number)
        if redemption["touched"]:
            raise Refused("redemption_partly_returned")
        if linked:
            raise Refused("redemption_linked")
        if self.now > redemption["until"]:
            raise Refused("reversal_window_closed")

    def reverse(self, number: int, fresh: list[int]) -> tuple[list[tuple[int, int, str]], int]:
        """Everything back where it came from, in the order it was taken."""
        redemption = self.redemptions[number]
        redemption["undone"] = True
        parts = [(lot, amount) for lot, amount in redemption["out"]]
        redemption["out"] = []
        return self._bring_back(parts, "restore", fresh)

    def check_return(self, number: int, amount: int | None) -> None:
        """Not more than what is still out."""
        redemption = self._open(number)
        out = sum(part for _, part in redemption["out"])
        if out == 0 or (amount or 0) > out:
            raise Refused("return_exceeds_redemption", returnable=amount_of(out))

    def give_back(
        self, number: int, amount: int | None, policy: str, fresh: list[int]
    ) -> tuple[list[tuple[int, int, str]], int]:
        """The last lot taken is the first to get something back."""
        redemption = self.redemptions[number]
        redemption["touched"] = True
        out = redemption["out"]
        left = sum(part for _, part in out) if amount is None else amount
        parts = []
        while left:
            part = min(left, out[-1][1])
            parts.append((out[-1][0], part))
            out[-1][1] -= part
            if out[-1][1] == 0:
                out.pop()
            left -= part
        return self._bring_back(parts, policy, fresh)

    def revoke(self, number: int) -> int:
        """What is left of a reward is gone; says how much that was."""
        lot = self.lots.get(number)
        if lot is None or lot["withdrawn"] or lot["gone"]:
            raise Refused("reward_not_found")
        gone: int = lot["pending"] + lot["available"]
        lot["revoked"] += gone
        lot["pending"] = lot["available"] = 0
        lot["withdrawn"] = True
        return gone

    def send(self, number: int) -> tuple[dict[str, Any], int]:
        """What is left of a reward leaves for another account; its terms, and how much it was."""
        lot = self.lots[number]
        if self._over(lot):
            raise Refused("reward_expired")
        if lot["held"]:
            raise Refused("reward_held", held=amount_of(lot["held"]))
        left: int = lot["pending"] + lot["available"]
        if not left:
            raise Refused("reward_not_reassignable")
        sent = deepcopy(lot)
        lot["transferred"] += left
        lot["pending"] = lot["available"] = 0
        lot["gone"] = True
        return sent, left

    def receive(self, number: int, sent: dict[str, Any], left: int) -> None:
        """It is here now; what was spent of it here before it went on stays with it."""
        if number in self.lots:
            self.lots[number]["gone"] = False
            self.lots[number]["pending"] += left
            self.time(self.now)
        else:
            self._add(number, left, sent)

    def absorb(self, other: "Model") -> None:
        """Everything of another account, book by book; nothing is left there."""
        for number, lot in other.lots.items():
            mine = self.lots.setdefault(number, deepcopy(lot) | dict.fromkeys(BOOKS, 0))
            mine["gone"] = mine["gone"] and lot["gone"]
            for book in BOOKS:
                mine[book] += lot[book]
            whole = sum(lot[book] for book in BOOKS)
            lot.update(dict.fromkeys(BOOKS, 0) | {"transferred": whole})
        self.redemptions |= other.redemptions
        self.final |= other.final
        other.redemptions, other.final = {}, set()

    def books(self, number: int) -> dict[str, int]:
        """What stands where, without the empty books."""
        return {book: self.lots[number][book] for book in BOOKS if self.lots[number][book]}

    def _bring_back(
        self, parts: list[tuple[int, int]], policy: str, fresh: list[int]
    ) -> tuple[list[tuple[int, int, str]], int]:
        moves, forfeited = [], 0
        fresh = list(fresh)
        for number, amount in parts:
            lot = self.lots[number]
            lot["redeemed"] -= amount
            book = self._destination(lot, policy)
            lot[book] += amount
            moves.append((number, amount, book))
            if book == "revoked":
                forfeited += amount
            if book == "transferred":
                self._carry_on(fresh.pop(0), lot, amount, policy)
        assert not fresh, "the ledger made more rewards than there was reason for"
        return moves, forfeited

    def _destination(self, lot: dict[str, Any], policy: str) -> str:
        if lot["withdrawn"]:
            return "revoked"
        elsewhere = policy == "reissue" or self._over(lot) or lot["gone"]
        return "transferred" if elsewhere else "available"

    def _carry_on(self, number: int, lot: dict[str, Any], amount: int, policy: str) -> None:
        second = self.now // 1000
        if policy == "reissue":
            days = lot["days"]
            never = lot["expires"] is None
            expires = None if never else day_end(second, days, lot["offset"])
        elif lot["graced"] or not self.grace_days or not self._over(lot):
            expires = lot["expires"]
        else:
            expires = day_end(second, self.grace_days, lot["offset"])
        graced = (policy == "restore" and self._over(lot)) or lot["graced"]
        terms = {"issued": second, "expires": expires, "graced": graced}
        self._add(number, amount, lot | terms | {"worth": amount})

    def _add(self, number: int, amount: int, terms: dict[str, Any]) -> None:
        wanted = ("issued", "expires", "days", "offset", "graced")
        asked_for = ("may_live_longer", "days_longer", "of", "least", "most")
        lot = {name: terms[name] for name in wanted} | dict.fromkeys(BOOKS, 0)
        lot |= {name: terms.get(name) for name in asked_for}
        lot |= {"withdrawn": False, "gone": False, "total": amount, "pending": amount}
        lot |= {"longer": False, "worth": terms.get("worth", amount)}
        self.lots[number] = lot
        self.time(self.now)

    def _open(self, number: int) -> dict[str, Any]:
        if number in self.final:
            raise Refused("not_reversible")
        if number not in self.redemptions:
            raise Refused("redemption_not_found")
        if self.redemptions[number]["undone"]:
            raise Refused("already_reversed")
        return self.redemptions[number]

    def _over(self, lot: dict[str, Any]) -> bool:
        return lot["expires"] is not None and self.now >= (lot["expires"] + 1) * 1000

    def _next_to_go(self) -> int:
        best: int | None = None
        for number in sorted(self.lots):
            if self.lots[number]["available"] and (best is None or self._sooner(number, best)):
                best = number
        assert best is not None
        return best

    def _sooner(self, number: int, other: int) -> bool:
        mine, theirs = self.lots[number], self.lots[other]
        if mine["expires"] != theirs["expires"]:
            if mine["expires"] is None:
                return False
            return theirs["expires"] is None or bool(mine["expires"] < theirs["expires"])
        return bool(mine["issued"] < theirs["issued"])
