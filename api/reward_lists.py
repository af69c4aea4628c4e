"""Lists of rewards: what can be filtered and sorted by, now and as of any moment."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, FromClause, and_, case, func, literal, literal_column, select

from api.filters import Field
from api.lapses import lapsed_minor
from api.past import PastProfile, definitions_at, rows_at
from api.past_tables import past_table
from api.queries import Listing
from api.services import Services
from projections.read_models import reward_definitions, rewards

MODEL = rewards.PROJECTION
TABLE = MODEL.table


def listing_of(table: FromClause, definitions: FromClause) -> Listing:
    """The list of the rewards of one table, each with its definition of another."""
    columns = table.c

    def expired(now: datetime) -> ColumnElement[bool]:
        """Past the end of its last second, recorded or not; never, where there is no expiry."""
        over = columns.expires_at < now.replace(microsecond=0)
        return func.coalesce(over, literal(value=False))

    def active(now: datetime) -> ColumnElement[bool]:
        return and_(~expired(now), columns.issued_at <= now, columns.revoked_at.is_(None))

    def remaining(now: datetime) -> ColumnElement[int]:
        """As the documents show it: past its expiry nothing remains but what is held."""
        lapsed = case((columns.held_minor > 0, lapsed_minor(columns.holds, now)), else_=0)
        unspent = columns.available_minor + columns.pending_minor + lapsed
        return columns.held_minor - lapsed + case((expired(now), 0), else_=unspent)

    return Listing(
        table,
        {
            "id": Field.number(columns.reward_id),
            "profile_id": Field.text(columns.profile_id),
            "reward_definition_id": Field.number(columns.definition_id),
            "external_id": Field.text(columns.external_id),
            "value_initial": Field.money(columns.value_initial_minor),
            "value_remaining": Field.at_moment(remaining, Field.money),
            "issued_at": Field.instant(columns.issued_at),
            "expires_at": Field.instant(columns.expires_at),
            "extended_at": Field.instant(columns.extended_at),
            "timezone": Field.text(columns.timezone),
            "source_type": Field.text(columns.source_type),
            "source_id": Field.number(columns.source_id),
            "is_expired": Field.at_moment(expired, Field.boolean),
            "is_active": Field.at_moment(active, Field.boolean),
            "created_at": Field.instant(columns.created_at),
            "updated_at": Field.instant(columns.updated_at),
        },
        columns.reward_id,
        columns=(*columns, _definition(columns, definitions.c)),
    )


_SHOWN: Final = ("definition_id", "handle", "name", "type", "value_minor")
_NOTICES: Final = ("notify_issue_offset", "notify_expiry_offset")


def _definition(of_reward: Any, definitions: Any) -> Any:
    """What a reward shows of its definition."""
    notices = _object((name, definitions.text[name]) for name in _NOTICES)
    shown = ((name, definitions[name]) for name in _SHOWN)
    return (
        select(_object([*shown, ("text", notices)]))
        .where(definitions.definition_id == of_reward.definition_id)
        .scalar_subquery()
        .label("definition")
    )


def _object(entries: Iterable[tuple[str, Any]]) -> Any:
    parts: list[Any] = []
    for name, value in entries:
        parts += literal_column(f"'{name}'"), value
    return func.jsonb_build_object(*parts)


LISTING = listing_of(TABLE, reward_definitions.PROJECTION.table)


async def past_rewards(services: Services, past: PastProfile) -> Listing:
    """The list of a profile's rewards as they were; those revoked by then are left out."""
    rows = [row for row in await rows_at(services, past, MODEL) if row["revoked_at"] is None]
    known = (await definitions_at(services, past.cut)).newest
    wanted = {row["definition_id"] for row in rows}
    definitions = [
        {name: row[name] for name in (*_SHOWN, "text")}
        for number, row in known.items()
        if number in wanted
    ]
    table = past_table(TABLE, rows)
    return listing_of(table, past_table(reward_definitions.PROJECTION.table, definitions))
