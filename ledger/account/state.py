"""The folded state of an account. Immutable: versions share what they have in common."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime
from functools import reduce
from typing import Literal

from immutables import Map

from ledger.account.lots import PROMISED, Lot, Terms, in_expiry_order, taken_over
from ledger.account.sale_claims import (
    OfSaleClaim,
    SaleClaim,
    claim_taken_over,
    evolve_sale_claims,
)
from ledger.records import Records, replace
from schemas.events import Event
from schemas.handover import AccountTakenOver, HoldRecord, RedemptionStanding, TakenOver
from schemas.holds import HoldLapsed, HoldReleased, RedemptionCaptured, RedemptionHeld
from schemas.movements import Book, Movement
from schemas.profiles import ProfileMerged, ProfileMergedAway, ProfileRegistered
from schemas.redemptions import RedemptionMade, RedemptionReturned, RedemptionReversed
from schemas.registrations import ProfileChanged, ProfileDeleted, ProfileRestored
from schemas.rewards import (
    RewardAdjusted,
    RewardExtended,
    RewardIssued,
    RewardRevoked,
    RewardSent,
)
from schemas.transaction_changes import TransactionUnattached
from schemas.transactions import (
    AttachedTransactionVoided,
    TransactionAttached,
    TransactionLinked,
    TransactionUnlinked,
)

HoldStatus = Literal["held", "captured", "released", "lapsed"]


@dataclass(frozen=True, slots=True)
class Hold:
    """What a redemption set aside in each lot before it took any, in the order of consumption."""

    parcels: tuple[tuple[int, int], ...]
    until: datetime
    status: HoldStatus = "held"

    @property
    def total_minor(self) -> int:
        """What was set aside."""
        return sum(amount for _, amount in self.parcels)


@dataclass(frozen=True, slots=True)
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


@dataclass(frozen=True, slots=True)
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


def fold(events: Iterable[Event], account: Account | None = None) -> Account:
    """The account after these events."""
    return reduce(evolve, events, account or Account())


def evolve(account: Account, event: Event) -> Account:
    """The account after one more event: first its movements, then what it records beside them."""
    match event:
        case ProfileRegistered():
            return replace(account, profile_id=event.profile_id, type=event.type, tags=event.tags)
        case RewardIssued():
            return _with_issued(account, event)
        case TakenOver():
            account = _with_lots_taken_over(account, event)
    for movement in event.movements:
        account = _with_lot(account, account.lots[movement.lot].move(movement))
    return _handed_over(_beside_its_value(account, event), event)


def _with_issued(account: Account, event: RewardIssued) -> Account:
    """In one step, for most events of a ledger are these; its movements are the new lot's own."""
    lot = Lot(id=event.reward_id, terms=_terms(event))
    for movement in event.movements:
        assert movement.lot == lot.id
        lot = lot.move(movement)
    counts = account.issued_under
    if event.restored_from is None:
        counts = counts.set(event.definition_id, counts.get(event.definition_id, 0) + 1)
    return replace(
        account,
        lots=account.lots.set(lot.id, lot),
        open_lots=account.open_lots.set(lot.id, lot) if lot.is_open else account.open_lots,
        issued_under=counts,
    )


def _with_lots_taken_over(account: Account, event: TakenOver) -> Account:
    for record in event.lots:
        lot = taken_over(record, account.lots.get(record.reward_id))
        account = _with_lot(account, lot)
    return account


def _beside_its_value(account: Account, event: Event) -> Account:
    match event:
        case RewardRevoked():
            return _with_lot(account, replace(account.lots[event.reward_id], revoked=True))
        case RewardAdjusted() | RewardExtended():
            return _with_lot(account, _changed(account.lots[event.reward_id], event))
    return _with_redemptions(account, event)


def _with_redemptions(account: Account, event: Event) -> Account:
    match event:
        case RedemptionMade():
            account = _with_new_redemption(account, _made(event))
        case RedemptionHeld():
            holds = account.holds.set(event.redemption_id, event.held_until)
            account = _with_new_redemption(replace(account, holds=holds), _held(event))
        case RedemptionCaptured() | HoldReleased() | HoldLapsed():
            account = _with_hold_ended(account, event)
        case RedemptionReversed() | RedemptionReturned():
            account = _with_value_given_back(account, event)
        case TransactionLinked():
            account = _linked(account, event.redemption_id, event.transaction_id)
        case TransactionUnlinked():
            account = _unlinked(account, event.redemption_id)
    return _with_sale_claim(account, event)


def _with_sale_claim(account: Account, event: Event) -> Account:
    if not isinstance(event, OfSaleClaim):
        return account
    claims = evolve_sale_claims(account.sale_claims, event)
    return replace(account, sale_claims=claims)


def _handed_over(account: Account, event: Event) -> Account:
    """The account after what passes between two of them, and after what is to pass with it."""
    match event:
        case TransactionAttached():
            noted = account.transactions.set(event.transaction_id, True)
            account = replace(account, transactions=noted)
        case AttachedTransactionVoided() | TransactionUnattached():
            noted = account.transactions.set(event.transaction_id, False)
            account = replace(account, transactions=noted)
        case RewardSent():
            for reward_id in event.rewards:
                gone = replace(account.lots[reward_id], moved_to=event.into)
                account = _with_lot(account, gone)
        case ProfileMergedAway():
            # Its holds are the other's to let lapse.
            account = replace(account, merged_into=event.into, holds=Map())
        case ProfileChanged():
            account = replace(account, type=event.type, tags=event.tags)
        case ProfileDeleted() | ProfileRestored():
            account = replace(account, closed=isinstance(event, ProfileDeleted))
        case AccountTakenOver():
            account = _with_account(account, event)
    return account


def standing(redemption: Redemption) -> RedemptionStanding:
    """All there is to know of a redemption, for the account it goes to."""
    known = {name: getattr(redemption, name) for name in _REDEMPTION}
    known["given_back"] = dict(redemption.given_back)
    if (hold := redemption.hold) is not None:
        known["hold"] = HoldRecord(parcels=hold.parcels, until=hold.until, status=hold.status)
    return RedemptionStanding(redemption_id=redemption.id, **known)


def _redemption(known: RedemptionStanding) -> Redemption:
    fields_ = {name: getattr(known, name) for name in _REDEMPTION}
    fields_["given_back"] = Map(known.given_back)
    if (hold := known.hold) is not None:
        fields_["hold"] = Hold(hold.parcels, hold.until, hold.status)
    return Redemption(known.redemption_id, **fields_)


def _with_account(account: Account, event: AccountTakenOver) -> Account:
    """What belonged to another account and is not value: that came with the movements."""
    for redemption in map(_redemption, event.redemptions):
        account = _with_named_redemption(account, redemption)
        if redemption.hold is not None and redemption.hold.status == "held":
            holds = account.holds.set(redemption.id, redemption.hold.until)
            account = replace(account, holds=holds)
    if isinstance(event, ProfileMerged):
        account = replace(account, absorbed=(*account.absorbed, event.giver, *event.absorbed))
    claims = {each.claim_id: claim_taken_over(each) for each in event.sale_claims}
    announcements = account.announcements
    for external_id, made_for_it in event.announcements.items():
        before = announcements.get(external_id, ())
        announcements = announcements.set(external_id, (*before, *made_for_it))
    issued_under = account.issued_under
    for definition_id, count in event.issued_under.items():
        issued_under = issued_under.set(definition_id, issued_under.get(definition_id, 0) + count)
    return replace(
        account,
        announcements=announcements,
        issued_under=issued_under,
        sale_claims=account.sale_claims.update(claims),
        final_records=account.final_records.with_all(event.final_records),
        transactions=account.transactions.with_all(event.transactions),
    )


def _linked(account: Account, redemption_id: int, transaction_id: int) -> Account:
    redemption = account.redemptions[redemption_id]
    return _with_redemption(account, replace(redemption, transaction_id=transaction_id))


def _unlinked(account: Account, redemption_id: int) -> Account:
    """Its sale was voided: free for another one, whichever it had announced."""
    redemption = account.redemptions[redemption_id]
    return _with_redemption(account, replace(redemption, transaction_id=None, announced=None))


def _with_lot(account: Account, lot: Lot) -> Account:
    open_lots = account.open_lots
    if lot.is_open:
        open_lots = open_lots.set(lot.id, lot)
    elif lot.id in open_lots:
        open_lots = open_lots.delete(lot.id)
    return replace(account, lots=account.lots.set(lot.id, lot), open_lots=open_lots)


def _with_redemption(account: Account, redemption: Redemption) -> Account:
    return replace(account, redemptions=account.redemptions.set(redemption.id, redemption))


def _with_named_redemption(account: Account, redemption: Redemption) -> Account:
    account = _with_redemption(account, redemption)
    if redemption.external_id is not None:
        names = account.redemption_names.set(redemption.external_id, redemption.id)
        account = replace(account, redemption_names=names)
    return account


def _with_new_redemption(account: Account, redemption: Redemption) -> Account:
    account = _with_named_redemption(account, redemption)
    if redemption.announced is not None:
        so_far = account.announcements.get(redemption.announced, ())
        by_sale = account.announcements.set(redemption.announced, (*so_far, redemption.id))
        account = replace(account, announcements=by_sale)
    return account


def _terms(event: RewardIssued) -> Terms:
    return Terms(
        **{name: getattr(event, name) for name in PROMISED},
        value_initial_minor=event.value_initial_minor,
        issued_at=event.issued_at,
        expires_at=event.expires_at,
        timezone=event.timezone,
        graced=event.graced,
    )


def _changed(lot: Lot, event: RewardAdjusted | RewardExtended) -> Lot:
    terms = replace(lot.terms, expires_at=event.expires_at)
    if isinstance(event, RewardExtended):
        return replace(lot, terms=terms, extended_at=event.extended_at)
    terms = replace(terms, value_initial_minor=event.value_initial_minor)
    return replace(lot, terms=terms, adjustments=lot.adjustments + 1)


def _made(event: RedemptionMade) -> Redemption:
    return Redemption(
        id=event.redemption_id,
        taken=tuple((movement.lot, movement.amount_minor) for movement in event.movements),
        reversible_until=event.reversible_until,
        external_id=event.external_id,
        announced=event.transaction_external_id,
    )


def _held(event: RedemptionHeld) -> Redemption:
    parcels = tuple((movement.lot, movement.amount_minor) for movement in event.movements)
    return Redemption(
        id=event.redemption_id,
        external_id=event.external_id,
        announced=event.transaction_external_id,
        hold=Hold(parcels, event.held_until),
    )


def _with_hold_ended(
    account: Account, event: RedemptionCaptured | HoldReleased | HoldLapsed
) -> Account:
    redemption = account.redemptions[event.redemption_id]
    assert redemption.hold is not None
    account = replace(account, holds=account.holds.delete(redemption.id))
    if isinstance(event, RedemptionCaptured):
        taken = tuple(
            (movement.lot, movement.amount_minor)
            for movement in event.movements
            if movement.target is Book.REDEEMED
        )
        hold = replace(redemption.hold, status="captured")
        until = event.reversible_until
        captured = replace(redemption, taken=taken, reversible_until=until, hold=hold)
        return _with_redemption(account, captured)
    status: HoldStatus = "released" if isinstance(event, HoldReleased) else "lapsed"
    ended = replace(redemption, hold=replace(redemption.hold, status=status))
    return _with_redemption(account, ended)


def _with_value_given_back(
    account: Account, event: RedemptionReversed | RedemptionReturned
) -> Account:
    redemption = account.redemptions[event.redemption_id]
    record_id = event.reversal_id if isinstance(event, RedemptionReversed) else event.return_id
    account = replace(account, final_records=account.final_records.set(record_id, redemption.id))
    return _with_redemption(
        account,
        replace(
            redemption,
            given_back=_added(redemption.given_back, event.movements),
            reversed=isinstance(event, RedemptionReversed),
        ),
    )


def _added(given_back: Map[int, int], movements: Sequence[Movement]) -> Map[int, int]:
    for movement in movements:
        if movement.source is Book.REDEEMED:
            so_far = given_back.get(movement.lot, 0)
            given_back = given_back.set(movement.lot, so_far + movement.amount_minor)
    return given_back
