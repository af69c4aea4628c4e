"""Users over HTTP: list, make, change. Who signs in with a password does so at the console."""

from datetime import datetime
from typing import Annotated, Any, Final

from fastapi import APIRouter, Body, Path, Request, Response
from pydantic import Field
from sqlalchemy import Column, DateTime, MetaData, Table, Text

from api import making_once
from api.access import allowed
from api.administrators import LastAdministrator
from api.commanding import answer_with, idempotency_key
from api.documents.access import Row, user_document
from api.examples import USER, USER_CHANGES
from api.filters import Field as Filtered
from api.granting import refuse_granting
from api.parameters import DRY_RUN, flag
from api.passwords import LENGTH_MAX, LENGTH_MIN
from api.paths import BASE
from api.problems import Refused
from api.queries import Listing, answer_list
from api.reading import not_found
from api.roles import SCOPES_OF, Role
from api.route import LedgerRoute
from api.services import services_of
from api.tokens import Caller
from api.users import NAME, NewUser, TryLater, UserChanges, UserExists, weakness
from projections.reading import Freshness
from schemas.amounts import PlainText
from schemas.commands import Command
from schemas.flags import Flag

router = APIRouter(prefix=BASE, tags=["Access"], route_class=LedgerRoute)

TABLE = Table(
    "users",
    MetaData(schema="access"),
    Column("name", Text),
    Column("role", Text),
    Column("created_at", DateTime(timezone=True)),
    Column("created_by", Text),
    Column("changed_at", DateTime(timezone=True)),
    Column("changed_by", Text),
    Column("signed_in_at", DateTime(timezone=True)),
    Column("disabled_at", DateTime(timezone=True)),
)
LISTING = Listing(
    TABLE,
    {
        "name": Filtered.text(TABLE.c.name),
        "role": Filtered.text(TABLE.c.role),
        "created_at": Filtered.instant(TABLE.c.created_at),
        "signed_in_at": Filtered.instant(TABLE.c.signed_in_at),
        "disabled_at": Filtered.instant(TABLE.c.disabled_at),
    },
    TABLE.c.name,
    order=(TABLE.c.name,),
)

_PATTERN: Final = f"^{NAME.pattern}$"
UserName = Annotated[str, Field(pattern=_PATTERN)]
PathUser = Annotated[str, Path(pattern=_PATTERN, examples=["ada"])]
Password = Annotated[str, PlainText(max_length=LENGTH_MAX, min_length=LENGTH_MIN)]


class CreateUser(Command):
    """Who is to be able to sign in to the console, and as what."""

    name: UserName
    role: Role
    password: Password


class ChangeUser(Command):
    """What of a user is to be otherwise; what is left out stays."""

    role: Role | None = None
    password: Password | None = None
    disabled: Flag | None = None


@router.get("/access/users", openapi_extra=LISTING.documented())
async def index(request: Request, _: Annotated[Caller, allowed("manage-access")]) -> Response:
    """All users of the console by name, disabled ones too, with what their role allows."""
    services = services_of(request)
    fresh = Freshness(await services.store.head())
    return await answer_list(request, services, LISTING, user_document, fresh=fresh)


@router.post("/access/users")
async def make(
    request: Request,
    body: Annotated[CreateUser, Body(openapi_examples=USER)],
    caller: Annotated[Caller, allowed("manage-access")],
) -> Response:
    """Make a user of the console. Nobody can give a role that allows more than they may."""
    services = services_of(request)
    refuse_granting(caller, SCOPES_OF[body.role])
    _refuse_weak(body.name, body.password)
    key = idempotency_key(request)
    if flag(request, DRY_RUN.name):
        if await services.users.read(body.name) is not None:
            raise _taken()
        return answer_with(_unmade(body, caller, services.clock()))
    once = None
    if key is not None:
        # Without the password: a keyed hash of it would be easier to guess than the one kept.
        told = making_once.fingerprint(services.vault.fingerprint_key, "user", body.name, body.role)
        once = making_once.Request(caller.client, key, told)
    new = NewUser(body.name, body.role, body.password, caller.name)
    try:
        row, is_new = await services.users.create(new, once)
    except UserExists:
        raise _taken() from None
    except TryLater as later:
        raise _later(later) from None
    replayed = {} if is_new else {"Idempotency-Replayed": "true"}
    return answer_with(user_document(row), 201, replayed)


@router.put("/access/users/{user_name}")
async def change(
    request: Request,
    user_name: PathUser,
    body: Annotated[ChangeUser, Body(openapi_examples=USER_CHANGES)],
    caller: Annotated[Caller, allowed("manage-access")],
) -> Response:
    """Give a user another role or password, or shut the user out. Sessions end with either of the
    last two, within 5 seconds.

    Nobody can change somebody who may do more, and the last admin stays one.
    """
    services = services_of(request)
    if body.role is not None:
        refuse_granting(caller, SCOPES_OF[body.role])
    if body.password is not None:
        _refuse_weak(user_name, body.password)
    changes = UserChanges(body.role, body.password, body.disabled, caller.name)
    try:
        row = await services.users.change(
            user_name,
            changes,
            lambda role: refuse_granting(caller, SCOPES_OF[role]),
            dry_run=flag(request, DRY_RUN.name),
        )
    except LastAdministrator as error:
        raise Refused(409, "last_administrator", None, str(error)) from None
    except TryLater as later:
        raise _later(later) from None
    if row is None:
        raise not_found("user")
    return answer_with(user_document(row))


def _refuse_weak(name: str, password: str) -> None:
    weak = weakness(name, password)
    if weak is not None:
        raise Refused.invalid({"password": [weak]})


def _taken() -> Refused:
    detail = "There is a user of this name; change that one, or choose another name."
    return Refused(409, "user_exists", None, detail, {"name": [detail]})


def _later(later: TryLater) -> Refused:
    headers = {"Retry-After": str(later.seconds)}
    return Refused(
        503, "overloaded", None, "Too many passwords are being looked at.", headers=headers
    )


def _unmade(body: CreateUser, caller: Caller, at: datetime) -> dict[str, Any]:
    row: Row = {
        "name": body.name,
        "role": body.role,
        "created_at": at,
        "created_by": caller.name,
        "changed_at": at,
        "changed_by": caller.name,
        "signed_in_at": None,
        "disabled_at": None,
    }
    return user_document(row)
