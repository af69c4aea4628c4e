"""What is bought, and how a sale of it is told to the ledger."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from app.demo.programme.definitions import ZONE, money
from app.demo.programme.members import Member, wall
from app.demo.programme.purse import Redemption
from app.demo.programme.story import TILL, WEB, Story
from app.demo.programme.words import GOODS, WEBSHOP, Good
from ledger.transactions.shares import shares

TENDERS: Final = ("cash", "card", "card", "card", "wallet")


@dataclass(eq=False, slots=True)
class Sale:
    """What is in the basket, what paid for it, and whether it still stands."""

    buyer: Member
    place: int
    lines: list[tuple[Good, int]]
    external_id: str
    key: str = ""
    redemption: Redemption | None = None
    paid: tuple[int, ...] = ()
    """What the redemption paid of each line."""
    undone: bool = False
    """Void, or something of it came back."""

    @property
    def total(self) -> int:
        """Before rewards."""
        return sum(good.price * quantity for good, quantity in self.lines)

    @property
    def client(self) -> str:
        """Who sells."""
        return WEB if self.place == WEBSHOP else TILL

    def pay(self, redemption: Redemption) -> None:
        """A redemption is this sale's from now on."""
        weights = [good.price * quantity for good, quantity in self.lines]
        self.redemption = redemption
        self.paid = shares(redemption.total, weights).by_line


def basket(story: Story, buyer: Member, place: int) -> Sale:
    """A few things, some of them twice."""
    count = buyer.dice.choice((1, 1, 2, 2, 2, 3, 3, 4))
    goods = buyer.dice.sample(GOODS, count)
    lines = [(good, buyer.dice.choice((1, 1, 1, 2))) for good in goods]
    return Sale(buyer, place, lines, story.external_name())


def recorded(sale: Sale, at: datetime) -> dict[str, Any]:
    """The sale as a till tells it."""
    online = {"receipt_email": sale.buyer.email} if sale.place == WEBSHOP else {}
    return {
        "profile_id": sale.buyer.id,
        "external_id": sale.external_id,
        "receipt_ref": sale.external_id,
        "total": money(sale.total),
        "transacted_at": wall(at),
        "timezone": ZONE,
        "location_id": sale.place,
        "tender": "card" if online else sale.buyer.dice.choice(TENDERS),
        "items": [_line(good, quantity) for good, quantity in sale.lines],
        **online,
    }


def asking(sale: Sale, amount: int) -> dict[str, Any]:
    """A redemption for the sale."""
    return {
        "profile_id": sale.buyer.id,
        "amount": money(amount),
        "transaction_total": money(max(sale.total, amount)),
        "location_id": sale.place,
    }


def _line(good: Good, quantity: int) -> dict[str, Any]:
    price = money(good.price)
    return {
        "name": good.name,
        "sku": good.sku,
        "department": good.department,
        "quantity": str(quantity),
        "price_current": price,
        "price_sell": price,
    }
