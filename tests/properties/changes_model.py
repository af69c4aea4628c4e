"""What the rules say of adjusting and extending, on the model's own books."""

from typing import Any

from properties.model import DAY, Model, Refused
from properties.moments import amount_of

KEEP = "keep"
"""An expiry that is left out of a change."""


class ChangingModel(Model):
    """The account of `Model`, whose rewards can be corrected and live longer."""

    def adjust(
        self, number: int, initial: int | None, remaining: int | None, expires: str | int | None
    ) -> tuple[int, bool]:
        """How much more is left of it than before, and whether anything is as it was not."""
        lot = self._alive(number)
        if self._over(lot):
            raise Refused("reward_expired")
        before = (lot["worth"], _left(lot), lot["expires"])
        wanted = (
            before[0] if initial is None else initial,
            before[1] if remaining is None else remaining,
            lot["expires"] if expires == KEEP else expires,
        )
        if wanted[1] > wanted[0]:
            raise Refused("invalid_reward_terms")
        if wanted[1] < lot["held"]:
            raise Refused("reward_held", held=amount_of(lot["held"]))
        if isinstance(wanted[2], int) and wanted[2] < lot["issued"]:
            raise Refused("invalid_reward_terms")
        more = wanted[1] - before[1]
        self._fill(lot, more)
        lot["worth"], lot["expires"] = wanted[0], wanted[2]
        self.time(self.now)
        return more, wanted != before

    def extend(self, numbers: list[int], days: int | None, until: int | None) -> list[int]:
        """When each ends from now on. One that may not live longer stops them all."""
        if not self.known:
            raise Refused("profile_not_found")
        ends = [self._new_end(number, days, until) for number in numbers]
        for number, end in zip(numbers, ends, strict=True):
            lot = self.lots[number]
            if self._over(lot):
                lot["available"], lot["expired"] = lot["available"] + lot["expired"], 0
            lot["expires"], lot["longer"] = end, True
        self.time(self.now)
        return ends

    def _alive(self, number: int) -> dict[str, Any]:
        if number not in self.lots:
            raise Refused("reward_not_found")
        if self.lots[number]["withdrawn"]:
            raise Refused("reward_revoked")
        return self.lots[number]

    def _fill(self, lot: dict[str, Any], more: int) -> None:
        started = lot["issued"] * 1000 <= self.now
        book = "available" if started else "pending"
        lot[book] += more
        lot["revoked"] += max(0, -more)
        lot["total"] += max(0, more)

    def _new_end(self, number: int, days: int | None, until: int | None) -> int:
        lot = self._alive(number)
        ends = lot["expires"]
        if ends is None or not lot["may_live_longer"]:
            raise Refused("reward_not_extendable")
        if lot["longer"]:
            raise Refused("already_extended")
        days = days or lot["days_longer"]
        if until is None and days is None:
            raise Refused("invalid_reward_terms")
        new: int = until if until is not None else ends + (days or 0) * DAY
        still_over = self._over(lot) and self.now >= (new + 1) * 1000
        if new <= ends or still_over:
            raise Refused("invalid_reward_terms")
        return new


def _left(lot: dict[str, Any]) -> int:
    """What is held is left too."""
    return int(lot["pending"] + lot["available"] + lot["held"])
