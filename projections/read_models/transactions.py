"""Transactions: each sale as the till sent it, with the redemptions that paid for it."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import BigInteger, Boolean, Column, DateTime, Index, Text
from sqlalchemy.dialects.postgresql import JSONB

from projections.projection import EventRecord, Key, Projection, Row, Rows, read_model, row_of
from schemas.events import Event
from schemas.personal import laid_on
from schemas.transactions import (
    SALE_FIELDS,
    RedemptionAttributed,
    TransactionRecorded,
    TransactionVoided,
)

TABLE = read_model(
    "transactions",
    1,
    Column("transaction_id", BigInteger, primary_key=True),
    Column("profile_id", Text),
    Column("external_id", Text),
    Column("total_minor", BigInteger, nullable=False),
    Column("transacted_at", DateTime(timezone=True), nullable=False),
    Column("timezone", Text, nullable=False),
    Column("is_void", Boolean, nullable=False),
    Column("voided_at", DateTime(timezone=True)),
    Column("receipt_ref", Text),
    Column("location_id", JSONB),
    Column("sale", JSONB, nullable=False),
    Column("personal", JSONB),
    Column("redemption_id", BigInteger),
    Column("redemption_total_minor", BigInteger, nullable=False),
    Column("redemptions", JSONB, nullable=False),
    Column("shares_minor", JSONB, nullable=False),
    Column("unallocated_minor", BigInteger, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("updated_at", DateTime(timezone=True), nullable=False),
    Column("position", BigInteger, nullable=False),
    Index("transactions_v1_profile", "profile_id", "transaction_id"),
    Index("transactions_v1_external", "external_id"),
)

_COLUMNS_OF_THEIR_OWN = frozenset({"external_id", "receipt_ref", "location_id"})
SALE_DOCUMENT_FIELDS = frozenset(SALE_FIELDS) - _COLUMNS_OF_THEIR_OWN
"""What of a sale stands in the document `sale`, under the names of the event."""

Known = TransactionRecorded | RedemptionAttributed | TransactionVoided


def keys(_: EventRecord, event: Event) -> Iterable[Key]:
    """The transaction's own row."""
    if isinstance(event, Known):
        yield (event.transaction_id,)


def evolve(rows: Rows, record: EventRecord, event: Event) -> Rows:
    """Recorded whole, then attributed, then perhaps voided; what it was stays readable."""
    if not isinstance(event, Known):
        return {}
    key = (event.transaction_id,)
    if isinstance(event, TransactionRecorded):
        row = _recorded(event, record)
    else:
        row = dict(row_of(rows, key))
        row |= _attributed(row, event) if isinstance(event, RedemptionAttributed) else _void(record)
    return {key: row | {"updated_at": record.occurred_at, "position": record.position}}


def _recorded(event: TransactionRecorded, record: EventRecord) -> Row:
    sale: dict[str, Any] = event.model_dump(
        mode="json", by_alias=True, exclude_none=True, include=set(SALE_DOCUMENT_FIELDS)
    )
    return {
        "transaction_id": event.transaction_id,
        "profile_id": event.profile_id,
        "external_id": event.external_id,
        "total_minor": event.total_minor,
        "transacted_at": event.transacted_at,
        "timezone": event.timezone,
        "is_void": False,
        "voided_at": None,
        "receipt_ref": event.receipt_ref,
        "location_id": event.location_id,
        "sale": sale,
        "personal": laid_on(None, event.personal),
        "redemption_id": None,
        "redemption_total_minor": 0,
        "redemptions": [],
        "shares_minor": [],
        "unallocated_minor": 0,
        "created_at": record.occurred_at,
    }


def _attributed(row: Row, event: RedemptionAttributed) -> Row:
    redemption = {
        "id": event.redemption_id,
        "total_minor": event.total_minor,
        "parts": [part.model_dump() for part in event.parts],
    }
    redemptions = [*row["redemptions"], redemption]
    return {
        "profile_id": event.profile_id,
        "redemption_id": redemptions[0]["id"],
        "redemption_total_minor": sum(each["total_minor"] for each in redemptions),
        "redemptions": redemptions,
        # Each event spreads all redemptions so far, so the last one says it all.
        "shares_minor": list(event.shares_minor),
        "unallocated_minor": event.unallocated_minor,
    }


def _void(record: EventRecord) -> Row:
    return {"is_void": True, "voided_at": record.occurred_at}


PROJECTION = Projection(
    name="transactions",
    version=1,
    table=TABLE,
    category="transaction",
    keys=keys,
    evolve=evolve,
)
