"""The service desk: goodwill, and what is put right by hand. It works after the shops have closed,
so nothing it does comes between a redemption and its sale.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from app.demo.programme.definitions import GOODWILL, ZONE, money
from app.demo.programme.members import CLOCKS, Member, moment
from app.demo.programme.purse import Lot
from app.demo.programme.story import DESK, Given, Story
from app.demo.programme.words import WHY_ADJUSTED, WHY_GOODWILL, WHY_LEFT, WHY_REVOKED
from schemas.profiles import MergeProfiles
from schemas.registrations import DeleteProfile
from schemas.rewards import AdjustReward, ExtendRewards, ReassignReward, RevokeReward
from schemas.times import days_later

AFTER_HOURS = 22 * 60


@dataclass(frozen=True)
class Desk:
    """Who sits there."""

    story: Story

    def console(self, member: Member, at: datetime) -> None:
        """Say sorry with a reward; some of them are put right again."""
        if not member.open:
            return
        value = member.dice.choice((500, 1000, 1500, 1500, 2000, 3000))
        given = Given(DESK, value, note=member.dice.choice(WHY_GOODWILL))
        lot = self.story.issue(at, member, GOODWILL, given)
        what = member.dice.random()
        if what < 0.1:
            self._later(at, 0, member, lambda then: self._revoke(lot, then))
        elif what < 0.25:
            self._later(at, 1, member, lambda then: self._adjust(lot, value, then))
        elif what < 0.45:
            days = member.dice.randint(2, 20)
            self._later(at, days, member, lambda then: self._give_on(lot, then))

    def consider_extending(self, lot: Lot) -> None:
        """Some ask for a little longer, before it ends or just after."""
        what = lot.owner.dice.random()
        if what < 0.12:
            self._later(lot.expires_at, -2, lot.owner, lambda then: self._extend(lot, then))
        elif what < 0.2:
            self._later(lot.expires_at, 3, lot.owner, lambda then: self._extend(lot, then))

    def merge(self, twin: Member, into: Member, at: datetime) -> None:
        """They turn out to be one person."""
        if not (twin.open and into.open) or twin.holds or into.holds:
            return
        fields = {"winner": into.id, "loser": twin.id}
        self.story.write(at, DESK, MergeProfiles, fields, into.id, twin.id)
        twin.became = into
        for lot in twin.purse.lots:
            lot.owner = into
        into.purse.lots += twin.purse.lots
        twin.purse = into.purse

    def let_go(self, member: Member, at: datetime) -> None:
        """They leave: the profile is closed."""
        if not member.open or member.holds:
            return
        fields = {"profile_id": member.id, "reason": member.dice.choice(WHY_LEFT)}
        self.story.write(at, DESK, DeleteProfile, fields, member.id)
        member.gone = True

    def _later(self, at: datetime, days: int, member: Member, act: Any) -> None:
        """After hours, so many days from then."""
        day = (at.astimezone(CLOCKS) + timedelta(days=days)).date()
        when = moment(day, AFTER_HOURS + member.dice.randint(0, 90), member.dice.randint(0, 59))
        if when > at or days < 0:
            self.story.later(when, act)

    def _revoke(self, lot: Lot, at: datetime) -> None:
        if not self._untouched(lot, at):
            return
        why = lot.owner.dice.choice(WHY_REVOKED)
        self._change(lot, RevokeReward, at, {"reward_id": lot.made, "reason": why})
        lot.owner.purse.lots.remove(lot)

    def _adjust(self, lot: Lot, value: int, at: datetime) -> None:
        if not self._untouched(lot, at) or lot.value != value:
            return
        lot.value = value - 250 if lot.owner.chance(0.5) else value + 500
        fields: dict[str, Any] = {
            "reward_id": lot.made,
            "value_remaining": money(lot.value),
            "reason": lot.owner.dice.choice(WHY_ADJUSTED),
        }
        if lot.value > value:
            fields["value_initial"] = money(lot.value)
        self._change(lot, AdjustReward, at, fields)

    def _give_on(self, lot: Lot, at: datetime) -> None:
        """To a friend: whoever comes before them in the list and still takes part."""
        giver = lot.owner
        taker = self.story.members[giver.number - 2]
        if not (self._untouched(lot, at) and taker.open) or taker is giver:
            return
        fields = {"reward_id": lot.made, "profile_id": taker.id}
        self.story.write(at, DESK, ReassignReward, fields, giver.id, taker.id)
        giver.purse.lots.remove(lot)
        taker.purse.lots.append(lot)
        lot.owner = taker

    def _extend(self, lot: Lot, at: datetime) -> None:
        if not lot.value or not lot.owner.open:
            return
        fields = {"profile_id": lot.owner.id, "ids": (lot.made,)}
        self._change(lot, ExtendRewards, at, fields)
        lot.expires_at = days_later(lot.expires_at, ZONE, lot.kind.extend_days)
        lot.swept = False
        self.story.watch(lot)

    def _change(self, lot: Lot, command: Any, at: datetime, fields: dict[str, Any]) -> None:
        self.story.write(at, DESK, command, fields, lot.owner.id)

    def _untouched(self, lot: Lot, at: datetime) -> bool:
        """It lives, there is something left of it, and no order has set any of it aside."""
        owner = lot.owner
        return bool(owner.open and not owner.holds and lot.value and not lot.expired(at))
