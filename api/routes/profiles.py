"""What a profile has and how it came about: balances and history."""

from typing import Annotated, Any

from fastapi import APIRouter, Request, Response

from api.access import allowed
from api.documents import balances as balance_documents
from api.documents.history import entry_document
from api.moments import AS_OF, TIME, cut_of
from api.pages import NUMBER, SIZE, around, plain_page
from api.parameters import Parameter, documented, flag, text
from api.paths import BASE, PathProfile
from api.personal import Document
from api.problems import Refused
from api.reading import (
    answer_fresh,
    not_found,
    of_profile,
    profile_now,
    row_at,
    whole_stream,
)
from api.route import LedgerRoute
from api.services import services_of
from api.tokens import Caller
from ledger.history import history_of, sealed_in
from ledger.streams import account_stream
from projections.read_models import balances

router = APIRouter(prefix=BASE, tags=["Profiles"], route_class=LedgerRoute)

CURRENCY = text("currency", "The programme's currency: there is no other.")
OWN = Parameter(
    "own", "A merged profile's own history, up to the merge.", {"type": "boolean", "default": False}
)


@router.get("/profiles/{profile_id}/balances", openapi_extra=documented(CURRENCY))
async def read_balances(
    request: Request,
    profile_id: PathProfile,
    _: Annotated[Caller, allowed("read-profiles")],
) -> Response:
    """What the profile can spend now. Right to the second, and never older than a command's
    answer."""
    services = services_of(request)
    _refuse_other_currency(request.query_params.get(CURRENCY.name), services.settings.currency)
    fresh = await of_profile(services, balances.PROJECTION, profile_id)
    row = await row_at(services, balances.TABLE, (fresh.profile_id,))
    balance = balances.balance_at(None if row is None else dict(row), services.clock())
    return answer_fresh(balance_documents.document(balance, services), fresh)


@router.get(
    "/profiles/{profile_id}/history",
    openapi_extra=documented(SIZE, NUMBER, AS_OF, TIME, OWN),
)
async def read_history(
    request: Request,
    profile_id: PathProfile,
    _: Annotated[Caller, allowed("read-ledgers")],
) -> Response:
    """Every event of the profile's account in order, each with the balance after it.

    `as_of` stops at a moment (UTC, or ISO 8601 with an offset): of business time, or with
    `time=recorded` of what the ledger knew by then. Read from the log itself. A merged profile's
    is that of whom it has become; `own=true` tells what happened to it before.
    """
    services = services_of(request)
    cut = cut_of(request)
    page = plain_page(request)
    shown_of = profile_id
    if not flag(request, OWN.name):
        shown_of = await profile_now(services, profile_id)
    recorded = await whole_stream(services.store, account_stream(shown_of))
    if not recorded:
        raise not_found("profile")
    settings = services.settings
    told = history_of(
        recorded,
        cut=cut,
        currency=settings.currency,
        currency_digits=settings.currency_digits,
        opened=await services.vault.opened(sealed_in(recorded)),
    )
    entries = told.entries[page.first : page.first + page.size + 1]
    content: dict[str, Any] = {
        "data": [entry_document(entry, services) for entry in entries[: page.size]],
        **around(request, page, entries, len(told.entries), None),
    }
    content["meta"]["balance"] = told.amount(
        told.balance_minor(cut.at if cut else services.clock())
    )
    if shown_of != profile_id:
        content["meta"]["merged_into"] = shown_of
    headers = {"Ledger-Position": str(recorded[-1].position)}
    return Document(content, headers=headers)


def _refuse_other_currency(given: str | None, currency: str) -> None:
    if given not in (None, currency):
        sentence = f"This programme keeps {currency}; give that, or leave it out."
        raise Refused(422, "unsupported_currency", None, sentence, {CURRENCY.name: [sentence]})
