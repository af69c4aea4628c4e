"""Reward definitions in their newest version; archived ones stay readable."""

from collections.abc import Iterable

from sqlalchemy import BigInteger, Boolean, Column, Date, DateTime, Index, Integer, Text
from sqlalchemy.dialects.postgresql import JSONB

from projections.projection import EventRecord, Key, Projection, Rows, read_model, row_of
from schemas.events import Event
from schemas.reward_definitions import DefinitionTerms, RewardDefinitionArchived

TABLE = read_model(
    "reward_definitions",
    1,
    Column("definition_id", BigInteger, primary_key=True),
    Column("definition_version", Integer, nullable=False),
    Column("name", Text, nullable=False),
    Column("handle", Text, nullable=False),
    Column("value_minor", BigInteger, nullable=False),
    Column("type", Text, nullable=False),
    Column("period", Integer, nullable=False),
    Column("period_type", Text, nullable=False),
    Column("is_assignable", Boolean, nullable=False),
    Column("is_reassignable", Boolean, nullable=False),
    Column("is_extendable", Boolean, nullable=False),
    Column("is_published", Boolean, nullable=False),
    Column("max_value_minor", BigInteger),
    Column("currency", Text),
    Column("absolute_expiry", Date),
    Column("extend_days", Integer),
    Column("start_at", DateTime(timezone=True)),
    Column("end_at", DateTime(timezone=True)),
    Column("timezone", Text),
    Column("min_spend_minor", BigInteger),
    Column("max_redeem_per_transaction_minor", BigInteger),
    Column("max_per_profile", BigInteger),
    Column("max_total", BigInteger),
    Column("eligibility", JSONB),
    Column("text", JSONB, nullable=False),
    Column("archived_at", DateTime(timezone=True)),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("updated_at", DateTime(timezone=True), nullable=False),
    Column("position", BigInteger, nullable=False),
    Index("reward_definitions_v1_handle", "handle"),
)

_TERMS = frozenset(DefinitionTerms.model_fields) - {"movements", "personal"}


def keys(_: EventRecord, event: Event) -> Iterable[Key]:
    """The definition an event is about."""
    if isinstance(event, DefinitionTerms | RewardDefinitionArchived):
        yield (event.definition_id,)


def evolve(rows: Rows, record: EventRecord, event: Event) -> Rows:
    """Every version carries all terms; an archived definition keeps its last."""
    if isinstance(event, DefinitionTerms):
        key = (event.definition_id,)
        before = rows[key] or {"archived_at": None, "created_at": record.occurred_at}
        row = before | {name: getattr(event, name) for name in _TERMS}
    elif isinstance(event, RewardDefinitionArchived):
        key = (event.definition_id,)
        row = row_of(rows, key) | {"archived_at": record.occurred_at}
    else:
        return {}
    return {key: row | {"updated_at": record.occurred_at, "position": record.position}}


PROJECTION = Projection(
    name="reward_definitions",
    version=1,
    table=TABLE,
    category="programme",
    keys=keys,
    evolve=evolve,
)
