"""Rewards: value given to a profile, with an expiry of its own (article, step 2)."""

from datetime import date, datetime
from typing import Any, ClassVar, Self

from pydantic import model_validator

from schemas.amounts import Amount, WholeNumber
from schemas.commands import Command, Name, Text
from schemas.events import Event
from schemas.json_values import JsonObject
from schemas.profiles import ProfileId
from schemas.times import MaybeZone, Moment, PeriodType


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

    @model_validator(mode="after")
    def _one_definition(self) -> Self:
        if (self.reward_definition_id is None) == (self.reward_definition_handle is None):
            raise ValueError(
                "reward_definition_id or reward_definition_handle: name one definition."
            )
        return self


class IssueReward(RewardTerms):
    """Give a profile a reward."""

    profile_id: ProfileId


class RevokeReward(Command):
    """Take back what remains of a reward."""

    PERSONAL: ClassVar[frozenset[str]] = frozenset({"reason"})

    reward_id: WholeNumber
    reason: Text | None = None


class RecordDueFacts(Command):
    """Write down what time alone has done to an account: activations and expiries."""

    profile_id: ProfileId


class RewardIssued(Event):
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

    reward_id: int
    profile_id: str
    definition_id: int
    definition_version: int
    period: int
    period_type: PeriodType
    value_initial_minor: int
    value_remaining_minor: int
    issued_at: datetime
    expires_at: datetime | None = None
    timezone: str
    external_id: str | None = None
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
