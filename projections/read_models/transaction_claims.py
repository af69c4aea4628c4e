"""Claims: which sale a profile says is its own, and what became of it."""

from collections.abc import Iterable

from sqlalchemy import BigInteger, Column, DateTime, Index, Integer, Text

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
from schemas.profiles import (
    AccountPartHandedOver,
    AccountPartTakenOver,
    ProfileMerged,
    ProfileMergedAway,
)
from schemas.transaction_claims import (
    TransactionClaimChecked,
    TransactionClaimed,
    TransactionClaimOpened,
    TransactionClaimRejected,
)

TABLE = read_model(
    "transaction_claims",
    1,
    Column("claim_id", BigInteger, primary_key=True),
    Column("profile_id", Text, nullable=False),
    Column("receipt_ref", Text, nullable=False),
    Column("total_minor", BigInteger, nullable=False),
    Column("told_time", Text),
    Column("timezone", Text),
    Column("location_external_code", Text),
    Column("status", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("last_checked_at", DateTime(timezone=True), nullable=False),
    Column("claimed_transaction_id", BigInteger),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("updated_at", DateTime(timezone=True), nullable=False),
    Column("position", BigInteger, nullable=False),
    Index("transaction_claims_v1_profile", "profile_id", "claim_id"),
)

Known = (
    TransactionClaimOpened | TransactionClaimChecked | TransactionClaimed | TransactionClaimRejected
)


def keys(_: EventRecord, event: Event) -> Iterable[Key]:
    """The claim's own row; those of all that pass to another account."""
    if isinstance(event, HandedOver):
        return [(number,) for number in event.sale_claims]
    if isinstance(event, AccountTakenOver):
        return [(each.claim_id,) for each in event.sale_claims]
    return [(event.claim_id,)] if isinstance(event, Known) else []


def evolve(rows: Rows, record: EventRecord, event: Event) -> Rows:
    """Opened, looked for, and settled once."""
    if isinstance(event, HandedOver | AccountTakenOver):
        return {key: row_of(rows, key) | _owned(record, event) for key in keys(record, event)}
    if not isinstance(event, Known):
        return {}
    key = (event.claim_id,)
    if isinstance(event, TransactionClaimOpened):
        row = _opened(event, record)
    else:
        row = dict(row_of(rows, key)) | {"attempts": event.attempts}
    match event:
        case TransactionClaimed():
            row |= {"status": "claimed", "claimed_transaction_id": event.transaction_id}
        case TransactionClaimRejected():
            row |= {"status": "rejected"}
    times = dict.fromkeys(("last_checked_at", "updated_at"), record.occurred_at)
    return {key: row | times | {"position": record.position}}


def _owned(record: EventRecord, event: HandedOver | AccountTakenOver) -> Row:
    owner = event.into if isinstance(event, HandedOver) else profile_of(record)
    return {"profile_id": owner, "updated_at": record.occurred_at, "position": record.position}


def _opened(event: TransactionClaimOpened, record: EventRecord) -> Row:
    return {
        "claim_id": event.claim_id,
        "profile_id": profile_of(record),
        "receipt_ref": event.receipt_ref,
        "total_minor": event.total_minor,
        "told_time": event.told_time,
        "timezone": event.timezone,
        "location_external_code": event.location_external_code,
        "status": "open",
        "attempts": 1,
        "claimed_transaction_id": None,
        "created_at": record.occurred_at,
    }


PROJECTION = Projection(
    name="transaction_claims",
    version=1,
    table=TABLE,
    category="account",
    keys=keys,
    evolve=evolve,
    relevant=of_types(
        TransactionClaimOpened,
        TransactionClaimChecked,
        TransactionClaimed,
        TransactionClaimRejected,
        AccountPartHandedOver,
        AccountPartTakenOver,
        ProfileMerged,
        ProfileMergedAway,
    ),
    builds_on=giver_of,
)
