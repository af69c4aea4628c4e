"""The folded state of the programme: its definitions and its settings."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import reduce

from immutables import Map

from ledger.decider import ProgrammeSettings
from ledger.programme.settings import settings_of
from schemas.events import Event
from schemas.programme import ProgrammeSettingsChanged
from schemas.reward_definitions import (
    DefinitionTerms,
    RewardDefinitionAdded,
    RewardDefinitionArchived,
    RewardDefinitionChanged,
)

PROGRAMME_STREAM = "programme"


@dataclass(frozen=True, slots=True)
class Definition:
    """The version of a definition that holds now."""

    terms: DefinitionTerms
    archived: bool = False


@dataclass(frozen=True, slots=True)
class Programme:
    """All definitions, by id and by handle, and the settings."""

    definitions: Map[int, Definition] = field(default_factory=Map)
    handles: Map[str, int] = field(default_factory=Map)
    settings: ProgrammeSettings | None = None
    """None until they are first changed: what the environment says holds."""

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
            return replace(
                programme,
                definitions=programme.definitions.set(event.definition_id, after),
                handles=programme.handles.set(event.handle, event.definition_id),
            )
        case RewardDefinitionArchived():
            archived = replace(programme.definitions[event.definition_id], archived=True)
            return replace(
                programme, definitions=programme.definitions.set(event.definition_id, archived)
            )
        case ProgrammeSettingsChanged():
            return replace(programme, settings=settings_of(event))
    return programme
