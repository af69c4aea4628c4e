"""Why is it so: the rewards and steps behind a profile's balance, now or at any moment."""

from typing import Annotated, Any

from fastapi import APIRouter, Request, Response

from api.access import allowed
from api.documents import balances as balance_documents
from api.explaining import NUMBERS, Explained, Number, balance_explained, steps_explained
from api.freshness import told
from api.moments import AS_OF, TIME, cut_of
from api.pages import NUMBER, SIZE, Page, around, plain_page
from api.parameters import Parameter, documented, flag
from api.past import PastProfile, profile_at
from api.paths import BASE, PathId, PathProfile
from api.personal import Document
from api.problems import Refused
from api.route import LedgerRoute
from api.services import services_of
from api.tokens import Caller

router = APIRouter(prefix=BASE, tags=["Profiles"], route_class=LedgerRoute)

WHICH = Parameter(
    "number", "Only what makes up this number.", {"type": "string", "enum": list(NUMBERS)}
)
CLOSED = Parameter(
    "closed",
    "Rewards of which nothing is left, too: spent, expired, revoked, moved on.",
    {"type": "boolean", "default": False},
)


@router.get(
    "/profiles/{profile_id}/balances/explain",
    openapi_extra=documented(SIZE, NUMBER, WHICH, CLOSED, AS_OF, TIME),
)
async def explain(
    request: Request,
    profile_id: PathProfile,
    _: Annotated[Caller, allowed("read-ledgers")],
) -> Response:
    """Why the balance is what it is: the rewards behind each number, in the order of consumption.

    Each with who issued it, its last steps with the redemption, the sale and the person behind, and
    what is left. `before` sums up the steps not shown: it, and what each step adds and takes, are
    together the reward's `available`, `pending` and `held`; and those of all rewards the balance,
    which `meta` has. Read from the log itself.
    """
    services = services_of(request)
    page = plain_page(request)
    past = await profile_at(services, profile_id, cut_of(request))
    explained = await balance_explained(
        services, past, _number(request), closed=flag(request, CLOSED.name), part=page.part
    )
    return _answer(request, page, past, explained)


@router.get(
    "/profiles/{profile_id}/balances/explain/{reward_id}",
    openapi_extra=documented(SIZE, NUMBER, AS_OF, TIME),
)
async def explain_reward(
    request: Request,
    profile_id: PathProfile,
    reward_id: PathId,
    _: Annotated[Caller, allowed("read-ledgers")],
) -> Response:
    """Every step in the life of one reward of a profile, the oldest first.

    Those on accounts it came from too. What time has brought and nobody has recorded yet comes
    last: `is_recorded` is false.
    """
    services = services_of(request)
    page = plain_page(request)
    past = await profile_at(services, profile_id, cut_of(request))
    explained = await steps_explained(services, past, reward_id, page.part)
    return _answer(request, page, past, explained)


def _answer(request: Request, page: Page, past: PastProfile, explained: Explained) -> Response:
    services = services_of(request)
    shown = explained.documents[: page.size]
    content: dict[str, Any] = {
        "data": shown,
        **around(request, page, explained.documents, explained.total, None),
    }
    content["meta"]["balances"] = balance_documents.document(past.balance(), services)
    content["meta"] |= told(past.fresh)
    headers = {"Ledger-Position": str(past.fresh.position)}
    return Document(content, headers=headers)


def _number(request: Request) -> Number | None:
    given = request.query_params.get(WHICH.name)
    if given is None:
        return None
    for number in NUMBERS:
        if given == number:
            return number  # type: ignore[no-any-return]
    raise Refused.invalid({WHICH.name: [f"Give {', '.join(NUMBERS[:-1])} or {NUMBERS[-1]}."]})
