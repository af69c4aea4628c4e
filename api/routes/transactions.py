"""Transactions: record, read, list, link a redemption, void (article, step 4)."""

from typing import Annotated, Self

from fastapi import APIRouter, Body, Path, Request, Response
from pydantic import model_validator

from api.access import allowed
from api.commanding import submit
from api.documents.transactions import document
from api.examples import TRANSACTION
from api.filters import Field
from api.folding import folded
from api.parameters import WAIT_FOR
from api.paths import BASE, PathId, PathProfile
from api.queries import Listing, answer_list
from api.reading import (
    answer_fresh,
    fresh_row,
    model_position,
    not_found,
    of_profile,
    plain,
    row_after,
    row_named,
)
from api.route import LedgerRoute
from api.services import Services, services_of
from api.tokens import Caller
from api.waiting_for import wait_for
from ledger.submission import AlreadyThere
from ledger.transactions.state import transaction_stream
from projections.read_models import balances, transactions
from projections.reading import Freshness
from schemas.amounts import WholeNumber
from schemas.commands import Command
from schemas.flags import Flag
from schemas.transactions import LinkRedemption, RecordTransaction, VoidTransaction

router = APIRouter(prefix=BASE, tags=["Transactions"], route_class=LedgerRoute)

MODEL = transactions.PROJECTION
TABLE = MODEL.table
_COLUMNS = TABLE.c

LISTING = Listing(
    TABLE,
    {
        "id": Field.number(_COLUMNS.transaction_id),
        "profile_id": Field.text(_COLUMNS.profile_id),
        "external_id": Field.text(_COLUMNS.external_id),
        "receipt_ref": Field.text(_COLUMNS.receipt_ref),
        "total": Field.money(_COLUMNS.total_minor),
        "transacted_at": Field.instant(_COLUMNS.transacted_at),
        "timezone": Field.text(_COLUMNS.timezone),
        "is_void": Field.boolean(_COLUMNS.is_void),
        "redemption_id": Field.number(_COLUMNS.redemption_id),
        "created_at": Field.instant(_COLUMNS.created_at),
    },
    _COLUMNS.transaction_id,
)

PathExternalId = Annotated[str, Path(min_length=1)]


class TransactionChange(Command):
    """One change of a transaction: a redemption to link, or that it is void."""

    redemption_id: WholeNumber | None = None
    is_void: Flag | None = None
    keep_redemption: Flag = False

    @model_validator(mode="after")
    def _one_change(self) -> Self:
        if (self.redemption_id is None) == (self.is_void is None):
            raise ValueError("Give redemption_id, or is_void: one change at a time.")
        if self.is_void is False:
            raise ValueError("A void is final: is_void can only become true.")
        if self.keep_redemption and self.is_void is None:
            raise ValueError("keep_redemption has a meaning only with is_void.")
        return self


@router.post("/transactions")
async def record(
    request: Request,
    body: Annotated[RecordTransaction, Body(openapi_examples=TRANSACTION)],
    caller: Annotated[Caller, allowed("create-transactions")],
) -> Response:
    """Record a completed sale, and attribute the redemption it names."""
    answered = await submit(request, caller, body)
    services, answer = answered.services, answered.answer
    if isinstance(answer, AlreadyThere):
        row = await row_named(services, MODEL, answer)
        return answered.response(document(row, services))
    (row,) = folded(MODEL, answer.stream_id, answered.events, answered.at).values()
    shown = document(row, services)
    if answered.dry_run:
        shown["id"] = None
    return answered.response(shown, created=True)


@router.put("/transactions/{transaction_id}")
async def change(
    request: Request,
    transaction_id: PathId,
    body: TransactionChange,
    caller: Annotated[Caller, allowed("update-transactions")],
) -> Response:
    """Link a redemption made before or void the sale: its redemptions come back then."""
    command: Command
    if body.redemption_id is not None:
        command = LinkRedemption(transaction_id=transaction_id, redemption_id=body.redemption_id)
    else:
        command = VoidTransaction(
            transaction_id=transaction_id, keep_redemption=body.keep_redemption
        )
    answered = await submit(request, caller, command)
    stream_id = transaction_stream(transaction_id)
    row = await row_after(answered, MODEL, stream_id, (transaction_id,))
    return answered.response(document(row, answered.services))


@router.get("/transactions", openapi_extra=LISTING.documented(WAIT_FOR))
async def list_all(
    request: Request, _: Annotated[Caller, allowed("read-transactions")]
) -> Response:
    """All transactions, the newest first."""
    services = services_of(request)
    await wait_for(request, services, MODEL)
    return await answer_list(
        request,
        services,
        LISTING,
        lambda row: document(plain(TABLE, row), services),
        fresh=await model_position(services, MODEL),
    )


@router.get("/transactions/external/{external_id:path}")
async def read_external(
    request: Request,
    external_id: PathExternalId,
    _: Annotated[Caller, allowed("read-transactions")],
) -> Response:
    """One transaction by the till's own number."""
    services = services_of(request)
    name = ("transaction.external_id", external_id)
    claims = await services.store.claims([name]) if "\x00" not in external_id else {}
    if name not in claims:
        raise not_found("transaction")
    number = int(claims[name].stream_id.removeprefix(transaction_stream(0).removesuffix("0")))
    return await _read(services, number, None)


@router.get("/transactions/{transaction_id}")
async def read(
    request: Request, transaction_id: PathId, _: Annotated[Caller, allowed("read-transactions")]
) -> Response:
    """One transaction, with the redemptions attributed to it."""
    return await _read(services_of(request), transaction_id, None)


@router.get("/profiles/{profile_id}/transactions", openapi_extra=LISTING.documented())
async def list_of_profile(
    request: Request,
    profile_id: PathProfile,
    _: Annotated[Caller, allowed("read-transactions")],
) -> Response:
    """A profile's transactions, the newest first."""
    services = services_of(request)
    known = await of_profile(services, balances.PROJECTION, profile_id)
    fresh = await services.reads.catch_up_profile_transactions(profile_id)
    return await answer_list(
        request,
        services,
        LISTING,
        lambda row: document(plain(TABLE, row), services),
        where=[_COLUMNS.profile_id == profile_id],
        fresh=Freshness(max(known.position, fresh.position), fresh.stale_code),
    )


@router.get("/profiles/{profile_id}/transactions/{transaction_id}")
async def read_of_profile(
    request: Request,
    profile_id: PathProfile,
    transaction_id: PathId,
    _: Annotated[Caller, allowed("read-transactions")],
) -> Response:
    """One transaction of a profile."""
    return await _read(services_of(request), transaction_id, profile_id)


async def _read(services: Services, transaction_id: int, profile_id: str | None) -> Response:
    stream_id = transaction_stream(transaction_id)
    row, fresh = await fresh_row(services, MODEL, stream_id, (transaction_id,))
    if row is None or profile_id not in (None, row["profile_id"]):
        raise not_found("transaction")
    return answer_fresh(document(row, services), fresh)
