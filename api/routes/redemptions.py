"""Redemptions: redeem, reverse, return, read, list (article, step 3)."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Body, Request, Response
from sqlalchemy import ColumnElement, FromClause, and_, case, func, literal, literal_column

from api.access import allowed
from api.commanding import Answered, addressed, submit
from api.documents import balances
from api.documents.redemptions import document, reissued
from api.examples import REDEMPTION, RETURN
from api.filters import Field
from api.folding import folded
from api.incentives import Incentives, PastIncentives
from api.moments import AS_OF, TIME, cut_of
from api.parameters import WAIT_FOR
from api.past import profile_at, rows_at
from api.past_tables import past_table
from api.paths import BASE, PathId, PathProfile
from api.problems import Refused
from api.queries import Listing, answer_list
from api.reading import (
    answer_fresh,
    as_row,
    fresh_row,
    held_row,
    model_position,
    not_found,
    of_profile,
    plain,
    profile_now,
    row_at,
    row_named,
)
from api.route import LedgerRoute
from api.services import Services, services_of
from api.tokens import Caller
from api.waiting_for import wait_for
from ledger.account.lots import NEVER
from ledger.account.state import Account
from ledger.streams import account_stream
from ledger.submission import AlreadyThere
from projections.projection import Rows
from projections.read_models import redemptions, rewards
from projections.reading import Freshness
from schemas.redemptions import (
    MakeRedemption,
    RedemptionTerms,
    ReturnRedemption,
    ReturnTerms,
    ReverseRedemption,
)

router = APIRouter(prefix=BASE, tags=["Redemptions"], route_class=LedgerRoute)

MODEL = redemptions.PROJECTION
TABLE = MODEL.table
_COLUMNS = TABLE.c
_NEVER = literal(False)


def listing(now: datetime, table: FromClause = TABLE) -> Listing:
    """Redemptions as they are at a moment: a hold ends with its deadline, recorded or not."""
    columns = table.c
    lapsed = and_(columns.status == "held", columns.held_until <= now)
    items = case((lapsed, 0), else_=func.jsonb_array_length(columns["items"]))
    return Listing(
        table,
        {
            "id": Field.number(columns.redemption_id),
            "type": Field.text(columns.type),
            "status": Field.text(case((lapsed, "lapsed"), else_=columns.status)),
            "profile_id": Field.text(columns.profile_id),
            "total": Field.money(case((lapsed, 0), else_=columns.total_minor)),
            "external_id": Field.text(columns.external_id),
            "location_id": Field.text(columns.location_id.op("#>>")(literal_column("'{}'"))),
            "redeem_at": Field.instant(columns.redeemed_at),
            "held_until": Field.instant(columns.held_until),
            "transaction_id": Field.number(columns.transaction_id),
            "transaction_external_id": Field.text(columns.transaction_external_id),
            "transaction_receipt_ref": Field.text(columns.transaction_receipt_ref),
            "linked": Field.boolean(columns.transaction_id.is_not(None)),
            "has_reward": Field.boolean(items > 0),
            # Nothing but rewards is kept yet.
            "has_point": Field.boolean(_NEVER),
            "has_credit": Field.boolean(_NEVER),
            "has_benefit": Field.boolean(_NEVER),
            "created_at": Field.instant(columns.created_at),
        },
        columns.redemption_id,
    )


LISTING = listing(NEVER)
"""Its fields; what a request shows is as it is then."""


async def redeem(
    request: Request,
    profile_id: PathProfile,
    body: Annotated[RedemptionTerms, Body(openapi_examples=REDEMPTION)],
    caller: Annotated[Caller, allowed("redeem-strategy")],
) -> Response:
    """Redeem an amount of the balance: nearest expiry first. The answer has the new balances.

    With `hold` the value is only set aside, until it is captured or released.
    """
    command = addressed(MakeRedemption, body, profile_id=profile_id)
    answered = await submit(request, caller, command)
    services, answer = answered.services, answered.answer
    if isinstance(answer, AlreadyThere):
        row = await row_named(services, MODEL, answer)
    else:
        (row,) = folded(MODEL, answer.stream_id, answered.events, answered.at).values()
    shown = with_balances(document(row, services, answered.at), answered)
    if answered.dry_run:
        shown["id"] = None
    return answered.response(shown, created=not isinstance(answer, AlreadyThere))


router.add_api_route("/profiles/{profile_id}/redeem", redeem, methods=["POST"])
router.add_api_route(
    "/profiles/{profile_id}/redemptions", redeem, methods=["POST"], include_in_schema=False
)


@router.post("/redemptions/{redemption_id}/reversal")
async def reverse(
    request: Request,
    redemption_id: PathId,
    caller: Annotated[Caller, allowed("redeem-strategy")],
) -> Response:
    """Reverse a redemption inside its window: exactly what was taken, back to the same rewards."""
    answered = await submit(request, caller, ReverseRedemption(redemption_id=redemption_id))
    return await _given_back(answered, redemption_id)


@router.post("/redemptions/{redemption_id}/return")
async def give_back(
    request: Request,
    redemption_id: PathId,
    caller: Annotated[Caller, allowed("return")],
    body: Annotated[ReturnTerms | None, Body(openapi_examples=RETURN)] = None,
) -> Response:
    """Return a part of a redemption or the rest: at any time.

    A policy of its own needs the scope `return-policy`.
    """
    terms = body or ReturnTerms()
    if terms.policy is not None and not caller.may("return-policy"):
        raise Refused(403, "forbidden", None, "This token lacks the scope return-policy.")
    command = addressed(ReturnRedemption, terms, redemption_id=redemption_id)
    return await _given_back(await submit(request, caller, command), redemption_id)


@router.get("/redemptions", openapi_extra=LISTING.documented(WAIT_FOR))
async def list_all(request: Request, _: Annotated[Caller, allowed("read-redemptions")]) -> Response:
    """All redemptions, returns and reversals, the newest first."""
    services = services_of(request)
    await wait_for(request, services, MODEL)
    return await list_redemptions(request, services, fresh=await model_position(services, MODEL))


@router.get("/profiles/{profile_id}/redemptions", openapi_extra=LISTING.documented(AS_OF, TIME))
async def list_of_profile(
    request: Request,
    profile_id: PathProfile,
    _: Annotated[Caller, allowed("read-redemptions")],
) -> Response:
    """A profile's redemptions, returns and reversals, the newest first.

    With `as_of` as they were at that moment, with their rewards.
    """
    services, cut = services_of(request), cut_of(request)
    if cut is None:
        return await list_profile_redemptions(request, profile_id)
    past = await profile_at(services, profile_id, cut)
    table = past_table(TABLE, await rows_at(services, past, MODEL))
    taken = PastIncentives(services, past)
    return await _list(request, services.at(past.at), listing(past.at, table), taken, past.fresh)


@router.get("/profiles/{profile_id}/linked/redemptions", openapi_extra=LISTING.documented())
async def list_linked_of_profile(
    request: Request,
    profile_id: PathProfile,
    _: Annotated[Caller, allowed("read-redemptions")],
) -> Response:
    """A profile's redemptions that paid for a transaction, the newest first."""
    return await list_profile_redemptions(
        request, profile_id, where=[_COLUMNS.transaction_id.is_not(None)]
    )


async def list_profile_redemptions(
    request: Request, profile_id: str, where: Sequence[ColumnElement[bool]] = ()
) -> Response:
    """A list that is not older than the last answer about the profile."""
    services = services_of(request)
    fresh = await of_profile(services, MODEL, profile_id)
    await services.reads.catch_up(rewards.PROJECTION, account_stream(fresh.profile_id))
    mine = [_COLUMNS.profile_id == fresh.profile_id, *where]
    return await list_redemptions(request, services, where=mine, fresh=fresh)


async def list_redemptions(
    request: Request,
    services: Services,
    *,
    where: Sequence[ColumnElement[bool]] = (),
    fresh: Freshness,
) -> Response:
    """The page a request asks for, each redemption with the rewards it took value from."""
    taken = Incentives(services, services.clock())
    return await _list(request, services, listing(services.clock()), taken, fresh, where)


async def _list(  # noqa: PLR0913, PLR0917 - each is one thing a list needs
    request: Request,
    services: Services,
    shown: Listing,
    taken: Incentives,
    fresh: Freshness,
    where: Sequence[ColumnElement[bool]] = (),
) -> Response:
    now = services.clock()
    return await answer_list(
        request,
        services,
        shown,
        lambda row: document(plain(TABLE, row), services, now, taken.of),
        before=lambda rows: taken.load(plain(TABLE, row) for row in rows),
        where=where,
        fresh=fresh,
    )


@router.get("/redemptions/{redemption_id}")
async def read(
    request: Request, redemption_id: PathId, _: Annotated[Caller, allowed("read-redemptions")]
) -> Response:
    """One redemption, return or reversal, as it is now."""
    return await _read(services_of(request), redemption_id, None)


@router.get("/profiles/{profile_id}/redemptions/{redemption_id}")
async def read_of_profile(
    request: Request,
    profile_id: PathProfile,
    redemption_id: PathId,
    _: Annotated[Caller, allowed("read-redemptions")],
) -> Response:
    """One redemption, return or reversal of a profile."""
    return await _read(services_of(request), redemption_id, profile_id)


async def _read(services: Services, redemption_id: int, profile_id: str | None) -> Response:
    owner = None if profile_id is None else await profile_now(services, profile_id)
    row, fresh = await held_row(services, MODEL, "redemption", redemption_id)
    if row is None or owner not in (None, row["profile_id"]):
        raise not_found("redemption")
    await services.reads.catch_up(rewards.PROJECTION, account_stream(row["profile_id"]))
    now = services.clock()
    taken = Incentives(services, now)
    await taken.load([row])
    return answer_fresh(document(row, services, now, taken.of), fresh)


async def _given_back(answered: Answered, redemption_id: int) -> Response:
    """The return's or reversal's own record, folded on the redemption it belongs to."""
    services, answer = answered.services, answered.answer
    before = await row_at(services, TABLE, (redemption_id,))
    if before is None:
        before, _ = await fresh_row(services, MODEL, answer.stream_id, (redemption_id,))
    start: Rows = {(redemption_id,): as_row(before)}
    rows = folded(MODEL, answer.stream_id, answered.events, answered.at, start)
    (record,) = (row for key, row in rows.items() if key != (redemption_id,))
    shown = document(record, services, answered.at)
    if answered.dry_run:
        shown["id"] = None
    shown["reissued"] = reissued(answered.events, services, dry_run=answered.dry_run)
    return answered.response(with_balances(shown, answered), created=True)


def with_balances(shown: dict[str, Any], answered: Answered) -> dict[str, Any]:
    """The answer with what can be spent after it."""
    account: Account = answered.answer.state
    balance = balances.of_account(account, answered.at)
    return shown | {"balances": balances.document(balance, answered.services)}
