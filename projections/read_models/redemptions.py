"""Redemptions, and the returns and reversals that gave value back: a row each, none overwritten."""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from typing import Any

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
from schemas.holds import HoldLapsed, HoldReleased, RedemptionCaptured, RedemptionHeld
from schemas.movements import Book
from schemas.personal import laid_on
from schemas.profiles import (
    AccountPartHandedOver,
    AccountPartTakenOver,
    ProfileMerged,
    ProfileMergedAway,
)
from schemas.redemptions import (
    RedemptionMade,
    RedemptionRecord,
    RedemptionReturned,
    RedemptionReversed,
)
from schemas.transactions import TransactionLinked, TransactionUnlinked

TABLE = read_model(
    "redemptions",
    1,
    Column("redemption_id", BigInteger, primary_key=True),
    Column("profile_id", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("status", Text),
    Column("original_redemption_id", BigInteger),
    Column("total_minor", BigInteger, nullable=False),
    Column("requested_minor", BigInteger),
    Column("released_minor", BigInteger, nullable=False),
    Column("returned_minor", BigInteger, nullable=False),
    Column("forfeited_minor", BigInteger, nullable=False),
    Column("strategies", JSONB),
    Column("strict", Boolean),
    Column("policy", Text),
    Column("items", JSONB, nullable=False),
    Column("held_until", DateTime(timezone=True)),
    Column("captured_at", DateTime(timezone=True)),
    Column("released_at", DateTime(timezone=True)),
    Column("reversible_until", DateTime(timezone=True)),
    Column("reversed_at", DateTime(timezone=True)),
    Column("external_id", Text),
    Column("transaction_id", BigInteger),
    Column("transaction_external_id", Text),
    Column("transaction_receipt_ref", Text),
    Column("transaction_total_minor", BigInteger),
    Column("location_id", JSONB),
    Column("personal", JSONB),
    Column("redeemed_at", DateTime(timezone=True), nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("updated_at", DateTime(timezone=True), nullable=False),
    Column("position", BigInteger, nullable=False),
    Index("redemptions_v1_profile", "profile_id", "redemption_id"),
    Index("redemptions_v1_original", "original_redemption_id"),
    Index("redemptions_v1_external", "external_id"),
    Index("redemptions_v1_announced", "transaction_external_id"),
    Index("redemptions_v1_transaction", "transaction_id"),
)

_NOTHING: Row = dict.fromkeys(TABLE.columns.keys())

GivenBack = RedemptionReversed | RedemptionReturned
Attribution = TransactionLinked | TransactionUnlinked
EndOfHold = RedemptionCaptured | HoldReleased | HoldLapsed
Known = RedemptionRecord | EndOfHold | GivenBack | Attribution


def keys(_: EventRecord, event: Event) -> Iterable[Key]:
    """The redemption an event makes, captures, lets go, gives back or attributes; all of them
    that pass to another account."""
    if isinstance(event, HandedOver):
        return [(number,) for number in event.redemptions]
    if isinstance(event, AccountTakenOver):
        standing = (each.redemption_id for each in event.redemptions)
        return [(number,) for number in (*standing, *event.final_records)]
    if isinstance(event, Known):
        return [(event.redemption_id,)]
    return ()


def settled(row: Row, now: datetime) -> Row:
    """The row as it is at a moment: a hold ends with its deadline, recorded or not."""
    if row["status"] != "held" or row["held_until"] > now:
        return row
    return row | _let_go(row, "lapsed", row["held_until"])


def evolve(rows: Rows, record: EventRecord, event: Event) -> Rows:
    """A way back is a row of its own and is counted on the redemption it belongs to."""
    if isinstance(event, RedemptionRecord):
        return {(event.redemption_id,): _made(event, record)}
    if isinstance(event, HandedOver | AccountTakenOver):
        return _passed(rows, record, event)
    if isinstance(event, EndOfHold):
        row = row_of(rows, (event.redemption_id,))
        return {(event.redemption_id,): _updated(row | _end(row, event, record), record)}
    if isinstance(event, GivenBack):
        original = row_of(rows, (event.redemption_id,))
        row_id = event.reversal_id if isinstance(event, RedemptionReversed) else event.return_id
        return {
            (event.redemption_id,): _less(original, event, record),
            (row_id,): _back(row_id, event, record),
        }
    if isinstance(event, Attribution):
        row = dict(row_of(rows, (event.redemption_id,)))
        linked = isinstance(event, TransactionLinked)
        row["transaction_id"] = event.transaction_id if linked else None
        return {(event.redemption_id,): _updated(row, record)}
    return {}


def _passed(rows: Rows, record: EventRecord, event: HandedOver | AccountTakenOver) -> Rows:
    owner = event.into if isinstance(event, HandedOver) else profile_of(record)
    return {
        key: _updated(row_of(rows, key), record) | {"profile_id": owner}
        for key in keys(record, event)
        if key in rows
    }


def _made(event: RedemptionRecord, record: EventRecord) -> Row:
    taken: Counter[int] = Counter()  # in the order consumed
    for movement in event.movements:
        if movement.target in (Book.REDEEMED, Book.HELD):
            taken[movement.lot] += movement.amount_minor
    return _record_row(event.redemption_id, "redeem", taken, event, record) | {
        "status": "held" if isinstance(event, RedemptionHeld) else "redeemed",
        "total_minor": event.total_minor,
        "requested_minor": event.requested_minor,
        "strategies": list(event.strategies),
        "strict": event.strict,
        "held_until": event.held_until if isinstance(event, RedemptionHeld) else None,
        "reversible_until": event.reversible_until if isinstance(event, RedemptionMade) else None,
        "external_id": event.external_id,
        "transaction_external_id": event.transaction_external_id,
        "transaction_receipt_ref": event.transaction_receipt_ref,
        "transaction_total_minor": event.transaction_total_minor,
        "location_id": event.location_id,
    }


def _end(row: Row, event: EndOfHold, record: EventRecord) -> Row:
    if not isinstance(event, RedemptionCaptured):
        status = "released" if isinstance(event, HoldReleased) else "lapsed"
        ended_at = event.held_until if isinstance(event, HoldLapsed) else record.occurred_at
        return _let_go(row, status, ended_at)
    taken: Counter[int] = Counter()
    for movement in event.movements:
        if movement.target is Book.REDEEMED:
            taken[movement.lot] += movement.amount_minor
    return {
        "status": "captured",
        "total_minor": event.total_minor,
        "released_minor": event.released_minor,
        "items": _items(taken),
        "captured_at": record.occurred_at,
        "redeemed_at": record.occurred_at,
        "reversible_until": event.reversible_until,
    }


def _let_go(row: Row, status: str, ended_at: datetime) -> Row:
    """It took nothing."""
    return {
        "status": status,
        "total_minor": 0,
        "released_minor": row["total_minor"],
        "items": [],
        "released_at": ended_at,
    }


def _back(row_id: int, event: GivenBack, record: EventRecord) -> Row:
    kind = "reversal" if isinstance(event, RedemptionReversed) else "return"
    return _record_row(row_id, kind, _came_back(event), event, record) | {
        "original_redemption_id": event.redemption_id,
        "total_minor": event.total_minor,
        "forfeited_minor": event.forfeited_minor,
        **(_told(event) if isinstance(event, RedemptionReturned) else {}),
    }


def _told(event: RedemptionReturned) -> Row:
    """What a return says of itself; a reversal says nothing."""
    return {
        "policy": event.policy,
        "requested_minor": event.requested_minor or event.total_minor,
        "transaction_external_id": event.transaction_external_id,
        "transaction_receipt_ref": event.transaction_receipt_ref,
        "location_id": event.location_id,
    }


def _less(original: Row, event: GivenBack, record: EventRecord) -> Row:
    back = _came_back(event)
    row = dict(original)
    row["returned_minor"] += event.total_minor
    row["forfeited_minor"] += event.forfeited_minor
    row["items"] = [
        item | {"returned_minor": item["returned_minor"] + back[item["reward_id"]]}
        for item in original["items"]
    ]
    if isinstance(event, RedemptionReversed):
        row["reversed_at"] = record.occurred_at
    return _updated(row, record)


def _came_back(event: GivenBack) -> Counter[int]:
    back: Counter[int] = Counter()
    for movement in event.movements:
        if movement.source is Book.REDEEMED:
            back[movement.lot] += movement.amount_minor
    return back


def _record_row(
    row_id: int, kind: str, lots: Counter[int], event: Event, record: EventRecord
) -> Row:
    """What all kinds have, and nothing in what only some have."""
    return _NOTHING | {
        "redemption_id": row_id,
        "profile_id": profile_of(record),
        "type": kind,
        "released_minor": 0,
        "returned_minor": 0,
        "forfeited_minor": 0,
        "items": _items(lots),
        "personal": laid_on(None, event.personal),
        "redeemed_at": record.occurred_at,
        "created_at": record.occurred_at,
        "updated_at": record.occurred_at,
        "position": record.position,
    }


def _items(lots: Counter[int]) -> list[dict[str, Any]]:
    return [
        {"reward_id": lot, "amount_minor": amount, "returned_minor": 0}
        for lot, amount in lots.items()
    ]


def _updated(row: Row, record: EventRecord) -> Row:
    return row | {"updated_at": record.occurred_at, "position": record.position}


PROJECTION = Projection(
    name="redemptions",
    version=1,
    table=TABLE,
    category="account",
    keys=keys,
    evolve=evolve,
    relevant=of_types(
        RedemptionMade,
        RedemptionHeld,
        RedemptionCaptured,
        HoldReleased,
        HoldLapsed,
        RedemptionReversed,
        RedemptionReturned,
        TransactionLinked,
        TransactionUnlinked,
        AccountPartHandedOver,
        AccountPartTakenOver,
        ProfileMerged,
        ProfileMergedAway,
    ),
    builds_on=giver_of,
)
