"""The programme's settings in every version, each with when and by whom."""

from collections.abc import Iterable

from sqlalchemy import BigInteger, Column, DateTime, Integer, Text
from sqlalchemy.dialects.postgresql import JSONB

from projections.projection import EventRecord, Key, Projection, Rows, read_model
from schemas.envelope import Recorded
from schemas.events import Event
from schemas.programme import ProgrammeSettingsChanged

TABLE = read_model(
    "programme_settings",
    1,
    Column("settings_version", Integer, primary_key=True),
    Column("settings", JSONB, nullable=False),
    Column("changed_at", DateTime(timezone=True), nullable=False),
    Column("recorded_at", DateTime(timezone=True), nullable=False),
    Column("changed_by", Text),
    Column("position", BigInteger, nullable=False),
)


def keys(_: EventRecord, event: Event) -> Iterable[Key]:
    """Each change is a row of its own."""
    if isinstance(event, ProgrammeSettingsChanged):
        yield (event.settings_version,)


def evolve(_: Rows, record: EventRecord, event: Event) -> Rows:
    """An event carries all settings. Who changed them is known only once it is recorded."""
    if not isinstance(event, ProgrammeSettingsChanged):
        return {}
    written = record if isinstance(record, Recorded) else None
    row = {
        "settings_version": event.settings_version,
        "settings": event.model_dump(mode="json", exclude={"movements", "personal"}),
        "changed_at": record.occurred_at,
        "recorded_at": written.recorded_at if written else record.occurred_at,
        "changed_by": written.actor if written else None,
        "position": record.position,
    }
    return {(event.settings_version,): row}


PROJECTION = Projection(
    name="programme_settings",
    version=1,
    table=TABLE,
    category="programme",
    keys=keys,
    evolve=evolve,
    from_log=True,
)
