"""The programme's settings: from the event that changed them last, and the decision to change."""

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from ledger.decider import Circumstances, ProgrammeSettings
from ledger.rejections import CurrencyFrozen, PreconditionFailed
from schemas.events import Event
from schemas.programme import ChangeProgrammeSettings, ProgrammeSettingsChanged

if TYPE_CHECKING:
    from ledger.programme.state import Programme

_LIMITS = ("issue_max", "return_max", "adjust_max")


def settings_of(event: ProgrammeSettingsChanged) -> ProgrammeSettings:
    """The settings as decisions know them."""
    return ProgrammeSettings(
        version=event.settings_version,
        currency=event.currency,
        currency_digits=event.currency_digits,
        reversal_window=timedelta(seconds=event.reversal_window_seconds),
        return_policy=event.return_policy,
        grace_days=event.grace_days,
        clawback_policy=event.clawback_policy,
        point_exchange_rate=event.point_exchange_rate,
        zone=event.zone,
        auto_register=event.auto_register,
        hold_max=timedelta(seconds=event.hold_seconds_max),
        late_redemption_window=timedelta(seconds=event.late_redemption_window_seconds),
        issue_max_minor=event.issue_max_minor,
        return_max_minor=event.return_max_minor,
        adjust_max_minor=event.adjust_max_minor,
    )


def settings_event(settings: ProgrammeSettings) -> ProgrammeSettingsChanged:
    """The same as an event, which carries them all."""
    return ProgrammeSettingsChanged(
        settings_version=settings.version,
        currency=settings.currency,
        currency_digits=settings.currency_digits,
        point_exchange_rate=settings.point_exchange_rate,
        reversal_window_seconds=int(settings.reversal_window.total_seconds()),
        return_policy=settings.return_policy,
        grace_days=settings.grace_days,
        clawback_policy=settings.clawback_policy,
        zone=settings.zone,
        auto_register=settings.auto_register,
        hold_seconds_max=int(settings.hold_max.total_seconds()),
        late_redemption_window_seconds=int(settings.late_redemption_window.total_seconds()),
        issue_max_minor=settings.issue_max_minor,
        return_max_minor=settings.return_max_minor,
        adjust_max_minor=settings.adjust_max_minor,
    )


def change_programme_settings(
    command: ChangeProgrammeSettings, programme: "Programme", at: Circumstances
) -> tuple[Event, ...]:
    """The given settings beside those that hold; a change that changes nothing is none."""
    held = at.settings
    if command.expected_version not in (None, held.version):
        raise PreconditionFailed(f"The settings have version {held.version} now; read them again.")
    before = settings_event(held)
    given = command.model_dump(exclude_unset=True, exclude={"expected_version", *_LIMITS})
    if programme.definitions and changes_currency(command, held):
        raise CurrencyFrozen("The currency and its decimals stay: a definition has amounts in it.")
    content = before.model_dump() | given | _limits(command, held, at)
    if content == before.model_dump():
        return ()
    return (ProgrammeSettingsChanged(**content | {"settings_version": held.version + 1}),)


def changes_currency(command: ChangeProgrammeSettings, held: ProgrammeSettings) -> bool:
    """Whether amounts would mean something else after it."""
    asked = (command.currency, command.currency_digits)
    holds = (held.currency, held.currency_digits)
    return any(new not in (None, old) for new, old in zip(asked, holds, strict=True))


def _limits(
    command: ChangeProgrammeSettings, held: ProgrammeSettings, at: Circumstances
) -> dict[str, Any]:
    """All limits in the minor unit that holds then: those that stay, stay as amounts."""
    digits = held.currency_digits if command.currency_digits is None else command.currency_digits
    then = replace(at, settings=replace(held, currency_digits=digits))
    limits: dict[str, Any] = {}
    for name in _LIMITS:
        minor = getattr(held, f"{name}_minor")
        amount = None if minor is None else at.amount(minor)
        if name in command.model_fields_set:
            amount = getattr(command, name)
        limits[f"{name}_minor"] = None if amount is None else then.minor(amount, name)
    return limits
