"""Tokens over HTTP: list, make, revoke. A token is shown in the answer that makes it alone."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Body, Request, Response
from pydantic import AfterValidator, Field, WithJsonSchema
from sqlalchemy import BigInteger, Column, DateTime, MetaData, Table, Text
from sqlalchemy.dialects.postgresql import ARRAY

from api import making_once
from api.access import allowed
from api.administrators import LastAdministrator
from api.commanding import answer_with, idempotency_key
from api.documents.access import token_document
from api.examples import TOKEN
from api.filters import Field as Filtered
from api.granting import refuse_granting
from api.parameters import DRY_RUN, flag
from api.paths import BASE, PathId
from api.problems import Refused
from api.queries import Listing, answer_list
from api.reading import not_found
from api.route import LedgerRoute
from api.services import services_of
from api.tokens import SCOPES, Caller, NewToken
from projections.reading import Freshness
from schemas.amounts import PlainText
from schemas.commands import Command

router = APIRouter(prefix=BASE, tags=["Access"], route_class=LedgerRoute)

TABLE = Table(
    "tokens",
    MetaData(schema="access"),
    Column("id", BigInteger),
    Column("client", Text),
    Column("name", Text),
    Column("scopes", ARRAY(Text)),
    Column("created_at", DateTime(timezone=True)),
    Column("created_by", Text),
    Column("last_used_at", DateTime(timezone=True)),
    Column("revoked_at", DateTime(timezone=True)),
    Column("revoked_by", Text),
)
LISTING = Listing(
    TABLE,
    {
        "id": Filtered.number(TABLE.c.id),
        "client": Filtered.text(TABLE.c.client),
        "name": Filtered.text(TABLE.c.name),
        "created_at": Filtered.instant(TABLE.c.created_at),
        "last_used_at": Filtered.instant(TABLE.c.last_used_at),
        "revoked_at": Filtered.instant(TABLE.c.revoked_at),
    },
    TABLE.c.id,
)
NOT_STORED: Final = {"Cache-Control": "no-store"}


def _known(scope: str) -> str:
    if scope not in SCOPES:
        raise ValueError(f"Choose among: {', '.join(SCOPES)}.")
    return scope


def _each_once(scopes: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(scopes)) != len(scopes):
        raise ValueError("Name each scope once.")
    return scopes


Scope = Annotated[
    str,
    Field(strict=True),
    AfterValidator(_known),
    WithJsonSchema({"type": "string", "enum": list(SCOPES)}),
]
Scopes = Annotated[
    tuple[Scope, ...],
    Field(min_length=1, max_length=len(SCOPES), json_schema_extra={"uniqueItems": True}),
    AfterValidator(_each_once),
]


class CreateToken(Command):
    """What a token is to be for: idempotency keys belong to the client, `name` is a note."""

    client: Annotated[str, PlainText(max_length=100, min_length=1)]
    scopes: Scopes
    name: Annotated[str, PlainText(max_length=100, min_length=1)] | None = None


@router.get("/access/tokens", openapi_extra=LISTING.documented())
async def index(request: Request, _: Annotated[Caller, allowed("manage-access")]) -> Response:
    """All tokens, the newest first, revoked ones too; never what they are presented as.

    `last_used_at` is right to a minute or two.
    """
    services = services_of(request)
    fresh = Freshness(await services.store.head())
    return await answer_list(request, services, LISTING, token_document, fresh=fresh)


@router.post("/access/tokens")
async def make(
    request: Request,
    body: Annotated[CreateToken, Body(openapi_examples=TOKEN)],
    caller: Annotated[Caller, allowed("manage-access")],
) -> Response:
    """Make a token. `token` is in this answer alone: a repeat of it has null there.

    Nobody can grant more than they have.
    """
    services = services_of(request)
    refuse_granting(caller, body.scopes)
    new = NewToken(body.client, body.scopes, body.name or body.client, caller.name)
    key = idempotency_key(request)
    if flag(request, DRY_RUN.name):
        return answer_with(_unmade(new), headers=NOT_STORED)
    once = None
    if key is not None:
        told = making_once.fingerprint(
            services.vault.fingerprint_key, "token", new.client, sorted(new.scopes), new.name
        )
        once = making_once.Request(caller.client, key, told)
    made = await services.tokens.make(new, once)
    replayed = {} if made.secret else {"Idempotency-Replayed": "true"}
    document = token_document(made.row) | {"token": made.secret}
    return answer_with(document, 201, NOT_STORED | replayed)


@router.delete("/access/tokens/{token_id}", status_code=204)
async def revoke(
    request: Request, token_id: PathId, caller: Annotated[Caller, allowed("manage-access")]
) -> Response:
    """Revoke a token; again changes nothing. Other processes know within 5 seconds.

    The last that may do everything stays, unless a user is an admin.
    """
    services = services_of(request)
    dry_run = flag(request, DRY_RUN.name)
    try:
        found = await services.tokens.revoke(token_id, caller.name, dry_run=dry_run)
    except LastAdministrator as error:
        raise Refused(409, "last_administrator", None, str(error)) from None
    if not found:
        raise not_found("token")
    return Response(status_code=204)


def _unmade(new: NewToken) -> dict[str, Any]:
    """What the answer would be; nothing is kept."""
    return {
        "id": None,
        "client": new.client,
        "name": new.name,
        "scopes": list(new.scopes),
        "created_at": None,
        "created_by": new.created_by,
        "last_used_at": None,
        "revoked_at": None,
        "revoked_by": None,
        "token": None,
    }
