"""Profiles: whom there is, whom each has become, and who has become each."""

from collections.abc import Iterable
from typing import Any, get_args

from sqlalchemy import BigInteger, Column, DateTime, Index, Text
from sqlalchemy.dialects.postgresql import JSONB

from projections.projection import (
    EventRecord,
    Key,
    Projection,
    Row,
    Rows,
    of_types,
    read_model,
    row_of,
)
from projections.read_models.books import profile_of
from schemas.events import Event
from schemas.personal import laid_on
from schemas.profiles import ProfileMerged, ProfileMergedAway, ProfileRegistered
from schemas.registrations import ProfileChanged, ProfileDeleted, ProfileRestored

TABLE = read_model(
    "profiles",
    1,
    Column("profile_id", Text, primary_key=True),
    Column("type", Text, nullable=False),
    Column("tags", JSONB, nullable=False),
    Column("personal", JSONB),
    Column("deleted_at", DateTime(timezone=True)),
    Column("merged_into", Text),
    Column("absorbed", JSONB, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("updated_at", DateTime(timezone=True), nullable=False),
    Column("position", BigInteger, nullable=False),
    Index("profiles_v1_created", "created_at", "profile_id"),
)

Changes = ProfileMergedAway | ProfileMerged | ProfileChanged | ProfileDeleted | ProfileRestored
Known = ProfileRegistered | Changes


def keys(record: EventRecord, event: Event) -> Iterable[Key]:
    """The account's own profile."""
    if isinstance(event, Known):
        yield (profile_of(record),)


def evolve(rows: Rows, record: EventRecord, event: Event) -> Rows:
    """What is told of the profile itself; its value is elsewhere."""
    if not isinstance(event, Known):
        return {}
    key = (profile_of(record),)
    if isinstance(event, ProfileRegistered):
        row = _registered(event, record)
    else:
        row = row_of(rows, key) | _changes(row_of(rows, key), event, record)
    return {key: row | {"updated_at": record.occurred_at, "position": record.position}}


def _registered(event: ProfileRegistered, record: EventRecord) -> Row:
    return {
        "profile_id": event.profile_id,
        "type": event.type,
        "tags": list(event.tags),
        "personal": laid_on(None, event.personal),
        "deleted_at": None,
        "merged_into": None,
        "absorbed": [],
        "created_at": record.occurred_at,
    }


def _changes(row: Row, event: Changes, record: EventRecord) -> dict[str, Any]:
    match event:
        case ProfileMergedAway():
            return {"merged_into": event.into}
        case ProfileMerged():
            return {"absorbed": [*row["absorbed"], event.giver, *event.absorbed]}
        case ProfileChanged():
            personal = laid_on(row["personal"], event.personal, event.replaced)
            return {"type": event.type, "tags": list(event.tags), "personal": personal}
        case ProfileDeleted():
            return {"deleted_at": record.occurred_at}
        case ProfileRestored():
            return {"deleted_at": None}


PROJECTION = Projection(
    name="profiles",
    version=1,
    table=TABLE,
    category="account",
    keys=keys,
    evolve=evolve,
    relevant=of_types(*get_args(Known)),
)
