"""Claims: which sale a profile says is its own, and what became of it."""

from collections.abc import Iterable

from sqlalchemy import BigInteger, Column, DateTime, Index, Integer, Text

from projections.projection import EventRecord, Key, Projection, Row, Rows, read_model, row_of
from projections.read_models.books import profile_of
from schemas.events import Event
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
_TYPES = frozenset(
    cls.__name__
    for cls in (
        TransactionClaimOpened,
        TransactionClaimChecked,
        TransactionClaimed,
        TransactionClaimRejected,
    )
)


def keys(_: EventRecord, event: Event) -> Iterable[Key]:
    """The claim's own row."""
    if isinstance(event, Known):
        yield (event.claim_id,)


def evolve(rows: Rows, record: EventRecord, event: Event) -> Rows:
    """Opened, looked for, and settled once."""
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


def _relevant(record: EventRecord) -> bool:
    return record.type in _TYPES


PROJECTION = Projection(
    name="transaction_claims",
    version=1,
    table=TABLE,
    category="account",
    keys=keys,
    evolve=evolve,
    relevant=_relevant,
)
