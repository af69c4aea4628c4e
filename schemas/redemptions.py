"""Redemptions: value leaves the available balance, and may come back (article, step 3)."""

from datetime import datetime
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, Field

from schemas.amounts import Label, PositiveAmount, WholeNumber
from schemas.commands import Command, Name, Text
from schemas.events import Event
from schemas.flags import Flag
from schemas.json_values import JsonObject
from schemas.profiles import ProfileId

Strategy = Literal["rewards"]
ReturnPolicy = Literal["reissue", "restore"]


def _each_once(strategies: tuple[Strategy, ...]) -> tuple[Strategy, ...]:
    if len(set(strategies)) != len(strategies):
        raise ValueError("Name each strategy once.")
    return strategies


class RedemptionTerms(Command):
    """What to redeem, the profile aside.

    `strict` refuses a short balance; without it, what there is is taken and `total` says how much.
    """

    PERSONAL: ClassVar[frozenset[str]] = frozenset({"meta"})

    amount: PositiveAmount
    strategies: Annotated[
        tuple[Strategy, ...], Field(min_length=1, max_length=10), AfterValidator(_each_once)
    ] = ("rewards",)
    strict: Flag = True
    external_id: Name | None = None
    transaction_external_id: Name | None = None
    transaction_receipt_ref: Text | None = None
    location_id: Label | None = None
    meta: JsonObject | None = None


class MakeRedemption(RedemptionTerms):
    """Take an amount from a profile's balance, nearest expiry first."""

    profile_id: ProfileId


class ReverseRedemption(Command):
    """Undo a redemption inside its window: exactly what was taken, back to the same rewards."""

    redemption_id: WholeNumber


class ReturnTerms(Command):
    """How much to give back, and how.

    Without an amount it is the rest; without a policy, the programme's.
    """

    amount: PositiveAmount | None = None
    policy: ReturnPolicy | None = None


class ReturnRedemption(ReturnTerms):
    """Give back a part or the rest of a redemption, at any time."""

    redemption_id: WholeNumber


class RedemptionMade(Event):
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

    redemption_id: int
    profile_id: str
    requested_minor: int
    total_minor: int
    strategies: tuple[Strategy, ...]
    strict: bool
    reversible_until: datetime
    external_id: str | None = None
    transaction_external_id: str | None = None
    transaction_receipt_ref: str | None = None
    location_id: int | str | None = None


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
