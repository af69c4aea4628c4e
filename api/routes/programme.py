"""The programme's settings: as they are, as they were, and how they are changed."""

from collections.abc import Mapping
from typing import Annotated, Any, Final

from fastapi import APIRouter, Body, Request, Response
from sqlalchemy import select

from api.access import allowed
from api.commanding import Answered, addressed, submit
from api.documents.programme import change_document, document, of_environment
from api.examples import SETTINGS
from api.filters import Field
from api.moments import AS_OF, TIME, cut_of
from api.parameters import IF_MATCH, documented
from api.paths import BASE
from api.problems import Refused
from api.queries import Listing, answer_list, fetch, from_json
from api.reading import answer_fresh, plain, row_after
from api.route import LedgerRoute
from api.services import Services, services_of
from api.tokens import Caller
from api.versions import etag, expected_version
from ledger.past import Cut
from ledger.programme.settings import changes_currency
from ledger.programme.state import PROGRAMME_STREAM, Programme
from ledger.rejections import CurrencyFrozen
from projections.read_models import programme_settings
from schemas.programme import ChangeProgrammeSettings, ProgrammeSettingsChanges

router = APIRouter(prefix=BASE, tags=["Programme"], route_class=LedgerRoute)

MODEL = programme_settings.PROJECTION
TABLE = MODEL.table
_COLUMNS = TABLE.c
_FORMER = TABLE.alias("former").c
_BEFORE = (
    select(_FORMER.settings)
    .where(_FORMER.settings_version == _COLUMNS.settings_version - 1)
    .scalar_subquery()
    .label("before")
)

LISTING = Listing(
    TABLE,
    {
        "version": Field.number(_COLUMNS.settings_version),
        "changed_at": Field.instant(_COLUMNS.changed_at),
        "changed_by": Field.text(_COLUMNS.changed_by),
    },
    _COLUMNS.settings_version,
    columns=(*TABLE.columns, _BEFORE),
)

_OTHERS_WRITTEN: Final = "SELECT EXISTS (SELECT FROM ledger.events WHERE stream_id <> $1)"


@router.get("/programme/settings", openapi_extra=documented(AS_OF, TIME))
async def read(request: Request, _: Annotated[Caller, allowed("read-programme")]) -> Response:
    """The settings that hold; with `as_of`, those that held then.

    Before the first change they are those of the environment, in version 0.
    """
    services, cut = services_of(request), cut_of(request)
    fresh = await services.reads.catch_up(MODEL, PROGRAMME_STREAM)
    row = await _row_at(services, cut)
    answer = answer_fresh(_document(row, services), fresh)
    answer.headers["ETag"] = etag(0 if row is None else row["settings_version"])
    return answer


@router.get("/programme/settings/history", openapi_extra=LISTING.documented())
async def history(request: Request, _: Annotated[Caller, allowed("read-programme")]) -> Response:
    """Every version of the settings, the newest first: when, by whom, and what it changed."""
    services = services_of(request)
    fresh = await services.reads.catch_up(MODEL, PROGRAMME_STREAM)
    return await answer_list(
        request,
        services,
        LISTING,
        lambda row: change_document(plain(TABLE, row), from_json(row["before"])),
        fresh=fresh,
    )


@router.put("/programme/settings", openapi_extra=documented(IF_MATCH))
async def change(
    request: Request,
    body: Annotated[ProgrammeSettingsChanges, Body(openapi_examples=SETTINGS)],
    caller: Annotated[Caller, allowed("update-programme")],
) -> Response:
    """Change the given settings, for every command decided from then on.

    With `If-Match`, only if they still are the version read before.
    """
    version = expected_version(request, least=0)
    command = addressed(ChangeProgrammeSettings, body, expected_version=version)
    await _refuse_another_currency(command, services_of(request))
    answered = await submit(request, caller, command)
    row = await _row_after(answered)
    tag = etag(0 if row is None else row["settings_version"])
    return answered.response(_document(row, answered.services), etag=tag)


def _document(row: Mapping[str, Any] | None, services: Services) -> dict[str, Any]:
    return of_environment(services.programme.of_environment) if row is None else document(row)


async def _row_at(services: Services, cut: Cut | None) -> Mapping[str, Any] | None:
    newest = select(*_COLUMNS).order_by(_COLUMNS.settings_version.desc()).limit(1)
    if cut is not None:
        moment = _COLUMNS.recorded_at if cut.recorded else _COLUMNS.changed_at
        newest = newest.where(moment <= cut.at)
    rows = await fetch(services, newest)
    return plain(TABLE, rows[0]) if rows else None


async def _row_after(answered: Answered) -> Mapping[str, Any] | None:
    """The settings right after a change, or a repeat of it; None while none was ever made."""
    programme: Programme = answered.answer.state
    if programme.settings is None:
        return None
    return await row_after(answered, MODEL, PROGRAMME_STREAM, (programme.settings.version,))


async def _refuse_another_currency(command: ChangeProgrammeSettings, services: Services) -> None:
    """The decision sees the definitions; accounts and sales are seen only here.

    Raises:
        Refused: 409, there are amounts in the currency that holds.
    """
    await services.programme.refresh()
    if not changes_currency(command, services.settings):
        return
    if await services.pool.fetchval(_OTHERS_WRITTEN, PROGRAMME_STREAM):
        sentence = "The currency and its decimals stay: there are profiles or sales."
        raise Refused(409, CurrencyFrozen.code, None, sentence, {"currency": [sentence]})
