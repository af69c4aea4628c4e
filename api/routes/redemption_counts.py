"""Redemptions counted: by what they have in common, and by what they took value from."""

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Request, Response
from sqlalchemy import BigInteger, Date, and_, cast, func, literal, select, text
from sqlalchemy.dialects.postgresql import JSONB

from api.access import allowed
from api.commanding import amount
from api.json_body import write_json
from api.pages import NUMBER, SIZE, around, numbered_page
from api.parameters import WAIT_FOR, documented
from api.paths import BASE, PathId, PathProfile
from api.problems import Refused
from api.queries import conditions_of, fetch
from api.reading import answer_fresh, model_position, of_profile
from api.route import LedgerRoute
from api.routes.redemptions import LISTING, MODEL, TABLE, listing
from api.services import Services, services_of
from api.tokens import Caller
from api.waiting_for import wait_for

router = APIRouter(prefix=BASE, tags=["Redemptions"], route_class=LedgerRoute)

_COLUMNS = TABLE.c
_DAY = cast(func.timezone("UTC", _COLUMNS.redeemed_at), Date)
Attribute = Literal["type", "status", "location_id", "profile_id", "linked", "redeem_on"]
Incentive = Literal["reward", "point", "credit", "benefit"]


@router.get(
    "/redemptions/group/{attribute}",
    openapi_extra=documented(SIZE, NUMBER, *LISTING.filters(), WAIT_FOR),
)
async def group(
    request: Request,
    attribute: Annotated[Attribute, Path()],
    _: Annotated[Caller, allowed("read-redemptions")],
) -> Response:
    """How many redemptions there are by an attribute, and what they took; the most first.

    Filters are those of the list. `redeem_on` is the day in UTC.
    """
    services = services_of(request)
    await wait_for(request, services, MODEL)
    fresh = await model_position(services, MODEL)
    of_now, errors = listing(services.clock()), dict[str, list[str]]()
    conditions = conditions_of(request, services, of_now, errors)
    page = numbered_page(request, errors)
    if errors:
        raise Refused.invalid(errors)
    by = _DAY if attribute == "redeem_on" else of_now.fields[attribute].column
    groups = (
        select(
            by.label("value"),
            func.count().label("count"),
            cast(func.sum(of_now.fields["total"].column), BigInteger).label("total_minor"),
            cast(func.sum(_COLUMNS.returned_minor), BigInteger).label("returned_minor"),
        )
        .select_from(TABLE)
        .where(and_(True, *conditions))
        .group_by(text("1"))
    )
    counted = await fetch(services, select(func.count()).select_from(groups.subquery()))
    ordered = groups.order_by(text("2 DESC, 1")).offset(page.first).limit(page.size + 1)
    rows = await fetch(services, ordered)
    content = {
        "data": [_group(attribute, row, services) for row in rows[: page.size]],
        **around(request, page, rows, counted[0][0], None),
    }
    if fresh.stale_code is not None:
        content["meta"] |= {"stale": True, "code": fresh.stale_code}
    headers = {"Ledger-Position": str(fresh.position)}
    return Response(write_json(content), headers=headers, media_type="application/json")


@router.get("/profiles/{profile_id}/redemptions/{type}/{incentive_id}/count")
async def count(
    request: Request,
    profile_id: PathProfile,
    type: Annotated[Incentive, Path()],  # noqa: A002 - the path's own word
    incentive_id: PathId,
    _: Annotated[Caller, allowed("read-redemptions")],
) -> Response:
    """How many of a profile's redemptions took value from an incentive.

    Those that are only held, and those that were reversed, took nothing.
    """
    services = services_of(request)
    fresh = await of_profile(services, MODEL, profile_id)
    from_it = cast(literal(f'[{{"reward_id": {incentive_id}}}]'), JSONB)
    statement = (
        select(func.count())
        .select_from(TABLE)
        .where(
            _COLUMNS.profile_id == fresh.profile_id,
            _COLUMNS.status.in_(("redeemed", "captured")),
            _COLUMNS.reversed_at.is_(None),
            _COLUMNS["items"].contains(from_it),
        )
    )
    # Nothing but rewards is kept yet.
    found = (await fetch(services, statement))[0][0] if type == "reward" else 0
    return answer_fresh({"count": found}, fresh)


def _group(attribute: str, row: Mapping[str, Any], services: Services) -> dict[str, Any]:
    value = row["value"]
    return {
        attribute: value.isoformat() if isinstance(value, date) else value,
        "count": row["count"],
        "total": amount(row["total_minor"], services),
        "returned": amount(row["returned_minor"], services),
    }
