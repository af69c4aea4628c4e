"""What passes from one account to another: rewards and redemptions keep their ids and terms.

It is told on both sides in one append. The giver's event comes first and names what leaves; the
taker's carries all of it, so that each account can be read without the other.
"""

from datetime import date, datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from schemas.events import Event
from schemas.movements import Book
from schemas.times import PeriodType


class Record(BaseModel):
    """A part of an account's state, as it is when it passes."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class LotHold(Record):
    """What a redemption holds of one reward."""

    until: datetime
    amount_minor: int


class LotRecord(Record):
    """A reward with its terms. `books` are those of the taking account, right after the event."""

    reward_id: int
    definition_id: int
    definition_version: int
    period: int
    period_type: PeriodType
    value_initial_minor: int
    issued_at: datetime
    expires_at: datetime | None = None
    timezone: str
    graced: bool = False
    absolute_expiry: date | None = None
    extend_days: int | None = None
    is_reassignable: bool = False
    is_extendable: bool = False
    min_spend_minor: int | None = None
    max_redeem_per_transaction_minor: int | None = None
    revoked: bool = False
    extended_at: datetime | None = None
    adjustments: int = 0
    moves: int = 0
    """How often it was reassigned; of two accounts that know it, the later one has more."""
    moved_to: str | None = None
    """The profile it was reassigned to: here is only what had been spent of it before."""
    books: dict[Book, int] = Field(default_factory=dict)
    holds: dict[int, LotHold] = Field(default_factory=dict)
    """By redemption."""


class HoldRecord(Record):
    """A hold: (reward, minor units) as set aside, and what has become of it."""

    parcels: tuple[tuple[int, int], ...]
    until: datetime
    status: Literal["held", "captured", "released", "lapsed"] = "held"


class RedemptionStanding(Record):
    """A redemption: (reward, minor units) as taken, and what of it has come back by now."""

    redemption_id: int
    taken: tuple[tuple[int, int], ...] = ()
    reversible_until: datetime | None = None
    given_back: dict[int, int] = Field(default_factory=dict)
    reversed: bool = False
    external_id: str | None = None
    announced: str | None = None
    transaction_id: int | None = None
    hold: HoldRecord | None = None


class SaleClaimRecord(Record):
    """A claim on the sale of a receipt, and what has become of it."""

    claim_id: int
    receipt_ref: str
    total_minor: int
    told_time: str | None = None
    timezone: str | None = None
    location: str | None = None
    status: Literal["open", "claimed", "rejected"] = "open"
    attempts: int = 1
    transaction_id: int | None = None


class IdentityRecord(Record):
    """What a profile is known by. `sealed` has the identifier, under the key it was sealed with."""

    identity_id: int
    handle: str
    is_primary: bool
    sealed: str | None = None


class HandedOver(Event, abstract=True):
    """On the giver's account: these rewards, redemptions (returns and reversals among them) and
    claims are another profile's from now on. The movements say what left each reward here."""

    into: str
    rewards: tuple[int, ...] = ()
    redemptions: tuple[int, ...] = ()
    sale_claims: tuple[int, ...] = ()
    identities: tuple[int, ...] = ()


class TakenOver(Event, abstract=True):
    """On the taker's account: what another profile has handed over in the same append.

    The movements put into each reward's books here exactly what left them there.
    """

    giver: str
    lots: tuple[LotRecord, ...] = ()


class AccountTakenOver(TakenOver, abstract=True):
    """A whole account, or a part of one too large for one event."""

    redemptions: tuple[RedemptionStanding, ...] = ()
    final_records: dict[int, int] = Field(default_factory=dict)
    """Returns and reversals → the redemption they belong to."""
    announcements: dict[str, tuple[int, ...]] = Field(default_factory=dict)
    """The external_id of a sale → the redemptions made for it."""
    sale_claims: tuple[SaleClaimRecord, ...] = ()
    identities: tuple[IdentityRecord, ...] = ()
    issued_under: dict[int, int] = Field(default_factory=dict)
    """Reward definitions → how many rewards were issued under each."""
    transactions: dict[int, bool] = Field(default_factory=dict)
    """Sales → whether each is valid and its own still. They keep their own stream, and the
    profile_id they were recorded with."""
