"""An account in the making: changed in place, and seen by nobody before it is frozen.

An account has many fields and an event changes few of them: a copy for each would cost more than
all the rest. The maps stay immutable, so a draft begins and ends without copying any.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from operator import attrgetter
from typing import Any

from immutables import Map

from ledger.account.lots import Lot
from ledger.account.sale_claims import SaleClaim
from ledger.account.state import Account, Identity, Redemption
from ledger.records import Records
from schemas.events import Event
from schemas.movements import Movement


@dataclass(slots=True)
class Draft:
    """The fields of an `Account`, in its order."""

    profile_id: str | None
    type: str
    tags: tuple[str, ...]
    closed: bool
    lots: Records[int, Lot]
    open_lots: Map[int, Lot]
    redemptions: Records[int, Redemption]
    redemption_names: Records[str, int]
    announcements: Records[str, tuple[int, ...]]
    holds: Map[int, datetime]
    final_records: Records[int, int]
    issued_under: Map[int, int]
    sale_claims: Map[int, SaleClaim]
    identities: Map[int, Identity]
    transactions: Records[int, bool]
    merged_into: str | None
    absorbed: tuple[str, ...]

    @classmethod
    def of(cls, account: Account) -> "Draft":
        """A draft that goes on from an account."""
        return cls(*_content(account))

    def frozen(self) -> Account:
        """The account it has become."""
        return Account(*_content(self))

    def move(self, movement: Movement) -> None:
        """Move value of a lot."""
        self.put_lot(self.lots[movement.lot].move(movement))

    def put_lot(self, lot: Lot) -> None:
        """A lot as it is from now on."""
        self.lots = self.lots.set(lot.id, lot)
        if lot.is_open:
            self.open_lots = self.open_lots.set(lot.id, lot)
        elif lot.id in self.open_lots:
            self.open_lots = self.open_lots.delete(lot.id)

    def put_redemption(self, redemption: Redemption) -> None:
        """A redemption as it is from now on."""
        self.redemptions = self.redemptions.set(redemption.id, redemption)

    def add_redemption(self, redemption: Redemption) -> None:
        """A redemption that wasn't here before, under its own name."""
        self.put_redemption(redemption)
        if redemption.external_id is not None:
            self.redemption_names = self.redemption_names.set(redemption.external_id, redemption.id)

    def announce(self, external_id: str, redemptions: tuple[int, ...]) -> None:
        """These were made for the sale of this name, too."""
        before = self.announcements.get(external_id, ())
        self.announcements = self.announcements.set(external_id, (*before, *redemptions))

    def count_issued(self, definition_id: int, count: int) -> None:
        """So many more rewards were issued under a definition."""
        before = self.issued_under.get(definition_id, 0)
        self.issued_under = self.issued_under.set(definition_id, before + count)


Step = Callable[[Draft, Any], None]
"""What an event of one kind does to a draft."""
Steps = Mapping[type[Event], Step]

_content = attrgetter(*(each.name for each in fields(Account)))
