"""What a profile has and how it came about: balances and history."""

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Request, Response

from api.access import allowed
from api.documents import balances as balance_documents
from api.documents.history import entry_document
from api.freshness import told
from api.moments import AS_OF, TIME, cut_of
from api.pages import NUMBER, SIZE, Page, around, plain_page
from api.parameters import Parameter, documented, flag, text
from api.past import PastProfile, entries_at, profile_at
from api.paths import BASE, PathProfile
from api.personal import Document
from api.problems import Refused
from api.reading import answer_fresh, of_profile, row_at
from api.route import LedgerRoute
from api.services import Services, services_of
from api.tokens import Caller
from ledger.history import Entry
from projections.read_models import balances
from schemas.amounts import from_minor

router = APIRouter(prefix=BASE, tags=["Profiles"], route_class=LedgerRoute)

CURRENCY = text("currency", "The programme's currency: there is no other.")
OWN = Parameter(
    "own", "A merged profile's own history, up to the merge.", {"type": "boolean", "default": False}
)


NEWEST = Parameter("newest", "The newest first.", {"type": "boolean", "default": False})


@router.get("/profiles/{profile_id}/balances", openapi_extra=documented(CURRENCY, AS_OF, TIME))
async def read_balances(
    request: Request,
    profile_id: PathProfile,
    _: Annotated[Caller, allowed("read-profiles")],
) -> Response:
    """What the profile can spend. Right to the second, and never older than a command's answer.

    With `as_of` what it could spend at that moment: by business time whatever had happened, told
    then or later; with `time=recorded` what the ledger answered then.
    """
    services = services_of(request)
    _refuse_other_currency(request.query_params.get(CURRENCY.name), services.settings.currency)
    cut = cut_of(request)
    if cut is not None:
        past = await profile_at(services, profile_id, cut)
        return answer_fresh(balance_documents.document(past.balance(), services), past.fresh)
    fresh = await of_profile(services, balances.PROJECTION, profile_id)
    row = await row_at(services, balances.TABLE, (fresh.profile_id,))
    balance = balances.balance_at(None if row is None else dict(row), services.clock())
    return answer_fresh(balance_documents.document(balance, services), fresh)


@router.get(
    "/profiles/{profile_id}/history",
    openapi_extra=documented(SIZE, NUMBER, NEWEST, AS_OF, TIME, OWN),
)
async def read_history(
    request: Request,
    profile_id: PathProfile,
    _: Annotated[Caller, allowed("read-ledgers")],
) -> Response:
    """Every event of the profile's account in order, each with the balance after it.

    `as_of` stops at a moment (UTC, or ISO 8601 with an offset): of business time, or with
    `time=recorded` of what the ledger knew by then. Read from the log itself. A merged profile's
    is that of whom it had become by then; `own=true` tells what happened to it before.
    """
    services = services_of(request)
    cut = cut_of(request)
    page = plain_page(request)
    past = await profile_at(services, profile_id, cut, own=flag(request, OWN.name))
    entries = await _part(services, past, page, newest=flag(request, NEWEST.name))
    digits = services.settings.currency_digits
    content: dict[str, Any] = {
        "data": [entry_document(entry, services) for entry in entries[: page.size]],
        **around(request, page, entries, len(past.events), None),
    }
    content["meta"]["balance"] = from_minor(past.balance().available_minor, digits=digits)
    content["meta"] |= told(past.fresh)
    headers = {"Ledger-Position": str(past.fresh.position)}
    return Document(content, headers=headers)


async def _part(
    services: Services, past: PastProfile, page: Page, *, newest: bool
) -> Sequence[Entry]:
    """The entries of a page, and one more where there is one."""
    if not newest:
        return await entries_at(services, past, page.part)
    total = len(past.events)
    part = slice(max(0, total - page.part.stop), max(0, total - page.first))
    return (await entries_at(services, past, part))[::-1]


def _refuse_other_currency(given: str | None, currency: str) -> None:
    if given not in (None, currency):
        sentence = f"This programme keeps {currency}; give that, or leave it out."
        raise Refused(422, "unsupported_currency", None, sentence, {CURRENCY.name: [sentence]})
