"""What a profile's rewards will be consumed as next: the order, and what has gone by each."""

from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Request, Response
from sqlalchemy import BigInteger, FromClause, case, cast, func, select

from api.access import allowed
from api.documents.rewards import next_document
from api.filters import Field
from api.lapses import lapsed_minor
from api.moments import AS_OF, TIME, cut_of
from api.past import profile_at, rows_at
from api.past_tables import past_table
from api.paths import BASE, PathProfile
from api.queries import Listing, answer_list
from api.reading import of_profile
from api.route import LedgerRoute
from api.services import services_of
from api.tokens import Caller
from projections.read_models import reward_expiry_order

router = APIRouter(prefix=BASE, tags=["Rewards"], route_class=LedgerRoute)

MODEL = reward_expiry_order.PROJECTION


def _listing(profile_id: str, now: datetime, rows: FromClause = MODEL.table) -> Listing:
    """The rewards that can be spent at a moment, numbered before any filter leaves some out."""
    of = rows.c
    lapsed = case((of.held_until <= now, lapsed_minor(of.holds, now)), else_=0)
    spendable = of.available_minor + case((of.issued_at <= now, of.pending_minor), else_=0) + lapsed
    order = (
        of.expires_at.asc().nulls_last(),
        of.issued_at.asc(),
        of.reward_id.asc(),
    )
    # Available until the end of the `expires_at` second.
    unexpired = of.expires_at.is_(None) | (of.expires_at >= now.replace(microsecond=0))
    table = (
        select(
            *of,
            spendable.label("spendable_minor"),
            lapsed.label("lapsed_minor"),
            func.row_number().over(order_by=order).label("place"),
            cast(func.sum(spendable).over(order_by=order), BigInteger).label("cumulative_minor"),
        )
        .where(of.profile_id == profile_id, spendable > 0, unexpired)
        .subquery("next")
    )
    columns: Any = table.c
    return Listing(
        table,
        {
            "order": Field.number(columns.place),
            "value_available": Field.money(columns.spendable_minor),
            "value_cumulative": Field.money(columns.cumulative_minor),
            "expires_at": Field.instant(columns.expires_at),
            "issued_at": Field.instant(columns.issued_at),
            "reward_definition_id": Field.number(columns.definition_id),
        },
        columns.reward_id,
        order=(columns.place,),
    )


LISTING = _listing("", datetime.min.replace(tzinfo=UTC))
"""For what does not depend on whose rewards they are, and when."""


@router.get(
    "/profiles/{profile_id}/rewards/expiry-order", openapi_extra=LISTING.documented(AS_OF, TIME)
)
async def expiry_order(
    request: Request,
    profile_id: PathProfile,
    _: Annotated[Caller, allowed("read-rewards")],
) -> Response:
    """What will be consumed next: nearest expiry first, no expiry last; ties by issue, then id.

    `value_cumulative` is what can be redeemed before the reward after it is touched. With `as_of`
    the order as it was at that moment.
    """
    services, cut = services_of(request), cut_of(request)
    if cut is not None:
        past = await profile_at(services, profile_id, cut)
        rows = past_table(MODEL.table, await rows_at(services, past, MODEL))
        return await answer_list(
            request,
            services.at(past.at),
            _listing(past.profile_id, past.at, rows),
            lambda row: next_document(row, services),
            fresh=past.fresh,
        )
    fresh = await of_profile(services, MODEL, profile_id)
    return await answer_list(
        request,
        services,
        _listing(fresh.profile_id, services.clock()),
        lambda row: next_document(row, services),
        fresh=fresh,
    )
