"""The register of profiles: who there is, and who has become whom."""

from typing import Annotated

from fastapi import APIRouter, Body, Request, Response

from api.access import allowed
from api.commanding import submit
from api.documents import balances
from api.documents.profiles import document
from api.examples import MERGE
from api.paths import BASE, PathProfile
from api.reading import answer_fresh, not_found, of_profile, row_after, row_at
from api.route import LedgerRoute
from api.services import services_of
from api.tokens import Caller
from ledger.account.state import Account
from projections.read_models import profiles
from schemas.commands import Command
from schemas.profiles import MergeProfiles, ProfileId

router = APIRouter(prefix=BASE, tags=["Profiles"], route_class=LedgerRoute)

MODEL = profiles.PROJECTION
TABLE = MODEL.table


class Loser(Command):
    """The profile that becomes the one of the path."""

    loser_id: ProfileId


@router.post("/profiles/merge", status_code=200)
async def merge(
    request: Request,
    body: Annotated[MergeProfiles, Body(openapi_examples=MERGE)],
    caller: Annotated[Caller, allowed("merge-profiles")],
) -> Response:
    """Make one profile of two, for good: all that the loser has is the winner's.

    Rewards, redemptions and transactions keep their ids and terms. Whoever names the loser from now
    on, in a read or a command, means the winner.
    """
    answered = await submit(request, caller, body)
    account: Account = answered.answer.state
    assert account.profile_id is not None
    row = await row_after(answered, MODEL, answered.answer.stream_id, (account.profile_id,))
    balance = balances.of_account(account, answered.at)
    shown = document(row) | {"balances": balances.document(balance, answered.services)}
    return answered.response(shown)


@router.post("/profiles/{profile_id}/merge", status_code=200, include_in_schema=False)
async def merge_into(
    request: Request,
    profile_id: PathProfile,
    body: Loser,
    caller: Annotated[Caller, allowed("merge-profiles")],
) -> Response:
    """Merge a profile into the one of the path."""
    command = MergeProfiles(winner=profile_id, loser=body.loser_id)
    return await merge(request, command, caller)


@router.get("/profiles/{profile_id}")
async def read(
    request: Request,
    profile_id: PathProfile,
    _: Annotated[Caller, allowed("read-profiles")],
) -> Response:
    """One profile; a merged one is whom it has become."""
    services = services_of(request)
    fresh = await of_profile(services, MODEL, profile_id)
    row = await row_at(services, TABLE, (fresh.profile_id,))
    if row is None:
        raise not_found("profile")
    return answer_fresh(document(row) | {"merged_into": fresh.merged_into}, fresh)
