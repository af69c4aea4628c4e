"""Redemptions: value leaves the available balance, and may come back (article, step 3)."""

from datetime import datetime
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from schemas.amounts import Amount, Label, PositiveAmount, WholeNumber
from schemas.commands import Command, Name, Text
from schemas.events import Event
from schemas.flags import Flag
from schemas.json_values import JsonObject
from schemas.profiles import NamesProfile, ProfileName
from schemas.times import Duration

Strategy = Literal["rewards", "points", "credits"]
ReturnPolicy = Literal["reissue", "restore"]


def _each_once(strategies: tuple[Strategy, ...]) -> tuple[Strategy, ...]:
    if len(set(strategies)) != len(strategies):
        raise ValueError("Name each strategy once.")
    return strategies


def _without_benefits(strategies: Any) -> Any:
    if isinstance(strategies, list | tuple) and "benefits" in strategies:
        raise ValueError("Benefits can't be redeemed here yet; leave that strategy out.")
    return strategies


Strategies = Annotated[
    tuple[Strategy, ...],
    Field(min_length=1, max_length=10),
    AfterValidator(_each_once),
    BeforeValidator(_without_benefits),
]
"""What pays, in the order it is consumed."""


class RedemptionTerms(Command):
    """What to redeem, the profile aside.

    `strict` refuses a short balance; without it, what there is is taken and `total` says how much.
    `transaction_total` is the sale's before rewards: some rewards pay only where it is known. With
    `hold` the value is set aside for so long, until it is captured or released.
    """

    PERSONAL: ClassVar[frozenset[str]] = frozenset({"meta"})

    amount: PositiveAmount
    strategies: Strategies = ("rewards",)
    strict: Flag = True
    currency: Text | None = None
    hold: Duration | None = None
    transaction_total: Amount | None = None
    external_id: Name | None = None
    transaction_external_id: Name | None = None
    transaction_receipt_ref: Text | None = None
    location_id: Label | None = None
    meta: JsonObject | None = None


class MakeRedemption(NamesProfile, RedemptionTerms):
    """Take an amount from a profile's balance, nearest expiry first."""

    profile_id: ProfileName


class ReverseRedemption(Command):
    """Undo a redemption inside its window: exactly what was taken, back to the same rewards."""

    redemption_id: WholeNumber


class ReturnTerms(Command):
    """How much to give back, and how.

    Without an amount it is the rest; without a policy, the programme's. `strict` refuses more than
    is left; without it, what is left comes back. Only strategies that paid can get something back.
    """

    PERSONAL: ClassVar[frozenset[str]] = frozenset({"meta"})

    amount: PositiveAmount | None = None
    policy: ReturnPolicy | None = None
    strategies: Strategies | None = None
    strict: Flag = True
    currency: Text | None = None
    transaction_external_id: Name | None = None
    transaction_receipt_ref: Text | None = None
    location_id: Label | None = None
    meta: JsonObject | None = None


class ReturnRedemption(ReturnTerms):
    """Give back a part or the rest of a redemption, at any time."""

    redemption_id: WholeNumber


class RedemptionRecord(Event, abstract=True):
    """What a redemption says of itself, whether it took value at once or set it aside."""

    redemption_id: int
    profile_id: str
    requested_minor: int
    total_minor: int
    strategies: tuple[Strategy, ...]
    strict: bool
    external_id: str | None = None
    transaction_external_id: str | None = None
    transaction_receipt_ref: str | None = None
    transaction_total_minor: int | None = None
    """The sale's total before rewards."""
    location_id: int | str | None = None


class RedemptionMade(RedemptionRecord):
    """Value left the available book; `movements` say from which lots, in the order consumed."""

    EXAMPLE: ClassVar[dict[str, Any]] = {
        "redemption_id": 158,
        "profile_id": "p-1",
        "requested_minor": 1000,
        "total_minor": 1000,
        "strategies": ["rewards"],
        "strict": True,
        "reversible_until": "2026-02-10T00:10:00Z",
        "movements": [{"lot": 17, "from": "available", "to": "redeemed", "amount_minor": 1000}],
    }

    reversible_until: datetime


class Forfeited(Event, abstract=True):
    """What both ways back share: what could not come back because its reward was revoked."""

    forfeited_minor: int = 0


class RedemptionReversed(Forfeited):
    """A redemption was undone inside its window."""

    EXAMPLE: ClassVar[dict[str, Any]] = {
        "reversal_id": 159,
        "redemption_id": 158,
        "total_minor": 1000,
        "movements": [{"lot": 17, "from": "redeemed", "to": "available", "amount_minor": 1000}],
    }

    reversal_id: int
    redemption_id: int
    total_minor: int


class RedemptionReturned(Forfeited):
    """A part of a redemption was given back, under the policy recorded here."""

    EXAMPLE: ClassVar[dict[str, Any]] = {
        "return_id": 160,
        "redemption_id": 158,
        "total_minor": 400,
        "policy": "reissue",
        "movements": [{"lot": 17, "from": "redeemed", "to": "transferred", "amount_minor": 400}],
    }

    return_id: int
    redemption_id: int
    total_minor: int
    policy: ReturnPolicy
    requested_minor: int | None = None
    """What was asked for, where that was more than was left."""
    transaction_external_id: str | None = None
    transaction_receipt_ref: str | None = None
    location_id: int | str | None = None
