"""The register of profiles: who there is, and who has become whom."""

from typing import Annotated, Final
from uuid import UUID, uuid4, uuid5

from fastapi import APIRouter, Body, Request, Response

from api.access import allowed
from api.commanding import Answered, addressed, idempotency_key, submit
from api.documents import balances
from api.documents.profiles import document
from api.examples import MERGE, PROFILE, PROFILE_CHANGES
from api.filters import Field
from api.parameters import WAIT_FOR
from api.paths import BASE, PathProfile
from api.queries import Listing, answer_list
from api.reading import (
    answer_fresh,
    model_position,
    not_found,
    of_profile,
    plain,
    row_after,
    row_at,
)
from api.route import LedgerRoute
from api.services import services_of
from api.tokens import Caller
from api.waiting_for import wait_for
from ledger.account.state import Account
from projections.read_models import profiles
from schemas.commands import Command
from schemas.profiles import MergeProfiles, ProfileId
from schemas.registrations import (
    ChangeProfile,
    DeleteProfile,
    PersonalDetails,
    ProfileChanges,
    ProfileType,
    RegisterProfile,
    RestoreProfile,
    Tags,
)

router = APIRouter(prefix=BASE, tags=["Profiles"], route_class=LedgerRoute)

MODEL = profiles.PROJECTION
TABLE = MODEL.table


_COLUMNS = TABLE.c
_IDS: Final = UUID("b1f0f9c4-6f0e-4b62-9f1e-0d8c7a55d2aa")
"""The name space of ids we choose."""

LISTING = Listing(
    TABLE,
    {
        "id": Field.text(_COLUMNS.profile_id),
        "type": Field.text(_COLUMNS.type),
        "tags": Field.texts(_COLUMNS.tags),
        "created_at": Field.instant(_COLUMNS.created_at),
        "updated_at": Field.instant(_COLUMNS.updated_at),
        "deleted_at": Field.instant(_COLUMNS.deleted_at),
        "is_deleted": Field.boolean(_COLUMNS.deleted_at.is_not(None)),
    },
    _COLUMNS.profile_id,
    order=(_COLUMNS.created_at.desc(),),
)


class Registration(PersonalDetails):
    """A profile to be made known; without an id it gets one."""

    id: ProfileId | None = None
    type: ProfileType = "active"
    tags: Tags = ()


class Loser(Command):
    """The profile that becomes the one of the path."""

    loser_id: ProfileId


@router.post("/profiles")
async def register(
    request: Request,
    body: Annotated[Registration, Body(openapi_examples=PROFILE)],
    caller: Annotated[Caller, allowed("create-profiles")],
) -> Response:
    """Register a profile before its first reward or sale. Without an `id` it gets a UUID."""
    fields = {name: getattr(body, name) for name in body.model_fields_set - {"id"}}
    command = RegisterProfile(profile_id=body.id or _id_for(caller, request), **fields)
    return await _changed(await submit(request, caller, command), created=True)


@router.put("/profiles/{profile_id}")
async def change(
    request: Request,
    profile_id: PathProfile,
    body: Annotated[ProfileChanges, Body(openapi_examples=PROFILE_CHANGES)],
    caller: Annotated[Caller, allowed("update-profiles")],
) -> Response:
    """Change what is known of a profile: what is left out stays, null takes away."""
    command = addressed(ChangeProfile, body, profile_id=profile_id)
    return await _changed(await submit(request, caller, command))


@router.delete("/profiles/{profile_id}", status_code=204)
async def delete(
    request: Request,
    profile_id: PathProfile,
    caller: Annotated[Caller, allowed("delete-profiles")],
) -> Response:
    """Delete a profile: it gives and takes nothing, until it is restored. Its value stays."""
    answered = await submit(request, caller, DeleteProfile(profile_id=profile_id))
    return Response(status_code=204, headers=answered.headers())


@router.post("/profiles/{profile_id}/restore", status_code=200)
async def restore(
    request: Request,
    profile_id: PathProfile,
    caller: Annotated[Caller, allowed("delete-profiles")],
) -> Response:
    """Restore a deleted profile: what has not expired meanwhile is there again."""
    return await _changed(await submit(request, caller, RestoreProfile(profile_id=profile_id)))


@router.get("/profiles", openapi_extra=LISTING.documented(WAIT_FOR))
async def list_all(request: Request, _: Annotated[Caller, allowed("read-profiles")]) -> Response:
    """All profiles, the newest first; those that have become another one are left out."""
    services = services_of(request)
    await wait_for(request, services, MODEL)
    return await answer_list(
        request,
        services,
        LISTING,
        lambda row: document(plain(TABLE, row)),
        where=[_COLUMNS.merged_into.is_(None)],
        fresh=await model_position(services, MODEL),
    )


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


def _id_for(caller: Caller, request: Request) -> str:
    """An id nobody has. A repeat under its key means the same profile, so it gives the same id."""
    key = idempotency_key(request)
    return str(uuid4() if key is None else uuid5(_IDS, f"{caller.client} {key}"))


async def _changed(answered: Answered, *, created: bool = False) -> Response:
    account: Account = answered.answer.state
    assert account.profile_id is not None
    row = await row_after(answered, MODEL, answered.answer.stream_id, (account.profile_id,))
    shown = document(row) | {"merged_into": None}
    if answered.dry_run and created:
        shown["id"] = None
    return answered.response(shown, created=created)
