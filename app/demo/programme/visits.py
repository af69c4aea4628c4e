"""A visit to a shop or to the web shop: what is bought, and what pays."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from app.demo.programme.baskets import Sale, asking, basket, recorded
from app.demo.programme.definitions import money
from app.demo.programme.members import Member
from app.demo.programme.purse import Redemption, first
from app.demo.programme.steps import Made
from app.demo.programme.story import TILL, WEB, Story
from app.demo.programme.ways_back import WaysBack
from app.demo.programme.words import WEBSHOP
from schemas.holds import CaptureRedemption, ReleaseRedemption
from schemas.redemptions import MakeRedemption
from schemas.transactions import RecordTransaction

HELD: Final = timedelta(minutes=30)
TOO_MUCH: Final = 100_000
"""Nobody has had so much, ever."""


@dataclass(frozen=True)
class Visits:
    """Sells, and tells `sold` of each sale for what it earns."""

    story: Story
    ways_back: WaysBack
    sold: Callable[[Sale, datetime], None]

    def shop(self, buyer: Member, at: datetime) -> None:
        """To the shop the buyer always goes to."""
        sale = basket(self.story, buyer, buyer.place)
        if buyer.purse.available(at, sale.total) and buyer.chance(0.6):
            if buyer.chance(0.03):
                fields = asking(sale, TOO_MUCH)
                self.story.write(
                    at, TILL, MakeRedemption, fields, buyer.id, refused="insufficient_balance"
                )
                at += buyer.seconds(15, 40)
            self.story.later(at, lambda when: self._pay_with_rewards(sale, when))
        else:
            self._ring_up(sale, at)

    def order(self, buyer: Member, at: datetime) -> None:
        """In the web shop: rewards are set aside before the card is charged."""
        sale = basket(self.story, buyer, WEBSHOP)
        available = buyer.purse.available(at, sale.total)
        if not available or not buyer.chance(0.5):
            self._ring_up(sale, at)
            return
        held = self._redeem(sale, min(available, sale.total), at, hold="PT30M")
        if buyer.chance(0.1):
            self.story.later(at + HELD, lambda when: self._lapse(sale, held, when))
            return
        end = self._release if buyer.chance(0.1) else self._capture
        self.story.later(at + buyer.seconds(40, 600), lambda when: end(sale, held, when))

    def leave_in_the_basket(self, buyer: Member, at: datetime) -> None:
        """An order that is not paid for yet when the story ends."""
        sale = basket(self.story, buyer, WEBSHOP)
        available = buyer.purse.available(at, sale.total)
        if available:
            self._redeem(sale, min(available, sale.total), at, hold="PT48H")

    def _pay_with_rewards(self, sale: Sale, at: datetime) -> None:
        buyer = sale.buyer
        amount = min(buyer.purse.available(at, sale.total), sale.total)
        if amount > 500 and buyer.chance(0.2):
            amount = amount // 2 // 100 * 100
        if buyer.chance(0.1):
            self._announce(sale, amount, at)
            return
        redemption = self._redeem(sale, amount, at)
        if buyer.chance(0.06):
            self.ways_back.think_better(buyer, redemption, at)
            return
        self.story.later(
            at + buyer.seconds(30, 90), lambda when: self._ring_up(sale, when, redemption)
        )

    def _announce(self, sale: Sale, amount: int, at: datetime) -> None:
        """The till says for which sale it is, and the two find each other."""
        redemption = self._redeem(sale, amount, at, transaction_external_id=sale.external_id)
        self.story.later(
            at + sale.buyer.seconds(30, 90),
            lambda when: self._ring_up(sale, when, redemption, announced=True),
        )

    def _redeem(self, sale: Sale, amount: int, at: datetime, **more: Any) -> Redemption:
        """Take an amount that is there, or set it aside."""
        buyer, fields = sale.buyer, asking(sale, amount) | more
        key = self.story.write(at, sale.client, MakeRedemption, fields, buyer.id)
        buyer.holds += "hold" in more
        parcels = buyer.purse.take(amount, at, sale.total)
        return Redemption(Made(key, "redemption"), at, parcels)

    def _ring_up(
        self,
        sale: Sale,
        at: datetime,
        redemption: Redemption | None = None,
        *,
        announced: bool = False,
    ) -> None:
        """Record the sale, with what paid for it."""
        buyer, fields = sale.buyer, recorded(sale, at)
        after: tuple[str, ...] = ()
        if redemption is not None:
            sale.pay(redemption)
            if announced:
                after = (redemption.made.key,)
            else:
                fields["redemption_id"] = redemption.made
        sale.key = self.story.write(
            at, sale.client, RecordTransaction, fields, buyer.id, after=after
        )
        buyer.seen = at
        self.ways_back.after(sale, at)
        self.sold(sale, at)

    def _capture(self, sale: Sale, held: Redemption, at: datetime) -> None:
        """The card was charged: all of what is held pays, or a part where an item was sold out."""
        buyer = sale.buyer
        fields: dict[str, Any] = {"redemption_id": held.made}
        if held.total > 500 and buyer.chance(0.15):
            part = held.total // 2
            fields["amount"] = money(part)
            kept = first(held.parcels, part)
            held.undo()
            for lot, amount in kept:
                lot.value -= amount
            held.parcels = kept
        self._end(sale, CaptureRedemption, fields, at)
        held.at = at
        self.story.later(at + buyer.seconds(2, 20), lambda then: self._ring_up(sale, then, held))

    def _release(self, sale: Sale, held: Redemption, at: datetime) -> None:
        """The card was refused."""
        self._end(sale, ReleaseRedemption, {"redemption_id": held.made}, at)
        held.undo()

    def _lapse(self, sale: Sale, held: Redemption, at: datetime) -> None:
        """Nobody came back to the basket."""
        sale.buyer.holds -= 1
        self.story.due(sale.buyer, at)
        held.undo()

    def _end(self, sale: Sale, command: Any, fields: dict[str, Any], at: datetime) -> None:
        self.story.write(at, WEB, command, fields, sale.buyer.id)
        sale.buyer.holds -= 1
