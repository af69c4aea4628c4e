"""Reward definitions: the decisions that add, change and archive them."""

from typing import Any

from ledger.decider import Circumstances
from ledger.programme.state import Definition, Programme
from ledger.rejections import HandleTaken, NoSuchDefinition, PreconditionFailed
from schemas.events import Event
from schemas.reward_definitions import (
    AddRewardDefinition,
    ArchiveRewardDefinition,
    ChangeRewardDefinition,
    DefinitionText,
    RewardDefinitionAdded,
    RewardDefinitionArchived,
    RewardDefinitionChanged,
)

_TEXT_FIELDS = set(DefinitionText.model_fields)
_NO_TERMS = _TEXT_FIELDS | {"definition_id", "expected_version"}
_AMOUNTS = {"value", "min_spend", "max_redeem_per_transaction"}


def add_reward_definition(
    command: AddRewardDefinition, programme: Programme, at: Circumstances
) -> tuple[Event, ...]:
    """A new definition under a handle nobody has used (article, step 1)."""
    if command.handle in programme.handles:
        raise HandleTaken(f"The handle {command.handle!r} belongs to another definition.")
    added = RewardDefinitionAdded(
        definition_id=next(at.ids),
        definition_version=1,
        **_content(command, at),
        text=_text(command),
    )
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
    content = before | _content(command, at)
    content["text"] = terms.text | _text(command)
    changed = RewardDefinitionChanged(definition_version=terms.definition_version + 1, **content)
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


def _content(
    command: AddRewardDefinition | ChangeRewardDefinition, at: Circumstances
) -> dict[str, Any]:
    """What a command says of the terms, amounts in minor units."""
    is_change = isinstance(command, ChangeRewardDefinition)
    given = command.model_dump(exclude=_NO_TERMS, exclude_unset=is_change)
    for name in _AMOUNTS & set(given):
        amount = given.pop(name)
        given[f"{name}_minor"] = None if amount is None else at.minor(amount, name)
    return given


def _text(command: DefinitionText) -> dict[str, Any]:
    return command.model_dump(mode="json", include=_TEXT_FIELDS, exclude_unset=True)


def _known(definition_id: int, programme: Programme) -> Definition:
    definition = programme.definitions.get(definition_id)
    if definition is None:
        raise NoSuchDefinition(f"There is no reward definition {definition_id}.")
    return definition
