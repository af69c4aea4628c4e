"""What comes back: sales that did not happen, goods that are returned, redemptions undone."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from app.demo.programme.baskets import Sale, recorded
from app.demo.programme.definitions import money
from app.demo.programme.members import Member
from app.demo.programme.purse import Redemption
from app.demo.programme.steps import Made
from app.demo.programme.story import DESK, TILL, Story
from app.demo.programme.words import WEBSHOP
from schemas.redemptions import ReturnRedemption, ReverseRedemption
from schemas.transactions import RecordTransaction, VoidTransaction

REVERSAL_WINDOW: Final = timedelta(minutes=10)
DAY: Final = 86_400


@dataclass(frozen=True)
class WaysBack:
    """Each is done once to a sale, at most."""

    story: Story

    def after(self, sale: Sale, at: datetime) -> None:
        """What may become of a sale later."""
        buyer, story = sale.buyer, self.story
        if sale.place != WEBSHOP and buyer.chance(0.02):
            soon = buyer.seconds(60, 240) if buyer.chance(0.6) else timedelta(hours=20)
            story.later(at + soon, lambda when: self.void(sale, when))
        elif buyer.chance(0.09):
            some_days = buyer.seconds(DAY, 25 * DAY)
            story.later(at + some_days, lambda when: self.bring_back(sale, when))
        elif sale.redemption is not None and buyer.chance(0.05):
            some_days = buyer.seconds(DAY, 9 * DAY)
            story.later(at + some_days, lambda when: self.give_back_a_part(sale, when))

    def void(self, sale: Sale, at: datetime) -> None:
        """It did not happen: what paid comes back, soon as it was, later in new rewards."""
        buyer, redemption = sale.buyer.now, sale.redemption
        if sale.undone or buyer.gone:
            return
        sale.undone = True
        fields = {"transaction_id": Made(sale.key, "transaction")}
        self.story.write(at, TILL, VoidTransaction, fields, buyer.id)
        if redemption is None:
            return
        if at - redemption.at <= REVERSAL_WINDOW:
            redemption.undo()
        else:
            self.story.reissue(buyer, redemption.back(redemption.total), at)

    def bring_back(self, sale: Sale, at: datetime) -> None:
        """All of the goods or a line of them come back, and what rewards had paid for them."""
        buyer = sale.buyer.now
        if sale.undone or buyer.gone:
            return
        sale.undone = True
        lines = list(enumerate(sale.lines))
        if buyer.chance(0.6):
            lines = [buyer.dice.choice(lines)]
        goods = [(good, -quantity) for _, (good, quantity) in lines]
        back = Sale(buyer, sale.place, goods, self.story.external_name())
        fields = recorded(back, at) | {
            "linked_receipt_ref": sale.external_id,
            "return_redemption": True,
        }
        self.story.write(at, sale.client, RecordTransaction, fields, buyer.id)
        redemption = sale.redemption
        if redemption is not None:
            amount = sum(sale.paid[line] for line, _ in lines)
            self.story.reissue(buyer, redemption.back(amount), at)

    def give_back_a_part(self, sale: Sale, at: datetime) -> None:
        """The desk gives back half of what was redeemed; the goods stay."""
        buyer, redemption = sale.buyer.now, sale.redemption
        assert redemption is not None
        if sale.undone or buyer.gone:
            return
        sale.undone = True
        self._give_back(buyer, redemption, max(1, redemption.total // 2), at)

    def think_better(self, buyer: Member, redemption: Redemption, at: datetime) -> None:
        """Redeemed, and then nothing was bought: undone at once, or asked for too late."""
        story = self.story
        if buyer.chance(0.6):
            when = at + buyer.seconds(60, 300)
            story.later(when, lambda then: self._reverse(buyer, redemption, then))
            return
        late = at + REVERSAL_WINDOW + buyer.seconds(300, 900)
        fields = {"redemption_id": redemption.made}
        story.later(
            late,
            lambda then: story.write(
                then, TILL, ReverseRedemption, fields, buyer.id, refused="reversal_window_closed"
            ),
        )
        story.later(
            late + buyer.seconds(60, 600),
            lambda then: self._give_back(buyer, redemption, redemption.total, then),
        )

    def _reverse(self, buyer: Member, redemption: Redemption, at: datetime) -> None:
        fields = {"redemption_id": redemption.made}
        self.story.write(at, TILL, ReverseRedemption, fields, buyer.id)
        redemption.undo()

    def _give_back(self, buyer: Member, redemption: Redemption, amount: int, at: datetime) -> None:
        fields: dict[str, Any] = {
            "redemption_id": redemption.made,
            "amount": money(amount),
            "policy": "reissue",
        }
        self.story.write(at, DESK, ReturnRedemption, fields, buyer.id)
        self.story.reissue(buyer, redemption.back(amount), at)
