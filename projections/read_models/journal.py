"""The journal: every movement of value, one line each, with the balance it left."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import BigInteger, Column, DateTime, Index, Integer, Text

from projections.projection import EventRecord, Key, Note, Projection, Row, Rows, read_model
from projections.read_models.books import moves_value, profile_of
from schemas.envelope import Recorded
from schemas.events import Event
from schemas.holds import HoldLapsed
from schemas.movements import Book, Movement
from schemas.rewards import RewardExpired, RewardIssued

TABLE = read_model(
    "journal",
    1,
    Column("profile_id", Text, primary_key=True),
    Column("stream_version", Integer, primary_key=True),
    Column("movement_index", Integer, primary_key=True),
    Column("position", BigInteger, nullable=False),
    Column("occurred_at", DateTime(timezone=True), nullable=False),
    Column("recorded_at", DateTime(timezone=True), nullable=False),
    Column("effective_at", DateTime(timezone=True), nullable=False),
    Column("event_type", Text, nullable=False),
    Column("reward_id", BigInteger, nullable=False),
    Column("source_book", Text, nullable=False),
    Column("target_book", Text, nullable=False),
    Column("amount_minor", BigInteger, nullable=False),
    Column("effect_minor", BigInteger, nullable=False),
    Column("balance_minor", BigInteger, nullable=False),
    Column("actor", Text, nullable=False),
    Column("redemption_id", BigInteger),
    Column("transaction_id", BigInteger),
    Index("journal_v1_position", "position"),
    Index("journal_v1_reward", "reward_id"),
    # Lines come about in the order of time, so a summary of each range of pages is enough.
    Index("journal_v1_effective", "effective_at", postgresql_using="brin"),
)


def keys(record: EventRecord, _: Event) -> Iterable[Key]:
    """Lines are only added; what is read is the balance so far."""
    yield _balance(record)


def evolve(rows: Rows, record: EventRecord, event: Event) -> Rows:
    """A line a movement. The balance is the one recorded: time's effects are lines of their own."""
    assert isinstance(record, Recorded)
    note = _balance(record)
    balance = (rows[note] or {"available_minor": 0})["available_minor"]
    changed: dict[Key, Row | None] = {}
    for index, movement in enumerate(event.movements):
        effect = effect_minor(movement)
        balance += effect
        line = _line(record, event, index)
        line |= {"effect_minor": effect, "balance_minor": balance}
        changed[(line["profile_id"], record.stream_version, index)] = line
    changed[note] = {"available_minor": balance}
    return changed


def effect_minor(movement: Movement) -> int:
    """What a movement adds to the available balance, or takes from it."""
    if movement.target is Book.AVAILABLE:
        return movement.amount_minor
    if movement.source is Book.AVAILABLE:
        return -movement.amount_minor
    return 0


def effective_at(record: EventRecord, event: Event) -> datetime:
    """When it took effect: what time alone has done at its time, however late it was written down,
    and a reward with its issue."""
    at = record.occurred_at
    match event:
        case RewardIssued():
            at = event.issued_at
        case RewardExpired():
            at = event.expires_at
        case HoldLapsed():
            at = event.held_until
    return min(at, record.occurred_at)


def _line(record: Recorded, event: Event, index: int) -> Row:
    movement = event.movements[index]
    return {
        "profile_id": profile_of(record),
        "stream_version": record.stream_version,
        "movement_index": index,
        "position": record.position,
        "occurred_at": record.occurred_at,
        "recorded_at": record.recorded_at,
        "effective_at": effective_at(record, event),
        "event_type": record.type,
        "reward_id": movement.lot,
        "source_book": movement.source.value,
        "target_book": movement.target.value,
        "amount_minor": movement.amount_minor,
        "actor": record.actor,
        "redemption_id": getattr(event, "redemption_id", None),
        "transaction_id": getattr(event, "transaction_id", None),
    }


def _balance(record: EventRecord) -> Note:
    return Note(record.stream_id, "balance")


PROJECTION = Projection(
    name="journal",
    version=1,
    table=TABLE,
    category="account",
    keys=keys,
    evolve=evolve,
    relevant=moves_value,
    from_log=True,
)
