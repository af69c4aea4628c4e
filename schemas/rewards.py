"""Rewards: value given to a profile, with an expiry of its own (article, step 2)."""

from datetime import date, datetime
from typing import Annotated, Any, ClassVar, Final, Self

from pydantic import Field, field_validator, model_validator

from schemas.amounts import Amount, WholeNumber
from schemas.commands import Command, Name, Text
from schemas.events import Event, LotTerms
from schemas.flags import Flag
from schemas.handover import HandedOver, TakenOver
from schemas.json_values import JsonObject
from schemas.profiles import NamesProfile, ProfileId, ProfileName
from schemas.times import PERIOD_MAX, DayOrMoment, MaybeZone, Moment, PeriodType

EXTENDED_MAX: Final = 100
"""How many rewards one command extends."""


class RewardTerms(Command):
    """What to issue under a definition named by id or by handle, the profile aside.

    Times are wall times in `timezone` (the programme's zone unless given), or ISO 8601 with an
    offset. An `expires_at` of null means
    never; left out, the definition's period decides.
    """

    NULL_SAYS_MORE: ClassVar[frozenset[str]] = frozenset({"expires_at"})
    PERSONAL: ClassVar[frozenset[str]] = frozenset({"meta"})

    reward_definition_id: WholeNumber | None = None
    reward_definition_handle: Text | None = None
    value_initial: Amount | None = None
    value_remaining: Amount | None = None
    issued_at: Moment | None = None
    expires_at: Moment | None = None
    timezone: MaybeZone = None
    external_id: Name | None = None
    meta: JsonObject | None = None
    has_notified_issue: Flag = False
    has_notified_expiry: Flag = False
    """Whether the profile has been told already, by whoever told it."""

    @model_validator(mode="after")
    def _one_definition(self) -> Self:
        if (self.reward_definition_id is None) == (self.reward_definition_handle is None):
            raise ValueError(
                "reward_definition_id or reward_definition_handle: name one definition."
            )
        return self


class IssueReward(NamesProfile, RewardTerms):
    """Give a profile a reward."""

    profile_id: ProfileName


class RewardChanges(Command):
    """What to change of a reward; the rest stays. Times are wall times in the reward's own zone."""

    NULL_SAYS_MORE: ClassVar[frozenset[str]] = frozenset({"expires_at", "meta"})
    PERSONAL: ClassVar[frozenset[str]] = frozenset({"meta", "reason"})

    value_initial: Amount | None = None
    value_remaining: Amount | None = None
    """What remains of it now, what is held included."""
    expires_at: Moment | None = None
    """Null means never; a time that is past makes it expire at once."""
    meta: JsonObject | None = None
    """Takes the place of the one before; null takes it away."""
    reason: Text | None = None

    @field_validator("value_initial", "value_remaining", mode="before")
    @classmethod
    def _not_null(cls, value: Any) -> Any:
        if value is None:
            raise ValueError("Leave it out to keep it; it can't be null.")
        return value

    @model_validator(mode="after")
    def _something(self) -> Self:
        if not self.model_fields_set & set(CHANGEABLE):
            raise ValueError(f"Give at least one of {', '.join(CHANGEABLE)}.")
        return self


CHANGEABLE: Final = ("value_initial", "value_remaining", "expires_at", "meta")


class AdjustReward(RewardChanges):
    """Correct a reward that lives: what remains of it, what it was worth, when it ends."""

    reward_id: WholeNumber
    expected_revision: Text | None = None
    """The `ETag` the change rests on; a reward that is another one now refuses it."""


class ExtendRewards(Command):
    """Let rewards of a profile live longer, once each: all of them, or none.

    By days of their own calendar, or until a day or time there. Without either, by the days their
    definition gives.
    """

    profile_id: ProfileId
    ids: Annotated[tuple[WholeNumber, ...], Field(min_length=1, max_length=EXTENDED_MAX)]
    extend_days: Annotated[WholeNumber, Field(le=PERIOD_MAX)] | None = None
    extend_date: DayOrMoment | None = None

    @model_validator(mode="after")
    def _each_once_and_one_way(self) -> Self:
        if len(set(self.ids)) != len(self.ids):
            raise ValueError("Name each reward once.")
        if self.extend_days is not None and self.extend_date is not None:
            raise ValueError("Give extend_days or extend_date, not both.")
        return self


class RevokeReward(Command):
    """Take back what remains of a reward."""

    PERSONAL: ClassVar[frozenset[str]] = frozenset({"reason"})

    reward_id: WholeNumber
    reason: Text | None = None


class ReassignReward(Command):
    """Give what remains of a reward to another profile, under the same id and terms."""

    reward_id: WholeNumber
    profile_id: ProfileId


class RecordDueFacts(Command):
    """Write down what time alone has done to an account: activations and expiries."""

    profile_id: ProfileId


class RewardIssued(LotTerms):
    """A reward came into being. Its terms stand here whole: later definitions don't change it."""

    EXAMPLE: ClassVar[dict[str, Any]] = {
        "reward_id": 17,
        "profile_id": "p-1",
        "definition_id": 6,
        "definition_version": 1,
        "period": 30,
        "period_type": "days",
        "value_initial_minor": 1000,
        "value_remaining_minor": 1000,
        "issued_at": "2026-02-09T23:00:00Z",
        "expires_at": "2027-02-10T01:59:59Z",
        "timezone": "Australia/Melbourne",
        "movements": [{"lot": 17, "from": "issued", "to": "available", "amount_minor": 1000}],
    }

    profile_id: str
    definition_id: int
    definition_version: int
    period: int
    period_type: PeriodType
    value_initial_minor: int
    value_remaining_minor: int
    issued_at: datetime
    timezone: str
    external_id: str | None = None
    has_notified_issue: bool = False
    has_notified_expiry: bool = False
    restored_from: int | None = None
    """The reward whose value this one carries on, after a return."""
    redemption_id: int | None = None
    """The redemption whose return made it."""
    graced: bool = False
    """It lives on grace days; what comes back to it gets no second grace."""
    absolute_expiry: date | None = None
    """The last day of every reward under a definition that names one."""
    extend_days: int | None = None
    is_reassignable: bool = False
    is_extendable: bool = False
    min_spend_minor: int | None = None
    max_redeem_per_transaction_minor: int | None = None


class RewardAdjusted(LotTerms):
    """A reward was corrected. `changed` names what the command gave; the movements are the
    difference: new value, or value taken back. All values stand here as they are from now on.

    A new `meta` stands in `personal`, sealed with the reason.
    """

    EXAMPLE: ClassVar[dict[str, Any]] = {
        "reward_id": 17,
        "changed": ["value_remaining", "expires_at"],
        "value_initial_minor": 1000,
        "value_remaining_minor": 750,
        "expires_at": "2027-03-10T01:59:59Z",
        "movements": [{"lot": 17, "from": "issued", "to": "available", "amount_minor": 500}],
    }

    changed: tuple[str, ...]
    value_initial_minor: int
    value_remaining_minor: int
    """What remains of it, what is held included."""


class RewardExtended(LotTerms):
    """A reward lives longer, which it may once. What had expired of it came back."""

    EXAMPLE: ClassVar[dict[str, Any]] = {
        "reward_id": 17,
        "expires_at": "2027-03-10T01:59:59Z",
        "previous_expires_at": "2027-02-10T01:59:59Z",
        "extended_at": "2027-02-09T23:00:00Z",
        "movements": [{"lot": 17, "from": "expired", "to": "available", "amount_minor": 250}],
    }

    previous_expires_at: datetime
    extended_at: datetime


class RewardActivated(Event):
    """A reward issued for a later time became spendable."""

    EXAMPLE: ClassVar[dict[str, Any]] = {
        "reward_id": 17,
        "movements": [{"lot": 17, "from": "pending", "to": "available", "amount_minor": 1000}],
    }

    reward_id: int


class RewardExpired(Event):
    """What remained of a reward is past its time. What was spent before stays spent."""

    EXAMPLE: ClassVar[dict[str, Any]] = {
        "reward_id": 17,
        "expires_at": "2027-02-10T01:59:59Z",
        "movements": [{"lot": 17, "from": "available", "to": "expired", "amount_minor": 250}],
    }

    reward_id: int
    expires_at: datetime


class RewardRevoked(Event):
    """What remained of a reward was taken back."""

    EXAMPLE: ClassVar[dict[str, Any]] = {
        "reward_id": 17,
        "movements": [{"lot": 17, "from": "available", "to": "revoked", "amount_minor": 1000}],
    }

    reward_id: int


class RewardSent(HandedOver):
    """What remained of a reward is another profile's now; what was spent of it stays here."""

    EXAMPLE: ClassVar[dict[str, Any]] = {
        "into": "p-2",
        "rewards": [17],
        "movements": [{"lot": 17, "from": "available", "to": "transferred", "amount_minor": 600}],
    }


class RewardReceived(TakenOver):
    """A reward came from another profile, with its id, its terms and what remained of it."""

    EXAMPLE: ClassVar[dict[str, Any]] = {
        "giver": "p-1",
        "lots": [
            {
                "reward_id": 17,
                "definition_id": 6,
                "definition_version": 1,
                "period": 30,
                "period_type": "days",
                "value_initial_minor": 1000,
                "issued_at": "2026-02-09T23:00:00Z",
                "expires_at": "2027-02-10T01:59:59Z",
                "timezone": "Australia/Melbourne",
                "is_reassignable": True,
                "moves": 1,
                "books": {"available": 600},
            }
        ],
        "movements": [{"lot": 17, "from": "issued", "to": "available", "amount_minor": 600}],
    }
