"""Reward definitions: state, and the decisions that add, change and archive them."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import reduce
from typing import Any

from immutables import Map

from ledger.decider import Circumstances
from ledger.rejections import HandleTaken, NoSuchDefinition, PreconditionFailed
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

PROGRAMME_STREAM = "programme"
_TEXT_FIELDS = set(DefinitionText.model_fields)
_NO_TERMS = _TEXT_FIELDS | {"definition_id", "expected_version"}
_AMOUNTS = {"value", "min_spend", "max_redeem_per_transaction"}


@dataclass(frozen=True, slots=True)
class Definition:
    """The version of a definition that holds now."""

    terms: DefinitionTerms
    archived: bool = False


@dataclass(frozen=True, slots=True)
class Programme:
    """All definitions, by id and by handle."""

    definitions: Map[int, Definition] = field(default_factory=Map)
    handles: Map[str, int] = field(default_factory=Map)

    def find(self, definition_id: int | None, handle: str | None) -> Definition | None:
        """A definition by either of its names."""
        if definition_id is None and handle is not None:
            definition_id = self.handles.get(handle)
        return None if definition_id is None else self.definitions.get(definition_id)


def fold_programme(events: Iterable[Event], programme: Programme | None = None) -> Programme:
    """The programme after these events."""
    return reduce(evolve_programme, events, programme or Programme())


def evolve_programme(programme: Programme, event: Event) -> Programme:
    """The programme after one more event."""
    match event:
        case RewardDefinitionAdded() | RewardDefinitionChanged():
            before = programme.definitions.get(event.definition_id)
            after = Definition(event, archived=before is not None and before.archived)
            return Programme(
                programme.definitions.set(event.definition_id, after),
                programme.handles.set(event.handle, event.definition_id),
            )
        case RewardDefinitionArchived():
            archived = replace(programme.definitions[event.definition_id], archived=True)
            return replace(
                programme, definitions=programme.definitions.set(event.definition_id, archived)
            )
    return programme


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
        given[f"{name}_minor"] = None if amount is None else at.minor(amount)
    return given


def _text(command: DefinitionText) -> dict[str, Any]:
    return command.model_dump(mode="json", include=_TEXT_FIELDS, exclude_unset=True)


def _known(definition_id: int, programme: Programme) -> Definition:
    definition = programme.definitions.get(definition_id)
    if definition is None:
        raise NoSuchDefinition(f"There is no reward definition {definition_id}.")
    return definition
