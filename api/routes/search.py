"""One box for everything: what a text names, whatever it is."""

from typing import Annotated, Final

from fastapi import APIRouter, Request, Response

from api.access import allowed
from api.answers import ALL, answering
from api.freshness import told
from api.parameters import WAIT_FOR, Parameter, documented
from api.paths import BASE
from api.personal import Document
from api.problems import Refused
from api.reading import model_position
from api.route import LedgerRoute
from api.search import Asked, found_for
from api.services import services_of
from api.tokens import Caller
from api.waiting_for import wait_for
from projections.read_models import transactions
from schemas.amounts import UNSTORABLE

router = APIRouter(prefix=BASE, tags=["Search"], route_class=LedgerRoute)

LENGTH_MAX: Final = 255
Q: Final = Parameter(
    "q",
    "An id, a name, an e-mail, a number of any kind, a receipt, an idempotency key, a position.",
    {"type": "string", "minLength": 1, "maxLength": LENGTH_MAX},
)


@router.get(
    "/search", openapi_extra=documented(Q, WAIT_FOR), responses=answering(ALL), status_code=200
)
async def search(request: Request, caller: Annotated[Caller, allowed("read-profiles")]) -> Response:
    """Whatever a text may mean, best first: 20 at the most, exact ones before names that are alike.

    Profiles by id, identity, name (with mistakes), e-mail or telephone; transactions, redemptions
    and rewards by id and `external_id`; sales by receipt; with `read-ledgers` also events by
    position and requests by idempotency key. What the token can't read is not looked for.
    """
    services = services_of(request)
    text = _text(request)
    await wait_for(request, services, transactions.PROJECTION)
    fresh = await model_position(services, transactions.PROJECTION)
    hits = await found_for(Asked(services, caller, text))
    content = {"data": [hit.document() for hit in hits]}
    meta = told(fresh)
    headers = {"Ledger-Position": str(fresh.position)}
    return Document(content | ({"meta": meta} if meta else {}), headers=headers)


def _text(request: Request) -> str:
    text = request.query_params.get(Q.name, "")
    if len(text) > LENGTH_MAX:
        raise Refused.invalid({Q.name: [f"Give at most {LENGTH_MAX} characters."]})
    if UNSTORABLE.search(text):
        raise Refused.invalid({Q.name: ["Remove the NUL character or unpaired surrogate."]})
    if not text.strip():
        raise Refused.invalid({Q.name: ["Give what to look for."]})
    return text.strip()
