"""The state of an account. Immutable: versions share what they have in common."""

from dataclasses import field, fields
from datetime import datetime
from typing import Literal

from immutables import Map

from ledger.account.lots import Lot, in_expiry_order
from ledger.account.sale_claims import SaleClaim
from ledger.records import Records
from schemas.handover import HoldRecord, RedemptionStanding
from schemas.immutable import immutable
from schemas.movements import Book

HoldStatus = Literal["held", "captured", "released", "lapsed"]


@immutable
class Hold:
    """What a redemption set aside in each lot before it took any, in the order of consumption."""

    parcels: tuple[tuple[int, int], ...]
    until: datetime
    status: HoldStatus = "held"

    @property
    def total_minor(self) -> int:
        """What was set aside."""
        return sum(amount for _, amount in self.parcels)


@immutable
class Redemption:
    """What a redemption took from each lot, and what of it has come back (minor units)."""

    id: int
    taken: tuple[tuple[int, int], ...] = ()
    """Nothing yet of one that is only held."""
    reversible_until: datetime | None = None
    given_back: Map[int, int] = field(default_factory=Map)
    reversed: bool = False
    external_id: str | None = None
    announced: str | None = None
    """The `external_id` of the transaction it was made for."""
    transaction_id: int | None = None
    """The transaction it paid for, as long as that one lives."""
    hold: Hold | None = None

    @property
    def total_minor(self) -> int:
        """What was taken."""
        return sum(amount for _, amount in self.taken)

    def outstanding(self) -> list[tuple[int, int]]:
        """What is still redeemed, lot by lot, in the order it was consumed."""
        left = ((lot, amount - self.given_back.get(lot, 0)) for lot, amount in self.taken)
        return [(lot, amount) for lot, amount in left if amount]

    def is_held(self, now: datetime) -> bool:
        """Its value is set aside, and may still be captured: the deadline itself is too late."""
        return self.hold is not None and self.hold.status == "held" and now < self.hold.until

    def held(self, now: datetime) -> tuple[tuple[int, int], ...]:
        """What it holds, lot by lot."""
        return self.hold.parcels if self.hold is not None and self.is_held(now) else ()

    def in_use(self, now: datetime) -> bool:
        """Some value is redeemed or held by it."""
        return bool(self.outstanding()) or self.is_held(now)


@immutable
class Identity:
    """What else the profile is known by: sealed, for no decision needs to see it."""

    handle: str
    is_primary: bool
    sealed: str | None = None


@immutable
class Account:
    """One profile's value: all lots, which of them are open, and the redemptions."""

    profile_id: str | None = None
    type: str = "active"
    tags: tuple[str, ...] = ()
    closed: bool = False
    """Deleted: nothing is given or taken, and time goes on."""
    lots: Records[int, Lot] = field(default_factory=Records)
    open_lots: Map[int, Lot] = field(default_factory=Map)
    redemptions: Records[int, Redemption] = field(default_factory=Records)
    redemption_names: Records[str, int] = field(default_factory=Records)
    """Redemptions by their external_id."""
    announcements: Records[str, tuple[int, ...]] = field(default_factory=Records)
    """Redemptions by the external_id of the transaction they were made for."""
    holds: Map[int, datetime] = field(default_factory=Map)
    """Redemptions that hold value → the deadline of each."""
    final_records: Records[int, int] = field(default_factory=Records)
    """Returns and reversals, by id → the redemption they belong to."""
    issued_under: Map[int, int] = field(default_factory=Map)
    """How many rewards were issued under each definition; what returns made of them aside."""
    sale_claims: Map[int, SaleClaim] = field(default_factory=Map)
    """Sales it says are its own, by the number of the claim."""
    identities: Map[int, Identity] = field(default_factory=Map)
    transactions: Records[int, bool] = field(default_factory=Records)
    """The sales noted here → whether each is valid and its own still."""
    merged_into: str | None = None
    """The profile this one has become; nothing happens here any more."""
    absorbed: tuple[str, ...] = ()
    """The profiles that have become this one."""

    @property
    def registered(self) -> bool:
        """Whether the account exists."""
        return self.profile_id is not None

    def is_of(self, profile_id: str) -> bool:
        """Whether this is the account of a profile, or of the one it has become."""
        return profile_id == self.profile_id or profile_id in self.absorbed

    def spendable(self, now: datetime) -> list[Lot]:
        """The lots a redemption consumes, in the order it does: nearest expiry first."""
        return in_expiry_order(
            lot
            for lot in self.open_lots.values()
            if lot.amount(Book.AVAILABLE) and not lot.expired_by(now)
        )

    def redemption_named(self, external_id: str) -> Redemption | None:
        """The redemption with this external_id."""
        redemption_id = self.redemption_names.get(external_id)
        return None if redemption_id is None else self.redemptions[redemption_id]

    def available_minor(self, now: datetime) -> int:
        """The balance that can be spent at this moment."""
        return sum(lot.amount(Book.AVAILABLE) for lot in self.spendable(now))


_REDEMPTION = tuple(each.name for each in fields(Redemption) if each.name != "id")


def standing(redemption: Redemption) -> RedemptionStanding:
    """All there is to know of a redemption, for the account it goes to."""
    known = {name: getattr(redemption, name) for name in _REDEMPTION}
    known["given_back"] = dict(redemption.given_back)
    if (hold := redemption.hold) is not None:
        known["hold"] = HoldRecord(parcels=hold.parcels, until=hold.until, status=hold.status)
    return RedemptionStanding(redemption_id=redemption.id, **known)


def redemption_taken_over(known: RedemptionStanding) -> Redemption:
    """The redemption of a record."""
    fields_ = {name: getattr(known, name) for name in _REDEMPTION}
    fields_["given_back"] = Map(known.given_back)
    if (hold := known.hold) is not None:
        fields_["hold"] = Hold(hold.parcels, hold.until, hold.status)
    return Redemption(known.redemption_id, **fields_)
