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
        name=command.name,
        handle=command.handle,
        value_minor=at.minor(command.value),
        type=command.type,
        period=command.period,
        period_type=command.period_type,
        is_assignable=command.is_assignable,
        is_reassignable=command.is_reassignable,
        is_extendable=command.is_extendable,
        is_published=command.is_published,
        text=command.model_dump(mode="json", include=_TEXT_FIELDS, exclude_unset=True),
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
    addressing = {"definition_id", "expected_version"}
    given = command.model_dump(mode="python", exclude=addressing, exclude_none=True)
    text = command.model_dump(mode="json", include=_TEXT_FIELDS, exclude_unset=True)
    changes: dict[str, Any] = {k: v for k, v in given.items() if k not in _TEXT_FIELDS}
    if "value" in changes:
        changes["value_minor"] = at.minor(changes.pop("value"))
    content = terms.model_dump(exclude={"definition_version"}) | changes
    content["text"] = terms.text | text
    changed = RewardDefinitionChanged(definition_version=terms.definition_version + 1, **content)
    if changed.model_dump(exclude={"definition_version"}) == terms.model_dump(
        exclude={"definition_version"}
    ):
        return ()
    return (changed,)


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


def _known(definition_id: int, programme: Programme) -> Definition:
    definition = programme.definitions.get(definition_id)
    if definition is None:
        raise NoSuchDefinition(f"There is no reward definition {definition_id}.")
    return definition
