"""Reward definitions: add, read, list, change, archive (article, step 1)."""

from typing import Annotated

from fastapi import APIRouter, Body, Request, Response
from sqlalchemy import select

from api.access import allowed
from api.commanding import addressed, submit
from api.documents.reward_definitions import document, version_document
from api.examples import DEFINITION
from api.filters import Field
from api.folding import folded
from api.parameters import IF_MATCH, documented
from api.paths import BASE, PathId
from api.queries import Listing, answer_list, from_json
from api.reading import answer_fresh, fresh_row, not_found, plain, row_after
from api.route import LedgerRoute
from api.services import services_of
from api.tokens import Caller
from api.versions import etag, expected_version
from ledger.programme.state import PROGRAMME_STREAM
from projections.read_models import reward_definition_versions, reward_definitions
from schemas.reward_definitions import (
    AddRewardDefinition,
    ArchiveRewardDefinition,
    ChangeRewardDefinition,
    DefinitionChanges,
)

router = APIRouter(prefix=BASE, tags=["Reward definitions"], route_class=LedgerRoute)
PATHS = ("/rewards/definitions", "/reward-definitions")
"""The reference's path, and the guides' alias."""

MODEL = reward_definitions.PROJECTION
TABLE = MODEL.table
_COLUMNS = TABLE.c

LISTING = Listing(
    TABLE,
    {
        "id": Field.number(_COLUMNS.definition_id),
        "name": Field.text(_COLUMNS.name),
        "handle": Field.text(_COLUMNS.handle),
        "type": Field.text(_COLUMNS.type),
        "value": Field.money(_COLUMNS.value_minor),
        "start_at": Field.instant(_COLUMNS.start_at),
        "end_at": Field.instant(_COLUMNS.end_at),
        "is_published": Field.boolean(_COLUMNS.is_published),
        "is_assignable": Field.boolean(_COLUMNS.is_assignable),
        "archived_at": Field.instant(_COLUMNS.archived_at),
        "created_at": Field.instant(_COLUMNS.created_at),
    },
    _COLUMNS.definition_id,
)

VERSIONS_MODEL = reward_definition_versions.PROJECTION
_VERSION_COLUMNS = VERSIONS_MODEL.table.c
_FORMER = VERSIONS_MODEL.table.alias("former").c
_BEFORE = (
    select(_FORMER.terms)
    .where(
        _FORMER.definition_id == _VERSION_COLUMNS.definition_id,
        _FORMER.definition_version < _VERSION_COLUMNS.definition_version,
    )
    .order_by(_FORMER.definition_version.desc())
    .limit(1)
    .scalar_subquery()
    .label("before")
)
VERSIONS = Listing(
    VERSIONS_MODEL.table,
    {
        "version": Field.number(_VERSION_COLUMNS.definition_version),
        "changed_at": Field.instant(_VERSION_COLUMNS.changed_at),
        "changed_by": Field.text(_VERSION_COLUMNS.changed_by),
    },
    _VERSION_COLUMNS.definition_version,
    columns=(*VERSIONS_MODEL.table.columns, _BEFORE),
)


async def add(
    request: Request,
    body: Annotated[AddRewardDefinition, Body(openapi_examples=DEFINITION)],
    caller: Annotated[Caller, allowed("create-reward-definitions")],
) -> Response:
    """Define a reward: what it is worth, and how long it lives."""
    answered = await submit(request, caller, body)
    (row,) = folded(MODEL, PROGRAMME_STREAM, answered.events, answered.at).values()
    shown = document(row, answered.services)
    if answered.dry_run:
        shown["id"] = None
    return answered.response(shown, created=True, etag=etag(row["definition_version"]))


async def list_all(
    request: Request, _: Annotated[Caller, allowed("read-reward-definitions")]
) -> Response:
    """All definitions, the newest first; archived ones have an `archived_at`."""
    services = services_of(request)
    fresh = await services.reads.catch_up(MODEL, PROGRAMME_STREAM)
    return await answer_list(
        request,
        services,
        LISTING,
        lambda row: document(plain(TABLE, row), services),
        fresh=fresh,
    )


async def read(
    request: Request,
    definition_id: PathId,
    _: Annotated[Caller, allowed("read-reward-definitions")],
) -> Response:
    """One definition in its newest version."""
    services = services_of(request)
    row, fresh = await fresh_row(services, MODEL, PROGRAMME_STREAM, (definition_id,))
    if row is None:
        raise not_found("reward definition")
    answer = answer_fresh(document(row, services), fresh)
    answer.headers["ETag"] = etag(row["definition_version"])
    return answer


async def versions(
    request: Request,
    definition_id: PathId,
    _: Annotated[Caller, allowed("read-reward-definitions")],
) -> Response:
    """Every version of a definition, the newest first: when, by whom, and what it changed.

    A reward says in `reward_definition_version` which one it was issued under.
    """
    services = services_of(request)
    row, _stale = await fresh_row(services, MODEL, PROGRAMME_STREAM, (definition_id,))
    if row is None:
        raise not_found("reward definition")
    fresh = await services.reads.catch_up(VERSIONS_MODEL, PROGRAMME_STREAM)
    return await answer_list(
        request,
        services,
        VERSIONS,
        lambda row: version_document(
            plain(VERSIONS_MODEL.table, row), from_json(row["before"]), services
        ),
        where=[_VERSION_COLUMNS.definition_id == definition_id],
        fresh=fresh,
    )


async def change(
    request: Request,
    definition_id: PathId,
    body: DefinitionChanges,
    caller: Annotated[Caller, allowed("update-reward-definitions")],
) -> Response:
    """Change the given fields of a definition. Rewards already issued keep their terms.

    With `If-Match`, only if it still is the version read before.
    """
    command = addressed(
        ChangeRewardDefinition,
        body,
        definition_id=definition_id,
        expected_version=expected_version(request),
    )
    answered = await submit(request, caller, command)
    row = await row_after(answered, MODEL, PROGRAMME_STREAM, (definition_id,))
    tag = etag(row["definition_version"])
    return answered.response(document(row, answered.services), etag=tag)


async def archive(
    request: Request,
    definition_id: PathId,
    caller: Annotated[Caller, allowed("delete-reward-definitions")],
) -> Response:
    """Archive a definition: no more rewards under it; what was issued lives on.

    It stays readable.
    """
    answered = await submit(request, caller, ArchiveRewardDefinition(definition_id=definition_id))
    return Response(status_code=204, headers=answered.headers())


for _path in PATHS:
    _shown = _path == PATHS[0]
    router.add_api_route(_path, add, methods=["POST"], include_in_schema=_shown)
    router.add_api_route(
        _path,
        list_all,
        methods=["GET"],
        include_in_schema=_shown,
        openapi_extra=LISTING.documented(),
    )
    router.add_api_route(
        f"{_path}/{{definition_id}}", read, methods=["GET"], include_in_schema=_shown
    )
    router.add_api_route(
        f"{_path}/{{definition_id}}/versions",
        versions,
        methods=["GET"],
        include_in_schema=_shown,
        openapi_extra=VERSIONS.documented(),
    )
    router.add_api_route(
        f"{_path}/{{definition_id}}",
        change,
        methods=["PUT"],
        include_in_schema=_shown,
        openapi_extra=documented(IF_MATCH),
    )
    router.add_api_route(
        f"{_path}/{{definition_id}}",
        archive,
        methods=["DELETE"],
        status_code=204,
        include_in_schema=_shown,
    )
