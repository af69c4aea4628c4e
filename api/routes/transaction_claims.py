"""Claims: a profile says by its receipt that a sale recorded without it was its own."""

from typing import Annotated

from fastapi import APIRouter, Body, Request, Response

from api.access import allowed
from api.commanding import Answered, addressed, submit
from api.documents.transaction_claims import document
from api.examples import CLAIM
from api.filters import Field
from api.folding import folded
from api.paths import BASE, PathId, PathProfile
from api.queries import Listing, answer_list
from api.reading import Row, answer_fresh, fresh_row, of_profile, plain, row_of_profile
from api.route import LedgerRoute
from api.services import services_of
from api.tokens import Caller
from ledger.account.state import Account
from ledger.receipts.claims import standing_claim
from projections.read_models import transaction_claims
from schemas.amounts import to_minor
from schemas.transaction_claims import ClaimTerms, ClaimTransaction

router = APIRouter(prefix=BASE, tags=["Transactions"], route_class=LedgerRoute)

MODEL = transaction_claims.PROJECTION
TABLE = MODEL.table
_COLUMNS = TABLE.c

LISTING = Listing(
    TABLE,
    {
        "id": Field.number(_COLUMNS.claim_id),
        "status": Field.text(_COLUMNS.status),
        "transaction_receipt_ref": Field.text(_COLUMNS.receipt_ref),
        "transaction_total": Field.money(_COLUMNS.total_minor),
        "claimed_transaction_id": Field.number(_COLUMNS.claimed_transaction_id),
        "created_at": Field.instant(_COLUMNS.created_at),
        "last_checked_at": Field.instant(_COLUMNS.last_checked_at),
    },
    _COLUMNS.claim_id,
)


@router.post("/profiles/{profile_id}/transactions/claims")
async def claim(
    request: Request,
    profile_id: PathProfile,
    body: Annotated[ClaimTerms, Body(openapi_examples=CLAIM)],
    caller: Annotated[Caller, allowed("create-transaction-claims")],
) -> Response:
    """Claim the sale of a receipt. It is the profile's at once, or as soon as it arrives."""
    command = addressed(ClaimTransaction, body, profile_id=profile_id)
    answered = await submit(request, caller, command)
    row, is_new = await _claim_of(answered, command)
    shown = document(row, answered.services)
    if answered.dry_run and is_new:
        shown["id"] = None
    return answered.response(shown, created=is_new)


@router.get("/profiles/{profile_id}/transactions/claims", openapi_extra=LISTING.documented())
async def list_of_profile(
    request: Request,
    profile_id: PathProfile,
    _: Annotated[Caller, allowed("read-transaction-claims")],
) -> Response:
    """A profile's claims, the newest first."""
    services = services_of(request)
    fresh = await of_profile(services, MODEL, profile_id)
    return await answer_list(
        request,
        services,
        LISTING,
        lambda row: document(plain(TABLE, row), services),
        where=[_COLUMNS.profile_id == fresh.profile_id],
        fresh=fresh,
    )


@router.get("/profiles/{profile_id}/transactions/claims/{claim_id}")
async def read(
    request: Request,
    profile_id: PathProfile,
    claim_id: PathId,
    _: Annotated[Caller, allowed("read-transaction-claims")],
) -> Response:
    """One claim of a profile, as it stands."""
    services = services_of(request)
    row, fresh = await row_of_profile(services, MODEL, profile_id, claim_id, "transaction claim")
    return answer_fresh(document(row, services), fresh)


async def _claim_of(answered: Answered, command: ClaimTransaction) -> tuple[Row, bool]:
    """The claim this request has opened, or the same one opened before."""
    services, answer = answered.services, answered.answer
    rows = folded(MODEL, answer.stream_id, answered.events, answered.at)
    if rows:
        (row,) = rows.values()
        return row, True
    account: Account = answer.state
    digits = services.settings.currency_digits
    total_minor = to_minor(command.transaction_total, digits=digits)
    standing = standing_claim(command, total_minor, account)
    assert standing is not None
    found, _ = await fresh_row(services, MODEL, answer.stream_id, (standing.id,))
    assert found is not None
    return found, False
