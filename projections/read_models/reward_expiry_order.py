"""Rewards in the order they will be consumed: nearest expiry first, as long as anything is left."""

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from sqlalchemy import BigInteger, Column, DateTime, Index, Text, text
from sqlalchemy.dialects.postgresql import JSONB

from projections.projection import EventRecord, Key, Note, Projection, Row, Rows, read_model, row_of
from projections.read_models.books import (
    COLUMN,
    OPEN_BOOKS,
    Overdrawn,
    concerns_lots,
    lots_of,
    profile_of,
)
from projections.read_models.handover import terms_in
from projections.read_models.holds import holds_after, next_deadline
from schemas.events import Event
from schemas.handover import LotRecord
from schemas.movements import Movement
from schemas.rewards import RewardIssued

TABLE = read_model(
    "reward_expiry_order",
    1,
    Column("profile_id", Text, primary_key=True),
    Column("reward_id", BigInteger, primary_key=True),
    Column("definition_id", BigInteger, nullable=False),
    Column("min_spend_minor", BigInteger),
    Column("max_redeem_per_transaction_minor", BigInteger),
    Column("available_minor", BigInteger, nullable=False),
    Column("pending_minor", BigInteger, nullable=False),
    Column("held_minor", BigInteger, nullable=False),
    Column("holds", JSONB, nullable=False),
    Column("held_until", DateTime(timezone=True)),
    Column("issued_at", DateTime(timezone=True), nullable=False),
    Column("expires_at", DateTime(timezone=True)),
    Column("position", BigInteger, nullable=False),
    Index(
        "reward_expiry_order_v1_next",
        "profile_id",
        text("expires_at ASC NULLS LAST"),
        "issued_at",
        "reward_id",
    ),
    Index("reward_expiry_order_v1_due", "expires_at"),
    Index("reward_expiry_order_v1_definition", "definition_id"),
    Index(
        "reward_expiry_order_v1_pending",
        "issued_at",
        postgresql_where=text("pending_minor > 0"),
    ),
    Index(
        "reward_expiry_order_v1_held",
        "held_until",
        postgresql_where=text("held_until IS NOT NULL"),
    ),
)

_COLUMNS: Final = tuple(COLUMN[book] for book in OPEN_BOOKS)
_FIXED: Final = ("definition_id", "min_spend_minor", "max_redeem_per_transaction_minor")
"""The terms that never change."""


def keys(record: EventRecord, event: Event) -> Iterable[Key]:
    """Each lot's row, and the note that keeps its terms while it has none."""
    profile_id = profile_of(record)
    for lot in lots_of(event):
        yield (profile_id, lot)
        yield _note(record, lot)


def evolve(rows: Rows, record: EventRecord, event: Event) -> Rows:
    """A row appears with value that may be spent and disappears with the last of it."""
    profile_id = profile_of(record)
    changed: dict[Key, Row | None] = {}
    for lot in lots_of(event):
        key, note = (profile_id, lot), _note(record, lot)
        row = _row(rows, key, note, event)
        if terms := terms_in(event).get(lot):
            row["expires_at"] = terms.expires_at
        for movement in event.movements:
            if movement.lot == lot:
                _move(row, movement)
        row["holds"] = holds_after(row["holds"], event, lot)
        row["held_until"] = next_deadline(row["holds"])
        if any(row[column] for column in _COLUMNS):
            row["position"] = record.position
            changed[key] = row
        else:
            changed[key] = None
            changed[note] = _terms(row)
    return changed


def _row(rows: Rows, key: tuple[str, int], note: Note, event: Event) -> Row:
    """The lot's row as it stands, new, or back with the terms it had."""
    nothing: Row = {"profile_id": key[0], "reward_id": key[1], "holds": {}}
    nothing |= dict.fromkeys(_COLUMNS, 0)
    row = dict(rows.get(key) or nothing)
    terms = terms_in(event).get(key[1])
    if isinstance(terms, RewardIssued | LotRecord):
        return row | _fixed(terms) | {"issued_at": terms.issued_at}
    return row if rows.get(key) else row | _with_instants(row_of(rows, note))


def _move(row: Row, movement: Movement) -> None:
    source, target = COLUMN[movement.source], COLUMN[movement.target]
    if source in _COLUMNS:
        row[source] -= movement.amount_minor
        if row[source] < 0:
            raise Overdrawn(f"lot {movement.lot} holds less than {movement.amount_minor}")
    if target in _COLUMNS:
        row[target] += movement.amount_minor


def _note(record: EventRecord, lot: int) -> Note:
    return Note(record.stream_id, str(lot))


def _fixed(terms: RewardIssued | LotRecord) -> Row:
    return {name: getattr(terms, name) for name in _FIXED}


def _terms(row: Row) -> Row:
    expires_at = row["expires_at"]
    return {
        **{name: row[name] for name in _FIXED},
        "issued_at": row["issued_at"].isoformat(),
        "expires_at": expires_at and expires_at.isoformat(),
    }


def _with_instants(terms: Row) -> Row:
    issued_at, expires_at = terms["issued_at"], terms["expires_at"]
    return {
        **{name: terms[name] for name in _FIXED},
        "issued_at": datetime.fromisoformat(issued_at),
        "expires_at": expires_at and datetime.fromisoformat(expires_at),
    }


PROJECTION = Projection(
    name="reward_expiry_order",
    version=1,
    table=TABLE,
    category="account",
    keys=keys,
    evolve=evolve,
    relevant=concerns_lots,
)
