"""The programme in sums: what is outstanding, how it came about week by week, when it expires."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Annotated, Any, Final

from fastapi import APIRouter, Request, Response
from sqlalchemy import select

from api.access import allowed
from api.documents import statistics as documents
from api.documents.statistics import WEEK_DAYS
from api.parameters import WAIT_FOR, documented, number_of, whole
from api.paths import BASE, PathId
from api.queries import fetch
from api.reading import answer_fresh, fresh_row, model_position, not_found
from api.route import LedgerRoute
from api.routes.reward_definitions import PATHS
from api.services import Services, services_of
from api.tokens import Caller
from api.waiting_for import wait_for
from ledger.programme.state import PROGRAMME_STREAM
from projections.projection import Projection
from projections.read_models import journal, reward_definitions, reward_expiry_order, rewards
from projections.reading import Freshness
from projections.statistics import (
    expiring,
    flows,
    flows_under,
    outstanding,
    outstanding_under,
    total,
)
from schemas.times import local_day, start_of_day, utc_text

router = APIRouter(prefix=BASE, tags=["Programme"], route_class=LedgerRoute)

WEEKS: Final = whole("weeks", "How many weeks, the one that now is among them.", 26, 156)
DAYS: Final = whole("days", "How many days, today among them.", 90, 366)


@router.get("/programme/statistics", openapi_extra=documented(WEEKS, WAIT_FOR))
async def statistics(request: Request, _: Annotated[Caller, allowed("read-programme")]) -> Response:
    """What is outstanding now, and what was issued, redeemed, expired and so on week by week.

    Weeks are those of ISO 8601 in the programme's zone. Expiries count at their time, whether or
    not they are recorded yet.
    """
    services, count = services_of(request), number_of(request, WEEKS)
    fresh = await _fresh(request, services, (journal.PROJECTION, reward_expiry_order.PROJECTION))
    now, zone, digits = _now(services)
    today = local_day(now, zone)
    this_week = today - timedelta(days=today.weekday())
    mondays = [this_week + timedelta(days=WEEK_DAYS * (n - count + 1)) for n in range(count + 1)]
    async with services.pool.acquire() as connection, _one_look(connection):
        standing = await outstanding(connection, now)
        weeks = await flows(connection, now, [start_of_day(day, zone) for day in mondays])
    names = await _names(services)
    return answer_fresh(
        {
            **_moment(services, now, zone),
            "outstanding": documents.outstanding_document(standing, names, digits),
            "weeks": [
                documents.week_document(monday, week, digits)
                for monday, week in zip(mondays, weeks, strict=False)
            ],
            "all_weeks": documents.flows_document(total(weeks), digits),
        },
        fresh,
    )


@router.get("/programme/expiry-calendar", openapi_extra=documented(DAYS, WAIT_FOR))
async def expiry_calendar(
    request: Request, _: Annotated[Caller, allowed("read-programme")]
) -> Response:
    """How many rewards expire on each of the next days, and how much of their value, if nobody
    redeems it. What is held is left out."""
    services, count = services_of(request), number_of(request, DAYS)
    fresh = await _fresh(request, services, (reward_expiry_order.PROJECTION,))
    now, zone, digits = _now(services)
    days = [local_day(now, zone) + timedelta(days=n) for n in range(count + 1)]
    starts = [start_of_day(day, zone) for day in days]
    async with services.pool.acquire() as connection, _one_look(connection):
        found = await expiring(connection, now, starts)
    calendar = documents.calendar_document(days[:-1], found, digits)
    return answer_fresh(_moment(services, now, zone) | calendar, fresh)


async def definition(
    request: Request,
    definition_id: PathId,
    _: Annotated[Caller, allowed("read-programme")],
) -> Response:
    """What is outstanding under one definition now, and what was ever issued, returned, redeemed,
    expired and revoked of it: these five come to what is outstanding."""
    services = services_of(request)
    models = (journal.PROJECTION, reward_expiry_order.PROJECTION, rewards.PROJECTION)
    fresh = await _fresh(request, services, models)
    model, key = reward_definitions.PROJECTION, (definition_id,)
    row, _stale = await fresh_row(services, model, PROGRAMME_STREAM, key)
    if row is None:
        raise not_found("reward definition")
    now, zone, digits = _now(services)
    async with services.pool.acquire() as connection, _one_look(connection):
        standing = await outstanding_under(connection, now, definition_id)
        found = await flows_under(connection, now, definition_id)
    shown = documents.definition_document(row, standing, found, digits)
    return answer_fresh(_moment(services, now, zone) | shown, fresh)


for _path in PATHS:
    router.add_api_route(
        f"{_path}/{{definition_id}}/outstanding",
        definition,
        methods=["GET"],
        include_in_schema=_path == PATHS[0],
        openapi_extra=documented(WAIT_FOR),
    )


def _one_look(connection: Any) -> Any:
    """All sums of an answer are of the same instant."""
    return connection.transaction(isolation="repeatable_read", readonly=True)


def _now(services: Services) -> tuple[datetime, str, int]:
    settings = services.settings
    return services.clock(), settings.zone, settings.currency_digits


def _moment(services: Services, now: datetime, zone: str) -> dict[str, Any]:
    return {"at": utc_text(now), "zone": zone, "currency": services.settings.currency}


async def _fresh(request: Request, services: Services, models: Sequence[Projection]) -> Freshness:
    """Up to where the sums lack nothing, before they are made."""
    await services.programme.refresh()
    for model in models:
        await wait_for(request, services, model)
    found = [await model_position(services, model) for model in models]
    stale = next((each.stale_code for each in found if each.stale_code), None)
    return Freshness(min(each.position for each in found), stale)


async def _names(services: Services) -> dict[int, Mapping[str, Any]]:
    await services.reads.catch_up(reward_definitions.PROJECTION, PROGRAMME_STREAM)
    columns = reward_definitions.TABLE.c
    rows = await fetch(services, select(columns.definition_id, columns.name, columns.handle))
    return {row["definition_id"]: row for row in rows}
