"""Reward definitions: what a reward is worth and how long it lives (article, step 1)."""

from datetime import date, datetime
from typing import Annotated, Any, ClassVar, Self

from pydantic import Field, JsonValue, WithJsonSchema, field_validator, model_validator

from schemas.amounts import (
    MINOR_MAX,
    Amount,
    Label,
    PositiveAmount,
    WholeFromZero,
    WholeNumber,
)
from schemas.commands import Command, Text, Title
from schemas.conditions import Condition
from schemas.events import Event
from schemas.flags import Flag
from schemas.json_values import JsonObject
from schemas.programme import CurrencyCode
from schemas.times import Day, MaybeZone, Moment, PeriodType

PERIOD_MAX = 36_500
HOURS_MAX = 87_600
TAGS_MAX = 100
Handle = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._~-]{0,99}$")]
Slug = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$")]
Days = Annotated[WholeNumber, Field(le=PERIOD_MAX)]
Hours = Annotated[WholeFromZero, Field(le=HOURS_MAX)]
Period = Annotated[
    WholeFromZero,
    Field(le=PERIOD_MAX),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "integer", "minimum": 1, "maximum": MINOR_MAX},
                {"type": "string", "pattern": "^[1-9][0-9]{0,15}$"},
                {"enum": [0, "0"]},
            ]
        }
    ),
]
"""How many days, weeks, months or years; 0 only with the absolute ones."""


class DefinitionText(Command):
    """What a definition tells others, and no rule of the ledger's looks at.

    The same in the request, the event and the answer. Offsets are hours unless they say days.
    """

    description: Text | None = None
    short_description: Text | None = None
    long_description: Text | None = None
    terms_conditions: Text | None = None
    earn_instructions: Text | None = None
    icon: Text | None = None
    image_url: Text | None = None
    internal_notes: Text | None = None
    tags: Annotated[tuple[Text, ...], Field(max_length=TAGS_MAX)] = ()
    region_id: Label | None = None
    issue_target_id: Label | None = None
    expiry_target_id: Label | None = None
    extend_target_id: Label | None = None
    notify_issue_offset: Hours | None = None
    notify_expiry_offset: Hours | None = None
    notify_issue_offset_days: Hours | None = None
    notify_issue_offset_hour: Hours | None = None
    notify_remind_offset_days: Hours | None = None
    notify_remind_offset_hour: Hours | None = None
    notify_extend_offset_days: Hours | None = None
    notify_extend_offset_hour: Hours | None = None
    notify_schedule_offset: Hours | None = None
    meta: JsonObject | None = None


class DefinitionRules(DefinitionText):
    """The rules a definition may have and may do without; null is without."""

    max_value: Amount | None = None
    """The most one reward may be worth when it is issued."""
    currency: CurrencyCode | None = None
    """The programme's: there is no other."""
    absolute_expiry: Day | None = None
    """The last day of every reward, with the `period_type` absolute_date."""
    extend_days: Days | None = None
    """How long an extension lasts that names no days and no date."""
    start_at: Moment | None = None
    end_at: Moment | None = None
    """Rewards are issued from `start_at` to `end_at`, both included."""
    timezone: MaybeZone = None
    """The zone of these two; the programme's unless given."""
    max_per_profile: WholeNumber | None = None
    """The most rewards one profile is ever issued under it."""
    max_total: WholeNumber | None = None
    """The most rewards that are ever issued under it, from the version on that says so first."""
    eligibility: Condition | None = None
    """Who may be issued one, in JSON Logic."""
    min_spend: PositiveAmount | None = None
    """The least a sale must be, before rewards, for such a reward to pay for it."""
    max_redeem_per_transaction: PositiveAmount | None = None
    """The most that rewards of this definition pay of one sale."""


class AddRewardDefinition(DefinitionRules):
    """Define a reward. `type` is a label and changes no mechanics; `handle` never changes."""

    name: Title
    handle: Handle
    value: Amount
    type: Slug
    period: Period
    period_type: PeriodType = "days"
    is_assignable: Flag = True
    is_reassignable: Flag = False
    is_extendable: Flag = False
    is_published: Flag = False


class DefinitionChanges(DefinitionRules):
    """The fields to change; the others stay. A text or rule of null is taken away."""

    NULL_SAYS_MORE: ClassVar[frozenset[str]] = frozenset(DefinitionRules.model_fields)

    name: Title | None = None
    value: Amount | None = None
    type: Slug | None = None
    period: Period | None = None
    period_type: PeriodType | None = None
    is_assignable: Flag | None = None
    is_reassignable: Flag | None = None
    is_extendable: Flag | None = None
    is_published: Flag | None = None

    @field_validator(
        "name", "value", "type", "period", "period_type",
        "is_assignable", "is_reassignable", "is_extendable", "is_published",
        mode="before",
    )  # fmt: skip
    @classmethod
    def _not_null(cls, value: Any) -> Any:
        if value is None:
            raise ValueError("Leave it out to keep it; it can't be null.")
        return value

    @model_validator(mode="after")
    def _something(self) -> Self:
        if not self.model_fields_set - {"definition_id", "expected_version"}:
            raise ValueError("Give at least one field to change.")
        return self


class ChangeRewardDefinition(DefinitionChanges):
    """A new version of a definition; rewards already issued keep their terms."""

    definition_id: WholeNumber
    expected_version: WholeNumber | None = None
    """The version the change rests on; another one refuses it."""


class ArchiveRewardDefinition(Command):
    """No more rewards under this definition; those issued live on."""

    definition_id: WholeNumber


class DefinitionTerms(Event, abstract=True):
    """A whole version of a definition: every event carries it all, so each can be read alone."""

    definition_id: int
    definition_version: int
    name: str
    handle: str
    value_minor: int
    type: str
    period: int
    period_type: PeriodType
    is_assignable: bool
    is_reassignable: bool
    is_extendable: bool
    is_published: bool
    max_value_minor: int | None = None
    currency: str | None = None
    absolute_expiry: date | None = None
    extend_days: int | None = None
    start_at: datetime | None = None
    end_at: datetime | None = None
    timezone: str | None = None
    min_spend_minor: int | None = None
    max_redeem_per_transaction_minor: int | None = None
    max_per_profile: int | None = None
    max_total: int | None = None
    eligibility: dict[str, JsonValue] | None = None
    text: dict[str, JsonValue] = Field(default_factory=dict)

    EXAMPLE: ClassVar[dict[str, Any]] = {
        "definition_id": 6,
        "definition_version": 1,
        "name": "Birthday Reward",
        "handle": "birthday-reward",
        "value_minor": 1000,
        "type": "birthday",
        "period": 30,
        "period_type": "days",
        "is_assignable": True,
        "is_reassignable": False,
        "is_extendable": False,
        "is_published": False,
        "text": {"description": "Birthday reward valid for 30 days"},
    }


class RewardDefinitionAdded(DefinitionTerms):
    """A definition exists, in version 1."""


class RewardDefinitionChanged(DefinitionTerms):
    """A definition has a new version."""


class RewardDefinitionArchived(Event):
    """Nothing is issued under this definition any more."""

    EXAMPLE: ClassVar[dict[str, Any]] = {"definition_id": 6}

    definition_id: int


class DefinitionIssueCounted(Event):
    """A reward was issued under a definition that limits them all; this one was number so-and-so.

    It stands in a stream of the definition's own, beside the account's in the same append.
    """

    EXAMPLE: ClassVar[dict[str, Any]] = {"definition_id": 6, "reward_id": 17, "number": 1}

    definition_id: int
    reward_id: int
    number: int
