"""What a profile's rewards will be consumed as next: the order, and what has gone by each."""

from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Request, Response
from sqlalchemy import BigInteger, case, cast, func, select

from api.access import allowed
from api.documents.rewards import next_document
from api.filters import Field
from api.lapses import lapsed_minor
from api.paths import BASE, PathProfile
from api.queries import Listing, answer_list
from api.reading import of_profile
from api.route import LedgerRoute
from api.services import services_of
from api.tokens import Caller
from projections.read_models import reward_expiry_order

router = APIRouter(prefix=BASE, tags=["Rewards"], route_class=LedgerRoute)

MODEL = reward_expiry_order.PROJECTION
_COLUMNS = MODEL.table.c


def _listing(profile_id: str, now: datetime) -> Listing:
    """The rewards that can be spent at a moment, numbered before any filter leaves some out."""
    lapsed = case((_COLUMNS.held_until <= now, lapsed_minor(_COLUMNS.holds, now)), else_=0)
    spendable = (
        _COLUMNS.available_minor
        + case((_COLUMNS.issued_at <= now, _COLUMNS.pending_minor), else_=0)
        + lapsed
    )
    order = (
        _COLUMNS.expires_at.asc().nulls_last(),
        _COLUMNS.issued_at.asc(),
        _COLUMNS.reward_id.asc(),
    )
    # Available until the end of the `expires_at` second.
    unexpired = _COLUMNS.expires_at.is_(None) | (_COLUMNS.expires_at >= now.replace(microsecond=0))
    table = (
        select(
            *_COLUMNS,
            spendable.label("spendable_minor"),
            lapsed.label("lapsed_minor"),
            func.row_number().over(order_by=order).label("place"),
            cast(func.sum(spendable).over(order_by=order), BigInteger).label("cumulative_minor"),
        )
        .where(_COLUMNS.profile_id == profile_id, spendable > 0, unexpired)
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


@router.get("/profiles/{profile_id}/rewards/expiry-order", openapi_extra=LISTING.documented())
async def expiry_order(
    request: Request,
    profile_id: PathProfile,
    _: Annotated[Caller, allowed("read-rewards")],
) -> Response:
    """What will be consumed next: nearest expiry first, no expiry last; ties by issue, then id.

    `value_cumulative` is what can be redeemed before the reward after it is touched.
    """
    services = services_of(request)
    fresh = await of_profile(services, MODEL, profile_id)
    return await answer_list(
        request,
        services,
        _listing(fresh.profile_id, services.clock()),
        lambda row: next_document(row, services),
        fresh=fresh,
    )
