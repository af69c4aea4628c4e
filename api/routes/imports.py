"""Imports of rewards from a CSV file: checked, confirmed, written, with what was rejected."""

import hashlib
import hmac
import io
from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Any, Final, Literal

import orjson
from fastapi import APIRouter, File, Form, Request, Response, UploadFile
from sqlalchemy import BigInteger, Boolean, Column, DateTime, MetaData, Table, Text

from api.access import allowed
from api.commanding import answer_with, idempotency_key
from api.documents.imports import document
from api.filters import Field
from api.parameters import DRY_RUN, flag
from api.paths import BASE, PathId
from api.problems import Refused
from api.queries import Listing, answer_list
from api.route import LedgerRoute
from api.services import Services, services_of
from api.tokens import Caller
from ledger.imports.csv_lines import CsvLines, UnreadableFile, digest_of
from ledger.imports.kept import NewImport
from ledger.imports.rejected_rows import MEDIA_TYPE, RejectedRows
from ledger.imports.reward_rows import RewardRows
from projections.reading import Freshness
from schemas.flags import Flag

router = APIRouter(prefix=BASE, tags=["Imports"], route_class=LedgerRoute)

HANDLER: Final = "omneo:reward"
_FIELDS: Final = frozenset({"file", "handler", "dry_run", "create_profiles"})

TABLE = Table(
    "imports",
    MetaData(schema="ledger"),
    Column("id", BigInteger, primary_key=True),
    Column("handler", Text),
    Column("phase", Text),
    Column("begun", Boolean),
    Column("dry_run", Boolean),
    Column("create_profiles", Boolean),
    Column("count", BigInteger),
    Column("done", BigInteger),
    Column("written", BigInteger),
    Column("failed_count", BigInteger),
    Column("totals", Text),
    Column("fault", Text),
    Column("created_at", DateTime(timezone=True)),
    Column("phase_at", DateTime(timezone=True)),
)
LISTING = Listing(
    TABLE,
    {
        "id": Field.number(TABLE.c.id),
        "phase": Field.text(TABLE.c.phase),
        "handler": Field.text(TABLE.c.handler),
        "failed_count": Field.number(TABLE.c.failed_count),
        "created_at": Field.instant(TABLE.c.created_at),
    },
    TABLE.c.id,
)


@router.post("/imports")
async def add(  # noqa: PLR0913, PLR0917 - the fields of the form
    request: Request,
    file: Annotated[UploadFile, File(description="CSV; its first line names the columns.")],
    handler: Annotated[Literal["omneo:reward", "rewards"], Form()],
    caller: Annotated[Caller, allowed("create-imports")],
    dry_run: Annotated[
        Flag, Form(description="Stop after the check, and wait for the confirmation.")
    ] = False,
    create_profiles: Annotated[
        Flag, Form(description="Issue to profiles nobody knows yet, too.")
    ] = False,
) -> Response:
    """Take a file in; it is checked, and written, afterwards.

    With the field `dry_run` it waits after the check until it is confirmed.
    """
    assert handler
    await _refuse_unknown_fields(request)
    services = services_of(request)
    new = _read(await file.read(), caller, dry_run=dry_run, create_profiles=create_profiles)
    new = replace(
        new,
        key=idempotency_key(request),
        fingerprint=_fingerprint(new, services.vault.fingerprint_key),
    )
    if flag(request, DRY_RUN.name):
        return answer_with(_untaken(new, services), 200)
    row = await services.imports.kept.add(new)
    headers = {}
    if row is None:
        assert new.key is not None
        row = await services.imports.kept.under_key(caller.client, new.key)
        if row is None or row["fingerprint"] != new.fingerprint:
            raise Refused(
                422,
                "idempotency_key_reused",
                None,
                "This Idempotency-Key was used for another request; choose a new key.",
            )
        headers["Idempotency-Replayed"] = "true"
    services.imports.wake()
    return answer_with(_document(row, services), 201, headers)


@router.get("/imports", openapi_extra=LISTING.documented())
async def index(request: Request, _: Annotated[Caller, allowed("read-imports")]) -> Response:
    """All imports, the newest first."""
    services = services_of(request)
    return await answer_list(
        request,
        services,
        LISTING,
        lambda row: _document(row, services),
        fresh=Freshness(await services.store.head()),
    )


@router.get("/imports/{import_id}")
async def read(
    request: Request, import_id: PathId, _: Annotated[Caller, allowed("read-imports")]
) -> Response:
    """How far an import is, and what came of it."""
    services = services_of(request)
    return answer_with(_document(await known_import(services, import_id), services))


@router.get(
    "/imports/{import_id}/failed",
    response_class=Response,
    responses={200: {"content": {"text/csv": {"schema": {"type": "string"}}}}},
)
async def failed(
    request: Request, import_id: PathId, _: Annotated[Caller, allowed("read-imports")]
) -> Response:
    """The rejected rows as CSV, to be corrected and sent again. They are kept for a week."""
    services = services_of(request)
    row = await known_import(services, import_id)
    rejected = await services.imports.kept.rejected(row)
    if rejected is None and row["failed_count"]:
        raise _unknown("The rejected rows are forgotten.")
    text = RejectedRows(row["columns"]).header + "".join(line for _, line in sorted(rejected or ()))
    name = f'attachment; filename="import-{import_id}.errors.csv"'
    return Response(text, media_type=MEDIA_TYPE, headers={"Content-Disposition": name})


@router.post("/imports/{import_id}/confirm", status_code=200)
async def confirm(
    request: Request, import_id: PathId, _: Annotated[Caller, allowed("create-imports")]
) -> Response:
    """Let the good rows be written of an import that was checked. Again changes nothing."""
    services = services_of(request)
    row = await known_import(services, import_id)
    if row["phase"] in ("checking", "failed"):
        raise Refused(
            409, "import_not_checked", None, "Its check is not over, or it has failed; read it."
        )
    if not flag(request, DRY_RUN.name):
        await services.imports.kept.confirm(import_id)
        services.imports.wake()
        row = await known_import(services, import_id)
    return answer_with(_document(row, services))


@router.delete("/imports/{import_id}", status_code=204)
async def delete(
    request: Request, import_id: PathId, _: Annotated[Caller, allowed("create-imports")]
) -> Response:
    """Call an import off, or forget it. What it has written stays."""
    services = services_of(request)
    row = await known_import(services, import_id)
    if not flag(request, DRY_RUN.name):
        await services.imports.kept.delete(row)
    return Response(status_code=204)


def _read(content: bytes, caller: Caller, *, dry_run: bool, create_profiles: bool) -> NewImport:
    """Look at the first line, before anything is kept.

    Raises:
        Refused: 422, it is no file to import.
    """
    opened = io.BytesIO(content)
    digest = digest_of(opened)
    try:
        columns = RewardRows(CsvLines(opened)).lines.columns
    except UnreadableFile as error:
        raise Refused.invalid({"file": [str(error)]}) from None
    return NewImport(
        client=caller.client,
        actor=caller.name,
        key=None,
        fingerprint=b"",
        digest=digest,
        columns=columns,
        handler=HANDLER,
        dry_run=dry_run,
        create_profiles=create_profiles,
        limited=not caller.may("exceed-limits"),
        content=content,
    )


async def _refuse_unknown_fields(request: Request) -> None:
    """A misspelt flag would write what was only to be tried."""
    given = [name for name, _ in (await request.form()).multi_items()]
    errors = {
        name[:100]: [
            "Give this field once." if name in _FIELDS else "This field is not known here."
        ]
        for name in given
        if name not in _FIELDS or given.count(name) > 1
    }
    if errors:
        raise Refused.invalid(dict(list(errors.items())[:100]))


def _fingerprint(new: NewImport, key: bytes) -> bytes:
    told = orjson.dumps([new.digest, new.handler, new.dry_run, new.create_profiles])
    return hmac.digest(key, told, hashlib.sha256)


def _document(row: Mapping[str, Any], services: Services) -> dict[str, Any]:
    return document(row, services.settings.currency_digits)


def _untaken(new: NewImport, services: Services) -> dict[str, Any]:
    """What the answer would be; nothing is kept."""
    now = services.clock()
    row = {
        "id": None,
        "handler": new.handler,
        "phase": "checking",
        "begun": False,
        "dry_run": new.dry_run,
        "create_profiles": new.create_profiles,
        "count": 0,
        "done": 0,
        "written": 0,
        "failed_count": 0,
        "totals": "[]",
        "fault": None,
        "created_at": now,
        "phase_at": now,
    }
    return _document(row, services)


async def known_import(services: Services, import_id: int) -> Mapping[str, Any]:
    """An import as it stands.

    Raises:
        Refused: 404, there is none.
    """
    row = await services.imports.kept.read(import_id)
    if row is None:
        raise _unknown(f"There is no import {import_id}.")
    return row


def _unknown(detail: str) -> Refused:
    return Refused(404, "import_not_found", None, detail)
