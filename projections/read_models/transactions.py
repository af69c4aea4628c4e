"""Transactions: each sale as the till sent it, with the redemptions that paid for it."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import BigInteger, Boolean, Column, DateTime, Index, Text
from sqlalchemy.dialects.postgresql import JSONB

from projections.projection import EventRecord, Key, Projection, Row, Rows, read_model, row_of
from schemas.events import Event
from schemas.personal import laid_on
from schemas.transaction_changes import (
    RedemptionsSpread,
    TransactionAssigned,
    TransactionChanged,
    TransactionUnattached,
)
from schemas.transaction_returns import GoodsReturned, GoodsReturnVoided, ReturnMatched
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
    Column("returns", JSONB, nullable=False),
    Column("sale_transaction_id", BigInteger),
    Column("return_status", Text),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("updated_at", DateTime(timezone=True), nullable=False),
    Column("position", BigInteger, nullable=False),
    Index("transactions_v1_profile", "profile_id", "transaction_id"),
    Index("transactions_v1_external", "external_id"),
    Index("transactions_v1_receipt", "receipt_ref"),
    Index("transactions_v1_sale", "sale_transaction_id"),
)

_COLUMNS_OF_THEIR_OWN = frozenset({"external_id", "receipt_ref", "location_id"})
SALE_DOCUMENT_FIELDS = frozenset(SALE_FIELDS) - _COLUMNS_OF_THEIR_OWN
"""What of a sale stands in the document `sale`, under the names of the event."""

Known = (
    TransactionRecorded
    | TransactionChanged
    | TransactionAssigned
    | TransactionUnattached
    | RedemptionAttributed
    | RedemptionsSpread
    | TransactionVoided
    | GoodsReturned
    | GoodsReturnVoided
    | ReturnMatched
)


def keys(_: EventRecord, event: Event) -> Iterable[Key]:
    """The transaction's own row; an account may note the same event in its own stream."""
    if isinstance(event, Known):
        yield (event.transaction_id,)


def evolve(rows: Rows, record: EventRecord, event: Event) -> Rows:
    """Recorded whole, then as it was told to change; what it was stays readable in the log."""
    if not isinstance(event, Known):
        return {}
    key = (event.transaction_id,)
    if isinstance(event, TransactionRecorded):
        row = _recorded(event, record)
    else:
        row = dict(row_of(rows, key))
        row |= _news(row, event, record)
    return {key: row | {"updated_at": record.occurred_at, "position": record.position}}


def _news(row: Row, event: Known, record: EventRecord) -> Row:
    """The columns an event changes."""
    news: Row = {}
    match event:
        case TransactionChanged():
            news = _changed(row, event)
        case TransactionAssigned():
            news = {"profile_id": event.profile_id}
        case TransactionUnattached():
            news = {"profile_id": None}
        case RedemptionAttributed():
            news = _attributed(row, event)
        case RedemptionsSpread():
            news = _spread(event)
        case TransactionVoided():
            news = _void(record)
        case _:
            news = _of_return(row, event)
    return news


def _of_return(row: Row, event: Known) -> Row:
    match event:
        case GoodsReturned():
            lines = [line.model_dump(mode="json") for line in event.lines]
            came_back = {"id": event.return_transaction_id, "is_void": False, "lines": lines}
            return {"returns": [*row["returns"], came_back]}
        case GoodsReturnVoided():
            number = event.return_transaction_id
            returns = [
                each | {"is_void": True} if each["id"] == number else each
                for each in row["returns"]
            ]
            return {"returns": returns}
        case ReturnMatched():
            return {
                "profile_id": row["profile_id"] or event.profile_id,
                "sale_transaction_id": event.sale_transaction_id,
                "return_status": "partly_matched" if event.excess else "matched",
            }
    return {}


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
        "returns": [],
        "sale_transaction_id": None,
        "return_status": _unmatched(sale, event.linked_receipt_ref),
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


def _changed(row: Row, event: TransactionChanged) -> Row:
    """New values in their columns and in the document; what is cleared is gone from there."""
    told = event.model_dump(mode="json", by_alias=True, exclude_none=True)
    sale = {name: value for name, value in row["sale"].items() if name not in event.cleared}
    sale |= {name: told[name] for name in SALE_DOCUMENT_FIELDS & told.keys()}
    replaced = [name for name in ("items", "payments") if name in told]
    news: Row = {"sale": sale, "personal": laid_on(row["personal"], event.personal, replaced)}
    for name in (*_COLUMNS_OF_THEIR_OWN, "total_minor", "transacted_at", "timezone"):
        value = getattr(event, name)
        if value is not None or name in event.cleared:
            news[name] = value
    if row["sale_transaction_id"] is None:
        news["return_status"] = _unmatched(sale, sale.get("linked_receipt_ref"))
    if event.items is not None and not row["redemptions"]:
        news["shares_minor"] = []
    return news


def _unmatched(sale: Row, linked_receipt_ref: str | None) -> str | None:
    """A return of goods is one from the start, and waits for its sale."""
    comes_back = (
        item["quantity"].startswith("-") and not item["is_void"] for item in sale["items"]
    )
    return "unmatched" if linked_receipt_ref and any(comes_back) else None


def _spread(event: RedemptionsSpread) -> Row:
    return {
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
