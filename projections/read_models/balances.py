"""Balances: what each profile has, had, spent and lost, and its open lots for any instant."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import BigInteger, Column, DateTime, Text
from sqlalchemy.dialects.postgresql import JSONB

from projections.projection import (
    EventRecord,
    Key,
    MissingRow,
    Note,
    Projection,
    Row,
    Rows,
    read_model,
)
from projections.read_models.books import (
    OPEN_BOOKS,
    Overdrawn,
    book_columns,
    concerns_lots,
    empty_books,
    lots_of,
    move,
    profile_of,
)
from projections.read_models.handover import terms_in
from projections.read_models.holds import holds_after, lapsed_minor
from schemas.events import Event, LotTerms
from schemas.handover import LotRecord
from schemas.immutable import immutable
from schemas.movements import Book, Movement
from schemas.rewards import RewardIssued

WHOLE_SECOND: Final = timedelta(seconds=1)

TABLE = read_model(
    "balances",
    1,
    Column("profile_id", Text, primary_key=True),
    *book_columns(),
    Column("open_lots", JSONB, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("updated_at", DateTime(timezone=True), nullable=False),
    Column("position", BigInteger, nullable=False),
)


@immutable
class Balance:
    """What a profile can spend at an instant, and what it can't yet or can't for now."""

    available_minor: int = 0
    pending_minor: int = 0
    held_minor: int = 0


def balance_at(row: Row | None, now: datetime) -> Balance:
    """The balance at an instant: expiries and activations count, recorded or not.

    A lot is available until the end of its `expires_at` second; held value stays held until its
    deadline, and is available or expired from then on.
    """
    available = pending = held = 0
    for lot in (row or {}).get("open_lots", {}).values():
        lapsed = lapsed_minor(lot["holds"], now)
        held += lot["held"] - lapsed
        if expired_by(_instant(lot["expires_at"]), now):
            continue
        available += lapsed
        if datetime.fromisoformat(lot["issued_at"]) <= now:
            available += lot["available"] + lot["pending"]
        else:
            available += lot["available"]
            pending += lot["pending"]
    return Balance(available, pending, held)


def expired_by(expires_at: datetime | None, now: datetime) -> bool:
    """Available until the end of the `expires_at` second, and not an instant longer."""
    return expires_at is not None and now - expires_at >= WHOLE_SECOND


def keys(record: EventRecord, event: Event) -> Iterable[Key]:
    """The profile's row, and the notes of lots that may be closed."""
    come_back: list[Key] = [
        _note(record, movement.lot)
        for movement in event.movements
        if movement.source in _CLOSED and movement.target in _OPEN
    ]
    if not isinstance(event, RewardIssued):
        come_back.extend(_note(record, lot_id) for lot_id in terms_in(event))
    return [(profile_of(record),), *come_back]


def evolve(rows: Rows, record: EventRecord, event: Event) -> Rows:
    """Whatever moves value is seen, whatever the event is called."""
    key = (profile_of(record),)
    row = dict(rows[key] or _empty(key[0], record))
    lots = row["open_lots"] = dict(row["open_lots"])
    changed: dict[Key, Row | None] = {key: row}
    moving = {movement.lot for movement in event.movements}
    for lot_id, terms in terms_in(event).items():
        name, note = str(lot_id), _note(record, lot_id)
        lot = _with_terms(terms, note, lots.get(name) or rows.get(note))
        # A lot without value is found by its note, once there is some.
        if name in lots or lot_id in moving:
            lots[name] = lot
        else:
            changed[note] = lot
    for lot_id in lots_of(event):
        name, note = str(lot_id), _note(record, lot_id)
        if name in lots:
            lots[name] = _with_holds(lots[name], event, lot_id)
        elif closed := changed.get(note) or rows.get(note):
            # A hold told late takes what has been swept meanwhile: that lot comes back with it.
            changed[note] = _with_holds(closed, event, lot_id)
    for movement in event.movements:
        move(row, movement)
        name, note = str(movement.lot), _note(record, movement.lot)
        known = lots.get(name) or changed.get(note) or rows.get(note)
        if known is not None:
            lots[name] = lot = _moved(known, movement)
            if not (lot["available"] or lot["pending"] or lot["held"]):
                # Its next movement, if there is one, finds it again by its note.
                changed[note] = lots.pop(name)
        elif movement.target in _OPEN:
            raise MissingRow(note)
    row["updated_at"], row["position"] = record.occurred_at, record.position
    return changed


_OPEN: Final = {book: book.value for book in OPEN_BOOKS}
_CLOSED: Final = frozenset(set(Book) - {Book.ISSUED, *OPEN_BOOKS})


def _note(record: EventRecord, lot: int) -> Note:
    return Note(record.stream_id, str(lot))


def _empty(profile_id: str, record: EventRecord) -> Row:
    return {
        "profile_id": profile_id,
        **empty_books(),
        "open_lots": {},
        "created_at": record.occurred_at,
    }


def _with_terms(terms: LotTerms | LotRecord, note: Note, lot: Row | None) -> Row:
    expires_at = terms.expires_at and terms.expires_at.isoformat()
    if not isinstance(terms, RewardIssued | LotRecord):
        if lot is None:
            raise MissingRow(note)
        return {**lot, "expires_at": expires_at}
    return {
        "available": 0,
        "pending": 0,
        "held": 0,
        "holds": {},
        **(lot or {}),
        "issued_at": terms.issued_at.isoformat(),
        "expires_at": expires_at,
    }


def _with_holds(lot: Row, event: Event, lot_id: int) -> Row:
    return {**lot, "holds": holds_after(lot["holds"], event, lot_id)}


def _moved(lot: Mapping[str, Any], movement: Movement) -> dict[str, Any]:
    moved = dict(lot)
    source, target = _OPEN.get(movement.source), _OPEN.get(movement.target)
    if source is not None:
        moved[source] -= movement.amount_minor
        if moved[source] < 0:
            raise Overdrawn(f"lot {movement.lot} holds less than {movement.amount_minor}")
    if target is not None:
        moved[target] += movement.amount_minor
    return moved


def _instant(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


PROJECTION = Projection(
    name="balances",
    version=1,
    table=TABLE,
    category="account",
    keys=keys,
    evolve=evolve,
    relevant=concerns_lots,
)
