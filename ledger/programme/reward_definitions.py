"""Reward definitions: the decisions that add, change and archive them."""

from datetime import datetime
from typing import Any

from ledger.decider import Circumstances
from ledger.programme.state import Definition, Programme
from ledger.rejections import (
    DefinitionNotAssignable,
    HandleTaken,
    InvalidDefinition,
    NoSuchDefinition,
    PreconditionFailed,
    UnknownDefinition,
    UnsupportedCurrency,
)
from schemas.events import Event
from schemas.reward_definitions import (
    AddRewardDefinition,
    ArchiveRewardDefinition,
    ChangeRewardDefinition,
    DefinitionTerms,
    DefinitionText,
    RewardDefinitionAdded,
    RewardDefinitionArchived,
    RewardDefinitionChanged,
)
from schemas.times import parse_instant

_TEXT_FIELDS = set(DefinitionText.model_fields)
_NO_TERMS = _TEXT_FIELDS | {"definition_id", "expected_version"}
_AMOUNTS = {"value", "max_value", "min_spend", "max_redeem_per_transaction"}
_MOMENTS = ("start_at", "end_at")
_ABSOLUTE = ("absolute_date", "absolute_week", "absolute_month")


def add_reward_definition(
    command: AddRewardDefinition, programme: Programme, at: Circumstances
) -> tuple[Event, ...]:
    """A new definition under a handle nobody has used (article, step 1)."""
    if command.handle in programme.handles:
        raise HandleTaken(f"The handle {command.handle!r} belongs to another definition.")
    added = RewardDefinitionAdded(
        definition_id=next(at.ids),
        definition_version=1,
        **_content(command, command.timezone or at.settings.zone, at),
        text=_text(command),
    )
    _refuse_contradictions(added)
    return (added,)


def change_reward_definition(
    command: ChangeRewardDefinition, programme: Programme, at: Circumstances
) -> tuple[Event, ...]:
    """A new version; one that changes nothing is no version."""
    terms = _known(command.definition_id, programme).terms
    if command.expected_version not in (None, terms.definition_version):
        raise PreconditionFailed(
            f"The definition has version {terms.definition_version} now; read it again."
        )
    before = terms.model_dump(exclude={"definition_version"})
    zone = command.timezone or terms.timezone or at.settings.zone
    content = before | _content(command, zone, at)
    content["text"] = terms.text | _text(command)
    changed = RewardDefinitionChanged(definition_version=terms.definition_version + 1, **content)
    _refuse_contradictions(changed)
    return () if changed.model_dump(exclude={"definition_version"}) == before else (changed,)


def archive_reward_definition(
    command: ArchiveRewardDefinition, programme: Programme
) -> tuple[Event, ...]:
    """Final; doing it twice does nothing."""
    definition = _known(command.definition_id, programme)
    return (
        ()
        if definition.archived
        else (RewardDefinitionArchived(definition_id=command.definition_id),)
    )


def assignable(
    definition_id: int | None, handle: str | None, programme: Programme
) -> DefinitionTerms:
    """The definition a reward is to be issued under, named in one of its two ways.

    Raises:
        UnknownDefinition: there is none.
        DefinitionNotAssignable: it is archived, or says so.
    """
    definition = programme.find(definition_id, handle)
    if definition is None:
        raise UnknownDefinition(
            f"There is no reward definition {definition_id or handle!r}; add it first."
        )
    if definition.archived or not definition.terms.is_assignable:
        raise DefinitionNotAssignable(
            f"Reward definition {definition.terms.definition_id} is archived or not assignable."
        )
    return definition.terms


def _content(
    command: AddRewardDefinition | ChangeRewardDefinition, zone: str, at: Circumstances
) -> dict[str, Any]:
    """What a command says of the terms: amounts in minor units, times as instants."""
    is_change = isinstance(command, ChangeRewardDefinition)
    given = command.model_dump(exclude=_NO_TERMS, exclude_unset=is_change)
    for name in _AMOUNTS & set(given):
        amount = given.pop(name)
        given[f"{name}_minor"] = None if amount is None else at.minor(amount, name)
    if given.get("currency") not in (None, at.settings.currency):
        raise UnsupportedCurrency(
            f"This programme keeps {at.settings.currency}; give that, or leave it out."
        )
    for name in _MOMENTS:
        if given.get(name) is not None:
            given[name] = _instant(name, given[name], zone)
            given["timezone"] = zone
    return given


def _instant(name: str, moment: str, zone: str) -> datetime:
    try:
        return parse_instant(moment, zone).replace(microsecond=0)
    except ValueError as error:
        raise InvalidDefinition(f"{name}: {error}", field=name) from error


def _refuse_contradictions(terms: DefinitionTerms) -> None:
    """Refuse a version whose terms no reward could keep.

    Raises:
        InvalidDefinition: the detail names what contradicts what.
    """
    is_absolute = terms.period_type in _ABSOLUTE
    if terms.period == 0 and not is_absolute:
        raise InvalidDefinition(
            "period: 0 has a meaning only with the absolute period types.", field="period"
        )
    if (terms.period_type == "absolute_date") != (terms.absolute_expiry is not None):
        raise InvalidDefinition(
            "absolute_expiry and period_type absolute_date need each other.",
            field="absolute_expiry",
        )
    if terms.start_at and terms.end_at and terms.end_at < terms.start_at:
        raise InvalidDefinition("end_at is before start_at.", field="end_at")
    if terms.max_value_minor is not None and terms.value_minor > terms.max_value_minor:
        raise InvalidDefinition("value is above max_value.", field="value")


def _text(command: DefinitionText) -> dict[str, Any]:
    return command.model_dump(mode="json", include=_TEXT_FIELDS, exclude_unset=True)


def _known(definition_id: int, programme: Programme) -> Definition:
    definition = programme.definitions.get(definition_id)
    if definition is None:
        raise NoSuchDefinition(f"There is no reward definition {definition_id}.")
    return definition
