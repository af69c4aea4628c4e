"""The rejected rows of an import, one by one: for a page that shows what is wrong with each."""

import csv
from typing import Annotated, Any, Final

from fastapi import APIRouter, Request, Response

from api.access import allowed
from api.json_body import write_json
from api.pages import NUMBER, SIZE, around, plain_page
from api.parameters import documented
from api.paths import BASE, PathId
from api.problems import Refused
from api.route import LedgerRoute
from api.routes.imports import known_import
from api.services import services_of
from api.tokens import Caller
from ledger.imports.csv_lines import unescaped
from ledger.imports.rejected_rows import names_of

router = APIRouter(prefix=BASE, tags=["Imports"], route_class=LedgerRoute)

_SAID: Final = 2
"""The line's number and what is wrong stand last in a row."""


@router.get("/imports/{import_id}/rejected-rows", openapi_extra=documented(SIZE, NUMBER))
async def rejected_rows(
    request: Request, import_id: PathId, _: Annotated[Caller, allowed("read-imports")]
) -> Response:
    """The rejected rows in the order of the file: the line of each, what is wrong, its cells.

    After the check of a dry run these are all that would not be written. They are kept for a week.
    """
    services, page = services_of(request), plain_page(request)
    row = await known_import(services, import_id)
    rejected = await services.imports.kept.rejected(row)
    if rejected is None and row["failed_count"]:
        raise Refused(404, "import_not_found", None, "The rejected rows are forgotten.")
    rows = sorted(rejected or ())
    names = names_of(row["columns"])
    shown = rows[page.part]
    content = {
        "data": [_document(number, text, names) for number, text in shown[: page.size]],
        **around(request, page, shown, len(rows), None),
    }
    return Response(write_json(content), media_type="application/json")


def _document(line: int, text: str, names: list[str]) -> dict[str, Any]:
    (cells,) = csv.reader((text,))
    values = [unescaped(cell) for cell in cells[:-_SAID]]
    return {
        "line": line,
        "error": unescaped(cells[-1]),
        "cells": dict(zip(names, values, strict=True)),
    }
