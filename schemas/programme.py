"""The programme's settings: the rules that hold for every account."""

from decimal import Decimal
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, ValidationInfo, field_validator, model_validator

from schemas.amounts import Amount, ExchangeRate, WholeFromZero, WholeNumber
from schemas.commands import Command
from schemas.events import Event
from schemas.flags import Flag
from schemas.redemptions import ReturnPolicy
from schemas.times import ZoneName

YEAR_SECONDS = 31_536_000
GRACE_DAYS_MAX = 36_500
CURRENCY_DIGITS_MAX = 2

ClawbackPolicy = Literal["debt", "floor", "refuse"]
CurrencyCode = Annotated[str, Field(pattern="^[A-Z]{3}$")]
Seconds = Annotated[WholeFromZero, Field(le=YEAR_SECONDS)]


class ProgrammeSettingsChanges(Command):
    """The settings to change; the others stay. A limit of null is no limit."""

    NULL_SAYS_MORE: ClassVar[frozenset[str]] = frozenset({"issue_max", "return_max", "adjust_max"})

    currency: CurrencyCode | None = None
    """Of every balance. Fixed once there is a definition, a profile or a sale."""
    currency_digits: Annotated[WholeFromZero, Field(le=CURRENCY_DIGITS_MAX)] | None = None
    """The decimals of its minor unit. Fixed like the currency."""
    point_exchange_rate: ExchangeRate | None = None
    """What one point pays."""
    reversal_window_seconds: Seconds | None = None
    """How long after a redemption it can be reversed."""
    return_policy: ReturnPolicy | None = None
    """What a return does unless the request says otherwise."""
    grace_days: Annotated[WholeFromZero, Field(le=GRACE_DAYS_MAX)] | None = None
    """How long value lives that comes back after its reward has expired."""
    clawback_policy: ClawbackPolicy | None = None
    """What becomes of points a return takes back that are spent already."""
    zone: ZoneName | None = None
    """The zone of a request that names none."""
    auto_register: Flag | None = None
    """Whether issuing, a sale or an identity makes an unknown profile known."""
    hold_seconds_max: Annotated[WholeNumber, Field(le=YEAR_SECONDS)] | None = None
    """The longest a redemption may be held before it is captured."""
    late_redemption_window_seconds: Seconds | None = None
    """How long after its expiry value may be taken by a redemption made in time elsewhere."""
    issue_max: Amount | None = None
    """The most that staff may issue at once."""
    return_max: Amount | None = None
    """The most that staff may return at once."""
    adjust_max: Amount | None = None
    """The most by which staff may adjust a reward at once."""

    @field_validator("*", mode="before")
    @classmethod
    def _not_null(cls, value: Any, info: ValidationInfo) -> Any:
        if value is None and info.field_name not in cls.NULL_SAYS_MORE:
            raise ValueError("Leave it out to keep it; it can't be null.")
        return value

    @model_validator(mode="after")
    def _something(self) -> Self:
        if not self.model_fields_set - {"expected_version"}:
            raise ValueError("Give at least one setting to change.")
        return self


class ChangeProgrammeSettings(ProgrammeSettingsChanges):
    """Change rules of the programme, for every command decided from then on."""

    expected_version: WholeFromZero | None = None
    """The version the change rests on; another one refuses it."""


class ProgrammeSettingsChanged(Event):
    """The settings that hold from here on: all of them, so that each can be read alone."""

    EXAMPLE: ClassVar[dict[str, Any]] = {
        "settings_version": 1,
        "currency": "AUD",
        "currency_digits": 2,
        "point_exchange_rate": "0.01",
        "reversal_window_seconds": 600,
        "return_policy": "reissue",
        "grace_days": 14,
        "clawback_policy": "debt",
        "zone": "Australia/Melbourne",
        "auto_register": True,
        "hold_seconds_max": 604800,
        "late_redemption_window_seconds": 259200,
        "issue_max_minor": 10000,
    }

    settings_version: int
    currency: str
    currency_digits: int
    point_exchange_rate: Decimal
    """Text in JSON, so that every reader keeps it exactly."""
    reversal_window_seconds: int
    return_policy: ReturnPolicy
    grace_days: int
    clawback_policy: ClawbackPolicy
    zone: str
    auto_register: bool
    hold_seconds_max: int
    late_redemption_window_seconds: int
    issue_max_minor: int | None = None
    """None is without a limit."""
    return_max_minor: int | None = None
    adjust_max_minor: int | None = None
