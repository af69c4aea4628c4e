"""Rewards: each with its terms and where every part of its value stands."""

from collections.abc import Collection, Mapping

from sqlalchemy import BigInteger, Boolean, Column, DateTime, Index, Integer, Text, text
from sqlalchemy.dialects.postgresql import JSONB

from projections.projection import EventRecord, Key, Projection, Row, Rows, read_model, row_of
from projections.read_models.books import (
    COLUMN,
    book_columns,
    empty_books,
    lots_of,
    move,
    profile_of,
)
from projections.read_models.handover import giver_of
from projections.read_models.holds import holds_after, holds_of
from schemas.events import Event
from schemas.handover import HandedOver, LotRecord, TakenOver
from schemas.movements import Book
from schemas.personal import laid_on
from schemas.rewards import RewardAdjusted, RewardExtended, RewardIssued, RewardRevoked

TABLE = read_model(
    "rewards",
    1,
    Column("reward_id", BigInteger, primary_key=True),
    Column("profile_id", Text, nullable=False),
    Column("definition_id", BigInteger, nullable=False),
    Column("definition_version", Integer, nullable=False),
    Column("period", Integer, nullable=False),
    Column("period_type", Text, nullable=False),
    Column("value_initial_minor", BigInteger, nullable=False),
    Column("value_remaining_initial_minor", BigInteger, nullable=False),
    *book_columns(),
    Column("holds", JSONB, nullable=False),
    Column("issued_at", DateTime(timezone=True), nullable=False),
    Column("expires_at", DateTime(timezone=True)),
    Column("timezone", Text, nullable=False),
    Column("external_id", Text),
    Column("personal", JSONB),
    Column("restored_from", BigInteger),
    Column("redemption_id", BigInteger),
    Column("graced", Boolean, nullable=False),
    Column("source_type", Text),
    Column("source_id", BigInteger),
    Column("has_notified_issue", Boolean, nullable=False),
    Column("has_notified_expiry", Boolean, nullable=False),
    Column("has_notified_extend", Boolean, nullable=False),
    Column("extended_at", DateTime(timezone=True)),
    Column("adjustments", Integer, nullable=False),
    Column("revoked_at", DateTime(timezone=True)),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("updated_at", DateTime(timezone=True), nullable=False),
    Column("position", BigInteger, nullable=False),
    Index("rewards_v1_profile", "profile_id", "reward_id"),
    Index("rewards_v1_definition", "definition_id"),
    Index("rewards_v1_external", "external_id", postgresql_where=text("external_id IS NOT NULL")),
)


def keys(_: EventRecord, event: Event) -> Collection[Key]:
    """The rewards whose value moves, those that pass, and the one the event is about."""
    lots = lots_of(event)
    if isinstance(event, HandedOver):
        lots.update(event.rewards)
    if isinstance(event, RewardRevoked):
        lots.add(event.reward_id)
    return {(lot,) for lot in lots}


def evolve(rows: Rows, record: EventRecord, event: Event) -> Rows:
    """Issue brings the terms, movements the value; changes and a revocation stand beside them.
    Rewards that pass from one account to another keep all of it."""
    if isinstance(event, HandedOver):
        return _passed(rows, record, {key: {"profile_id": event.into} for key in event.rewards})
    if isinstance(event, TakenOver):
        here = (lot for lot in event.lots if lot.moved_to is None)
        return _passed(rows, record, {lot.reward_id: _taken(lot, record) for lot in here})
    changed: dict[Key, Row | None] = {}
    for key in rows.keys() & keys(record, event):
        if isinstance(event, RewardIssued) and key == (event.reward_id,):
            row = _issued(event, record)
        else:
            row = dict(row_of(rows, key))
        if row["profile_id"] == profile_of(record):  # else it is about what was spent before
            row["updated_at"], row["position"] = record.occurred_at, record.position
            changed[key] = row
    _move(changed, event)
    if isinstance(event, RewardAdjusted | RewardExtended | RewardRevoked):
        _change(row_of(changed, (event.reward_id,)), record, event)
    return changed


def _move(changed: Mapping[Key, Row | None], event: Event) -> None:
    for movement in event.movements:
        if (movement.lot,) in changed:
            move(row_of(changed, (movement.lot,)), movement)
    for lot in lots_of(event):
        if (lot,) in changed:
            row = row_of(changed, (lot,))
            row["holds"] = holds_after(row["holds"], event, lot)


def _change(
    row: Row, record: EventRecord, event: RewardAdjusted | RewardExtended | RewardRevoked
) -> None:
    match event:
        case RewardAdjusted():
            _adjust(row, event)
        case RewardExtended():
            row["expires_at"], row["extended_at"] = event.expires_at, event.extended_at
            row["has_notified_extend"] = False
        case RewardRevoked():
            row["revoked_at"] = record.occurred_at


def _adjust(row: Row, event: RewardAdjusted) -> None:
    row["value_initial_minor"] = event.value_initial_minor
    row["expires_at"] = event.expires_at
    row["adjustments"] += 1
    if "meta" in event.changed:
        # A reward has nothing else that is personal, so the new one stands for all of it.
        row["personal"] = laid_on(None, event.personal)


def _passed(rows: Rows, record: EventRecord, changes: Mapping[int, Row]) -> Rows:
    """The movements say the same to each of both accounts; here it would be counted twice."""
    changed: dict[Key, Row | None] = {}
    for reward_id, change in changes.items():
        if (reward_id,) not in rows:
            continue
        row = row_of(rows, (reward_id,))
        if row["profile_id"] in (profile_of(record), change["profile_id"]):
            at = {"updated_at": record.occurred_at, "position": record.position}
            changed[(reward_id,)] = row | change | at
    return changed


def _taken(lot: LotRecord, record: EventRecord) -> Row:
    """Whose it is now, and where its value stands there."""
    amounts = {COLUMN[book]: amount for book, amount in lot.books.items()}
    issued = {COLUMN[Book.ISSUED]: sum(lot.books.values())}
    holds = {"holds": holds_of(lot)}
    return {"profile_id": profile_of(record), **empty_books(), **amounts, **issued, **holds}


def _issued(event: RewardIssued, record: EventRecord) -> Row:
    return {
        "reward_id": event.reward_id,
        "profile_id": profile_of(record),
        "definition_id": event.definition_id,
        "definition_version": event.definition_version,
        "period": event.period,
        "period_type": event.period_type,
        "value_initial_minor": event.value_initial_minor,
        "value_remaining_initial_minor": event.value_remaining_minor,
        **empty_books(),
        "holds": {},
        "issued_at": event.issued_at,
        "expires_at": event.expires_at,
        "timezone": event.timezone,
        "external_id": event.external_id,
        "personal": laid_on(None, event.personal),
        "restored_from": event.restored_from,
        "redemption_id": event.redemption_id,
        "graced": event.graced,
        "source_type": None if event.redemption_id is None else "redemption",
        "source_id": event.redemption_id,
        "has_notified_issue": event.has_notified_issue,
        "has_notified_expiry": event.has_notified_expiry,
        "has_notified_extend": False,
        "extended_at": None,
        "adjustments": 0,
        "revoked_at": None,
        "created_at": record.occurred_at,
    }


def _relevant(record: EventRecord) -> bool:
    return record.type not in _OTHERS


# Only what can't touch a reward for certain; whatever is new is looked into.
_OTHERS = frozenset(
    {
        "ProfileRegistered",
        "TransactionAttached",
        "TransactionLinked",
        "TransactionUnlinked",
        "AttachedTransactionVoided",
    }
)

PROJECTION = Projection(
    name="rewards",
    version=1,
    table=TABLE,
    category="account",
    keys=keys,
    evolve=evolve,
    relevant=_relevant,
    builds_on=giver_of,
)
