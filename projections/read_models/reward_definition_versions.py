"""Reward definitions in every version, each with when and by whom it was written."""

from collections.abc import Iterable

from sqlalchemy import BigInteger, Column, DateTime, Integer, Text
from sqlalchemy.dialects.postgresql import JSONB

from projections.projection import EventRecord, Key, Projection, Rows, read_model
from schemas.envelope import Recorded
from schemas.events import Event
from schemas.reward_definitions import DefinitionTerms

TABLE = read_model(
    "reward_definition_versions",
    1,
    Column("definition_id", BigInteger, primary_key=True),
    Column("definition_version", Integer, primary_key=True),
    Column("terms", JSONB, nullable=False),
    Column("changed_at", DateTime(timezone=True), nullable=False),
    Column("changed_by", Text, nullable=False),
    Column("position", BigInteger, nullable=False),
)


def keys(_: EventRecord, event: Event) -> Iterable[Key]:
    """Each version is a row of its own."""
    if isinstance(event, DefinitionTerms):
        yield (event.definition_id, event.definition_version)


def evolve(_: Rows, record: EventRecord, event: Event) -> Rows:
    """An event carries all terms."""
    if not isinstance(event, DefinitionTerms):
        return {}
    assert isinstance(record, Recorded)
    row = {
        "definition_id": event.definition_id,
        "definition_version": event.definition_version,
        "terms": event.model_dump(mode="json", exclude={"movements", "personal"}),
        "changed_at": record.occurred_at,
        "changed_by": record.actor,
        "position": record.position,
    }
    return {(event.definition_id, event.definition_version): row}


PROJECTION = Projection(
    name="reward_definition_versions",
    version=1,
    table=TABLE,
    category="programme",
    keys=keys,
    evolve=evolve,
    from_log=True,
)
