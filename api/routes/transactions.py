"""Transactions: record, read, list, link a redemption, void (article, step 4)."""

from dataclasses import replace
from typing import Annotated, Any

from fastapi import APIRouter, Body, Path, Request, Response

from api.access import allowed, refuse_without
from api.answers import QUEUED, answering
from api.batches import Rows, answer_batch
from api.bodies import BATCH
from api.commanding import Answered, addressed, submit
from api.documents.transactions import document
from api.examples import TRANSACTION, TRANSACTIONS, UPSERT
from api.filters import Field
from api.parameters import WAIT_FOR
from api.paths import BASE, PathId, PathProfile
from api.problems import Refused
from api.queries import Listing, answer_list
from api.queueing import queued
from api.reading import (
    answer_fresh,
    fresh_row,
    model_position,
    not_found,
    of_profile,
    plain,
    profile_now,
    row_after,
    with_absorbed,
)
from api.route import LedgerRoute
from api.services import Services, services_of
from api.shown_transactions import CREATED, recorded, shown_with_staleness, upserted
from api.tokens import Caller
from api.waiting_for import wait_for
from ledger.transactions.state import transaction_stream
from projections.read_models import profiles, transactions
from schemas.commands import Command
from schemas.transaction_changes import (
    ChangeTransaction,
    TransactionChanges,
    UnattachTransaction,
    UpsertTransaction,
)
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
        "sale_transaction_id": Field.number(_COLUMNS.sale_transaction_id),
        "return_status": Field.text(_COLUMNS.return_status),
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


class TransactionBatch(Command):
    """Sales to record, a row each."""

    transactions: Rows[RecordTransaction]


@router.post("/transactions")
async def record(
    request: Request,
    body: Annotated[RecordTransaction, Body(openapi_examples=TRANSACTION)],
    caller: Annotated[Caller, allowed("create-transactions")],
) -> Response:
    """Record a completed sale, and attribute the redemption it names."""
    answered = await submit(request, caller, body)
    status, shown = await recorded(answered)
    return answered.response(shown, created=status == CREATED)


@router.post("/transactions/update-create")
async def upsert(
    request: Request,
    body: Annotated[UpsertTransaction, Body(openapi_examples=UPSERT)],
    caller: Annotated[Caller, allowed("create-transactions")],
) -> Response:
    """Record a transaction, or change the one with this `external_id`, else with this `id`.

    What is left out stays, `items` replace the list, null takes away. An older `source_version`
    changes nothing: the answer shows what stands, with `stale: true`.
    """
    refuse_without(caller, "update-transactions")
    answered = await submit(request, caller, body)
    status, shown = await upserted(answered, body)
    return answered.response(shown, created=status == CREATED)


@router.post("/transactions/queue", status_code=200, responses=answering(QUEUED))
async def queue(
    request: Request,
    body: Annotated[UpsertTransaction, Body(openapi_examples=UPSERT)],
    caller: Annotated[Caller, allowed("create-transactions")],
) -> Response:
    """Take an upsert to be done soon: safe when it is answered, its outcome on `ledger.outcomes`.

    What is sent for one `external_id` is done in the order it was sent.
    """
    refuse_without(caller, "update-transactions")
    return await queued(request, caller, body, _key_in_queue)


def _key_in_queue(told: UpsertTransaction) -> str | None:
    """What is sent for one sale keeps its order, else what is sent for one profile."""
    return told.external_id or told.profile_id or (f"transaction-{told.id}" if told.id else None)


@router.post(f"/transactions{BATCH}", status_code=200)
async def record_many(
    request: Request,
    body: Annotated[TransactionBatch, Body(openapi_examples=TRANSACTIONS)],
    caller: Annotated[Caller, allowed("create-transactions")],
) -> Response:
    """Record up to 1,000 completed sales. Each row has a result of its own, and those of one
    profile keep their order.
    """

    async def shown(answered: Answered, _: RecordTransaction) -> tuple[int, Any]:
        return await recorded(answered)

    return await answer_batch(request, caller, body.transactions, shown)


@router.put("/transactions/{transaction_id}")
async def change(
    request: Request,
    transaction_id: PathId,
    body: TransactionChanges,
    caller: Annotated[Caller, allowed("update-transactions")],
) -> Response:
    """Change a transaction: what is left out stays.

    `redemption_id` alone links a redemption, also a second one. `is_void` voids for good: what was
    redeemed comes back then.
    """
    command = _change_of(transaction_id, body)
    answered = await submit(request, caller, command)
    stream_id = transaction_stream(transaction_id)
    row = await row_after(answered, MODEL, stream_id, (transaction_id,))
    return answered.response(shown_with_staleness(row, answered, body))


@router.post("/profiles/{profile_id}/transactions/{transaction_id}/unattach", status_code=200)
async def unattach(
    request: Request,
    profile_id: PathProfile,
    transaction_id: PathId,
    caller: Annotated[Caller, allowed("update-transactions")],
) -> Response:
    """Say that a transaction is not this profile's after all; it is nobody's then."""
    command = UnattachTransaction(profile_id=profile_id, transaction_id=transaction_id)
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
    known = await of_profile(services, profiles.PROJECTION, profile_id)
    fresh = await services.reads.catch_up_profile_transactions(known.profile_id)
    owners = await with_absorbed(services, known.profile_id)
    return await answer_list(
        request,
        services,
        LISTING,
        lambda row: document(plain(TABLE, row), services),
        where=[_COLUMNS.profile_id.in_(owners)],
        fresh=replace(
            known, position=max(known.position, fresh.position), stale_code=fresh.stale_code
        ),
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


def _change_of(transaction_id: int, body: TransactionChanges) -> Command:
    """The command a body is: a link or a void are told by themselves."""
    told = body.model_fields_set
    if not told:
        raise Refused.invalid({"body": ["Give what is to change."]})
    if told == {"redemption_id"} and body.redemption_id is not None:
        return LinkRedemption(transaction_id=transaction_id, redemption_id=body.redemption_id)
    if told <= {"is_void", "keep_redemption"} and body.is_void:
        return VoidTransaction(transaction_id=transaction_id, keep_redemption=body.keep_redemption)
    return addressed(ChangeTransaction, body, transaction_id=transaction_id)


async def _is_of(services: Services, owner: str | None, asked: str | None) -> bool:
    """A sale keeps the profile it was recorded with, whoever that one has become."""
    if asked is None or asked == owner:
        return True
    return owner is not None and (
        await profile_now(services, owner) == await profile_now(services, asked)
    )


async def _read(services: Services, transaction_id: int, profile_id: str | None) -> Response:
    stream_id = transaction_stream(transaction_id)
    row, fresh = await fresh_row(services, MODEL, stream_id, (transaction_id,))
    if row is None or not await _is_of(services, row["profile_id"], profile_id):
        raise not_found("transaction")
    return answer_fresh(document(row, services), fresh)
