"""Reads of one profile, transaction or definition: first caught up with the log, then read."""

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import Response
from sqlalchemy import Table, select
from sqlalchemy.dialects.postgresql import JSONB

from api.commanding import Answered
from api.folding import folded_on, folded_written
from api.freshness import FreshProfile, told
from api.personal import Document
from api.problems import Refused
from api.queries import fetch, from_json
from api.services import Services
from ledger.claims import MERGED
from ledger.event_store.port import EventStore
from ledger.streams import account_stream, event_of
from ledger.submission import AlreadyThere
from projections.progress import progress_of
from projections.projection import Projection, Rows
from projections.read_models import profiles
from projections.reading import PARKED, Freshness
from schemas.envelope import Recorded

Row = Mapping[str, Any]
Key = tuple[Any, ...]


async def of_profile(services: Services, projection: Projection, profile_id: str) -> FreshProfile:
    """Bring a read model up to the last event of a profile, or of whom it has become.

    Raises:
        Refused: 404, there is no such profile.
    """
    stream_id = account_stream(profile_id)
    fresh = await services.reads.catch_up(projection, stream_id)
    while fresh.leads_to is not None:
        stream_id = fresh.leads_to
        fresh = await services.reads.catch_up(projection, stream_id)
    if fresh.position == 0 and fresh.stale_code is None:
        raise not_found("profile")
    now = stream_id.removeprefix(account_stream(""))
    merged_into = None if now == profile_id else now
    return FreshProfile(fresh.position, fresh.stale_code, None, now, merged_into)


async def profile_now(services: Services, profile_id: str) -> str:
    """The profile whose data a read of this one shows: itself, or whom it has become."""
    stream_id = account_stream(profile_id)
    while True:
        name = (MERGED, stream_id)
        found = (await services.store.claims([name])).get(name)
        if found is None:
            return stream_id.removeprefix(account_stream(""))
        stream_id = found.stream_id


async def with_absorbed(services: Services, profile_id: str) -> Sequence[str]:
    """A profile, caught up, and all that have become it."""
    row = await row_at(services, profiles.TABLE, (profile_id,))
    return [profile_id, *([] if row is None else row["absorbed"])]


async def held_row(
    services: Services, projection: Projection, kind: str, number: int
) -> tuple[Row | None, Freshness]:
    """The row of reward or redemption so-and-so, not older than its owner's last event.

    Raises:
        Refused: 404, nobody holds it.
    """
    stream_id = await stream_holding(services, kind, number)
    while True:
        row, fresh = await fresh_row(services, projection, stream_id, (number,))
        if row is None or account_stream(row["profile_id"]) == stream_id:
            return row, fresh
        stream_id = account_stream(row["profile_id"])


async def fresh_row(
    services: Services, projection: Projection, stream_id: str, key: Key
) -> tuple[Row | None, Freshness]:
    """One row, not older than the last event of its stream."""
    fresh = await services.reads.catch_up(projection, stream_id)
    return await row_at(services, projection.table, key), fresh


async def row_of_profile(
    services: Services, projection: Projection, profile_id: str, number: int, what: str
) -> tuple[Row, Freshness]:
    """Row so-and-so of a profile, or of whom it has become; not older than its last event.

    Raises:
        Refused: 404, the profile has no such `what`.
    """
    owner = await profile_now(services, profile_id)
    row, fresh = await fresh_row(services, projection, account_stream(owner), (number,))
    if row is None or row["profile_id"] != owner:
        raise not_found(what)
    return row, fresh


async def row_at(services: Services, table: Table, key: Key) -> Row | None:
    """One row by its primary key, as it stands."""
    statement = select(*table.columns)
    for column, value in zip(table.primary_key.columns, key, strict=True):
        statement = statement.where(column == value)
    rows = await fetch(services, statement)
    return plain(table, rows[0]) if rows else None


def plain(table: Table, record: Any) -> Row:
    """A driver's row with its JSON read."""
    row = dict(record)
    for column in table.columns:
        if isinstance(column.type, JSONB):
            row[column.name] = from_json(row[column.name])
    return row


async def row_after(answered: Answered, projection: Projection, stream_id: str, key: Key) -> Row:
    """The row a command has changed; after a dry run, as it would be.

    Folded from the stream itself, so that a repeat sees what the first answer saw.
    """
    return (await rows_after(answered, projection, stream_id, [key]))[0]


async def rows_after(
    answered: Answered, projection: Projection, stream_id: str, keys: Sequence[Key]
) -> list[Row]:
    """The rows a command has changed, as `row_after` gives each."""
    streams = {stream_id, *(stream for stream, _ in answered.written)}
    found = await _rows_of_streams(
        answered.services, projection, streams, keys, answered.position or None
    )
    if answered.dry_run:
        start: Rows = {key: as_row(row) for key, row in found.items()}
        after = folded_written(projection, answered.written, answered.at, start)
        found = {key: after.get(key) for key in keys}
    rows = [found[key] for key in keys]
    assert None not in rows
    return [row for row in rows if row is not None]


async def row_at_position(
    services: Services,
    projection: Projection,
    stream_id: str,
    key: Key,
    position: int | None,
) -> Row | None:
    """One row as it was when the log stood at a position; without one, as it is."""
    return (await rows_at_position(services, projection, stream_id, [key], position))[key]


async def rows_at_position(
    services: Services,
    projection: Projection,
    stream_id: str,
    keys: Sequence[Key],
    position: int | None,
) -> dict[Key, Row | None]:
    """Some rows as they were when the log stood at a position; without one, as they are.

    Folded from their stream, and from those they came from.
    """
    return await _rows_of_streams(services, projection, {stream_id}, keys, position)


async def _rows_of_streams(
    services: Services,
    projection: Projection,
    streams: set[str],
    keys: Sequence[Key],
    position: int | None,
) -> dict[Key, Row | None]:
    rows: Rows = {}
    only = frozenset(keys)
    followed = set(filter(projection.follows, streams))
    for record in await _with_origins(services.store, projection, followed, only):
        if position is None or record.position <= position:
            rows = folded_on(projection, record, event_of(record), rows, only=only)
    return {key: rows.get(key) for key in keys}


async def _with_origins(
    store: EventStore, projection: Projection, streams: set[str], keys: frozenset[Key]
) -> Sequence[Recorded]:
    """The events of some streams, and of all from which rows have come there, in order."""
    read: dict[str, Sequence[Recorded]] = {}
    wanted = streams
    while wanted:
        more = await store.read_streams(sorted(wanted))
        read |= more
        wanted = {
            origin
            for record in itertools.chain(*more.values())
            for origin in projection.origins(record)
            if not keys.isdisjoint(projection.keys(record, event_of(record)))
        } - read.keys()
    return sorted(itertools.chain(*read.values()), key=lambda record: record.position)


async def row_named(services: Services, projection: Projection, found: AlreadyThere) -> Row:
    """What an earlier request under the same external_id made, as it was when that was found."""
    stream_id, now = await _row_now(services, projection, found)
    if not found.position:
        return now
    key = tuple(now[column.name] for column in projection.table.primary_key.columns)
    row = await row_at_position(services, projection, stream_id, key, found.position)
    assert row is not None
    return row


async def _row_now(
    services: Services, projection: Projection, found: AlreadyThere
) -> tuple[str, Row]:
    """The row under an external_id, and the stream of its owner."""
    row = await row_under(services, projection, found.stream_id, found.external_id)
    if row is None:
        sentence = "The read model can't show it; try later."
        raise Refused(503, "read_model_parked", None, sentence)
    return row


async def row_under(
    services: Services, projection: Projection, stream_id: str, external_id: str
) -> tuple[str, Row] | None:
    """The row under an external_id that a stream took, no older than its owner's last event, and
    that one's stream; None where an event is parked that the row waits for."""
    table = projection.table
    statement = select(*table.columns).where(table.c.external_id == external_id)
    while True:
        await services.reads.catch_up(projection, stream_id)
        rows = await fetch(services, statement)
        if not rows:
            return None
        row = plain(table, rows[0])
        owner = account_stream(str(row["profile_id"]))
        if projection.category != "account" or owner == stream_id:
            return stream_id, row
        stream_id = owner


def as_row(row: Row | None) -> dict[str, Any] | None:
    """A row for a fold to start from."""
    return None if row is None else dict(row)


async def model_position(services: Services, projection: Projection) -> Freshness:
    """Up to where in the log a read model lacks nothing; ask before its rows are read."""
    progress = await progress_of(services.pool, projection)
    return Freshness(progress.position, PARKED if progress.is_parked else None)


async def stream_holding(services: Services, kind: str, number: int) -> str:
    """The stream that held reward or redemption so-and-so first, for ever.

    Raises:
        Refused: 404, nobody holds it.
    """
    name = (kind, str(number))
    claims = await services.store.claims([name])
    if name not in claims:
        raise not_found(kind)
    return claims[name].stream_id


def answer_fresh(document: Any, fresh: Freshness) -> Response:
    """One object under `data`; where the read model is parked, `meta` says so instead of lying."""
    content: dict[str, Any] = {"data": document}
    if meta := told(fresh):
        content["meta"] = meta
    headers = {"Ledger-Position": str(fresh.position)}
    return Document(content, headers=headers)


def not_found(kind: str) -> Refused:
    """404 with the code the command side has for the same."""
    return Refused(404, f"{kind.replace(' ', '_')}_not_found", None, f"There is no such {kind}.")


async def whole_stream(store: EventStore, stream_id: str) -> Sequence[Recorded]:
    """All events of a stream, from its first to its last."""
    return (await store.read_streams([stream_id]))[stream_id]
