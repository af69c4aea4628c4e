"""Holds: capture what a redemption has set aside, or release it."""

from typing import Annotated

from fastapi import APIRouter, Body, Request, Response

from api.access import allowed
from api.commanding import Answered, addressed, submit
from api.documents.redemptions import document
from api.examples import CAPTURE
from api.folding import folded
from api.paths import BASE, PathId
from api.reading import as_row, row_after, row_at
from api.route import LedgerRoute
from api.routes.redemptions import MODEL, with_balances
from api.tokens import Caller
from projections.projection import Rows
from schemas.holds import CaptureRedemption, CaptureTerms, ReleaseRedemption

router = APIRouter(prefix=BASE, tags=["Redemptions"], route_class=LedgerRoute)


@router.post("/redemptions/{redemption_id}/capture", status_code=200)
async def capture(
    request: Request,
    redemption_id: PathId,
    caller: Annotated[Caller, allowed("redeem-strategy")],
    body: Annotated[CaptureTerms | None, Body(openapi_examples=CAPTURE)] = None,
) -> Response:
    """Capture what a redemption holds: once, whole or in part; the rest is released."""
    command = addressed(CaptureRedemption, body or CaptureTerms(), redemption_id=redemption_id)
    return await _as_it_is_now(await submit(request, caller, command), redemption_id)


@router.post("/redemptions/{redemption_id}/release", status_code=200)
async def release(
    request: Request,
    redemption_id: PathId,
    caller: Annotated[Caller, allowed("redeem-strategy")],
) -> Response:
    """Release what a redemption holds: all of it is free again, or expires with its reward."""
    command = ReleaseRedemption(redemption_id=redemption_id)
    return await _as_it_is_now(await submit(request, caller, command), redemption_id)


async def _as_it_is_now(answered: Answered, redemption_id: int) -> Response:
    services, answer, key = answered.services, answered.answer, (redemption_id,)
    row = await row_at(services, MODEL.table, key)
    if row is not None and row["status"] == "held":
        start: Rows = {key: as_row(row)}
        row = folded(MODEL, answer.stream_id, answered.events, answered.at, start)[key]
    else:  # The read model is behind the hold, or ahead of this answer.
        row = await row_after(answered, MODEL, answer.stream_id, key)
    return answered.response(with_balances(document(row, services, answered.at), answered))
