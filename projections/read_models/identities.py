"""Identities: what each profile is known by. The identifier is sealed."""

from collections.abc import Iterable

from sqlalchemy import BigInteger, Boolean, Column, DateTime, Index, Text
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
from projections.read_models.handover import giver_of
from schemas.events import Event
from schemas.handover import AccountTakenOver, HandedOver
from schemas.identities import IdentityAttached, IdentityDetached
from schemas.personal import laid_on
from schemas.profiles import (
    AccountPartHandedOver,
    AccountPartTakenOver,
    ProfileMerged,
    ProfileMergedAway,
)

TABLE = read_model(
    "identities",
    1,
    Column("identity_id", BigInteger, primary_key=True),
    Column("profile_id", Text, nullable=False),
    Column("handle", Text, nullable=False),
    Column("is_primary", Boolean, nullable=False),
    Column("personal", JSONB),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("updated_at", DateTime(timezone=True), nullable=False),
    Column("position", BigInteger, nullable=False),
    Index("identities_v1_profile", "profile_id", "identity_id"),
)


def keys(_: EventRecord, event: Event) -> Iterable[Key]:
    """The identity itself and those it comes before; all that pass to another account."""
    match event:
        case IdentityAttached():
            return [(number,) for number in (event.identity_id, *event.demoted)]
        case IdentityDetached():
            return [(event.identity_id,)]
        case HandedOver():
            return [(number,) for number in event.identities]
        case AccountTakenOver():
            return [(each.identity_id,) for each in event.identities]
    return []


def evolve(rows: Rows, record: EventRecord, event: Event) -> Rows:
    """Attached, perhaps second to another one of its handle, and gone."""
    changed: dict[Key, Row] = {}
    match event:
        case IdentityAttached():
            demoted: dict[Key, Row] = {
                (n,): row_of(rows, (n,)) | {"is_primary": False} for n in event.demoted
            }
            changed = demoted | {(event.identity_id,): _attached(event, record)}
        case IdentityDetached():
            return {(event.identity_id,): None}
        case HandedOver():
            owner = {"profile_id": event.into}
            changed = {(n,): row_of(rows, (n,)) | owner for n in event.identities}
        case AccountTakenOver():
            changed = {
                (each.identity_id,): row_of(rows, (each.identity_id,))
                | {"profile_id": profile_of(record), "is_primary": each.is_primary}
                for each in event.identities
            }
        case _:
            return {}
    at = {"updated_at": record.occurred_at, "position": record.position}
    return {key: row | at for key, row in changed.items()}


def _attached(event: IdentityAttached, record: EventRecord) -> Row:
    return {
        "identity_id": event.identity_id,
        "profile_id": profile_of(record),
        "handle": event.handle,
        "is_primary": event.is_primary,
        "personal": laid_on(None, event.personal),
        "created_at": record.occurred_at,
    }


PROJECTION = Projection(
    name="identities",
    version=1,
    table=TABLE,
    category="account",
    keys=keys,
    evolve=evolve,
    relevant=of_types(
        IdentityAttached,
        IdentityDetached,
        AccountPartHandedOver,
        AccountPartTakenOver,
        ProfileMerged,
        ProfileMergedAway,
    ),
    builds_on=giver_of,
)
