"""Identities: what else a profile is known by, and whom one means."""

from typing import Annotated

from fastapi import APIRouter, Body, Path, Request, Response

from api.access import allowed
from api.commanding import addressed, submit
from api.documents import profiles as profile_documents
from api.documents.identities import document
from api.examples import IDENTITY, SEARCH_ID
from api.filters import Field
from api.folding import folded
from api.parameters import documented, text
from api.paths import BASE, PathId, PathProfile
from api.problems import Refused
from api.profile_names import profile_known_by
from api.queries import Listing, answer_list
from api.reading import (
    answer_fresh,
    not_found,
    of_profile,
    plain,
    row_at,
    row_of_profile,
)
from api.route import LedgerRoute
from api.services import Services, services_of
from api.tokens import Caller
from projections.read_models import identities, profiles
from schemas.commands import Command, Name
from schemas.identities import AttachIdentity, DetachIdentity, IdentityAttached, IdentityTerms
from schemas.profiles import IdentityHandle

router = APIRouter(prefix=BASE, tags=["Profiles"], route_class=LedgerRoute)

MODEL = identities.PROJECTION
TABLE = MODEL.table
_COLUMNS = TABLE.c

LISTING = Listing(
    TABLE,
    {
        "id": Field.number(_COLUMNS.identity_id),
        "handle": Field.text(_COLUMNS.handle),
        "is_primary": Field.boolean(_COLUMNS.is_primary),
        "created_at": Field.instant(_COLUMNS.created_at),
    },
    _COLUMNS.identity_id,
)

IDENTIFIER_LENGTH_MAX = 255
HANDLE = text("handle", "What kind of identity it is; without one, it has to be one profile's.")
IDENTIFIER = text("identifier", "The card's number, the e-mail, whatever it is.")
PathIdentifier = Annotated[str, Path(min_length=1)]


class IdentitySought(Command):
    """An identity somebody shows. Here it stands in no URL, and so in no log of one."""

    identifier: Name
    handle: IdentityHandle | None = None


@router.get("/identities/search-profile/{identifier:path}", openapi_extra=documented(HANDLE))
async def search_profile(
    request: Request,
    identifier: PathIdentifier,
    _: Annotated[Caller, allowed("read-identities")],
) -> Response:
    """The profile that is known by this."""
    return await _found(request, identifier, request.query_params.get(HANDLE.name))


@router.get("/identities/search", openapi_extra=documented(HANDLE, IDENTIFIER))
async def search(request: Request, _: Annotated[Caller, allowed("read-identities")]) -> Response:
    """The profile that is known by this."""
    identifier = request.query_params.get(IDENTIFIER.name)
    if not identifier:
        raise Refused.invalid({IDENTIFIER.name: ["Give what the profile is known by."]})
    return await _found(request, identifier, request.query_params.get(HANDLE.name))


@router.post("/profiles/search-id", status_code=200)
async def search_id(
    request: Request,
    body: Annotated[IdentitySought, Body(openapi_examples=SEARCH_ID)],
    _: Annotated[Caller, allowed("read-identities")],
) -> Response:
    """The profile that is known by this; nothing personal stands in the address."""
    return await _found(request, body.identifier, body.handle)


@router.post("/profiles/{profile_id}/identities")
async def attach(
    request: Request,
    profile_id: PathProfile,
    body: Annotated[IdentityTerms, Body(openapi_examples=IDENTITY)],
    caller: Annotated[Caller, allowed("create-identities")],
) -> Response:
    """Let a profile be known by a card, an e-mail or whatever else nobody else is known by."""
    answered = await submit(request, caller, addressed(AttachIdentity, body, profile_id=profile_id))
    told = next(each for each in answered.events if isinstance(each, IdentityAttached))
    alone = told.model_copy(update={"demoted": ()})
    (row,) = folded(MODEL, answered.stream_id, [alone], answered.at).values()
    shown = document(row)
    if answered.dry_run:
        shown["id"] = None
    return answered.response(shown, created=True)


@router.get("/profiles/{profile_id}/identities", openapi_extra=LISTING.documented())
async def list_of_profile(
    request: Request,
    profile_id: PathProfile,
    _: Annotated[Caller, allowed("read-identities")],
) -> Response:
    """What a profile is known by, the newest first."""
    services = services_of(request)
    fresh = await of_profile(services, MODEL, profile_id)
    return await answer_list(
        request,
        services,
        LISTING,
        lambda row: document(plain(TABLE, row)),
        where=[_COLUMNS.profile_id == fresh.profile_id],
        fresh=fresh,
    )


@router.get("/profiles/{profile_id}/identities/{identity_id}")
async def read(
    request: Request,
    profile_id: PathProfile,
    identity_id: PathId,
    _: Annotated[Caller, allowed("read-identities")],
) -> Response:
    """One identity of a profile."""
    services = services_of(request)
    row, fresh = await row_of_profile(services, MODEL, profile_id, identity_id, "identity")
    return answer_fresh(document(row), fresh)


@router.delete("/profiles/{profile_id}/identities/{identity_id}", status_code=204)
async def detach(
    request: Request,
    profile_id: PathProfile,
    identity_id: PathId,
    caller: Annotated[Caller, allowed("delete-identities")],
) -> Response:
    """Detach an identity: it is free to be attached elsewhere."""
    command = DetachIdentity(profile_id=profile_id, identity_id=identity_id)
    answered = await submit(request, caller, command)
    return Response(status_code=204, headers=answered.headers())


async def _found(request: Request, identifier: str, handle: str | None) -> Response:
    services: Services = services_of(request)
    if len(identifier) > IDENTIFIER_LENGTH_MAX or "\x00" in identifier:
        raise not_found("profile")
    profile_id = await profile_known_by(services, identifier, handle)
    fresh = await of_profile(services, profiles.PROJECTION, profile_id)
    row = await row_at(services, profiles.TABLE, (fresh.profile_id,))
    if row is None:
        raise not_found("profile")
    return answer_fresh(profile_documents.document(row) | {"merged_into": None}, fresh)
