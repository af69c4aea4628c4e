"""Imports: a file is checked, looked at, and only then written."""

from typing import Any, Final

from starlette.datastructures import UploadFile
from starlette.responses import Response

from api.bodies import IMPORT_BYTES_MAX
from console.forms import FORM_BYTES_MAX
from console.ledger_api import Refusal
from console.live import seal, stream
from console.page import Page, new_key, page

SIZE: Final = 25
ROWS_SHOWN: Final = 50


async def listed(page_: Page) -> Response:
    """All imports, and the form for another."""
    return await _listed(page_)


async def add(page_: Page) -> Response:
    """Take a file in for its check; nothing of it is written yet."""
    file = page_.form.get("file")
    if not isinstance(file, UploadFile) or not file.filename:
        missing = Refusal(422, {"code": "validation_failed", "detail": "Choose a CSV file."})
        return await _listed(page_, missing)
    fields = {"handler": "rewards", "dry_run": "true"}
    if page_.sent("create_profiles"):
        fields["create_profiles"] = "true"
    try:
        found = await page_.ledger.upload(
            "/imports", fields, await file.read(), file.filename, key=page_.key
        )
    except Refusal as refusal:
        return await _listed(page_, refusal)
    return page_.go(f"/imports/{found.data['id']}")


async def one(page_: Page) -> Response:
    """How far an import is, what is wrong with which row, and what can be done with it."""
    number = page_.part("number")
    found = (await page_.ledger.get(f"/imports/{number}")).data
    rejected = None
    if found["failed_count"]:
        path = f"/imports/{number}/rejected-rows"
        rejected = await page_.ledger.find(path, **{"page[size]": ROWS_SHOWN})
    rows = rejected.data if rejected else []
    return page_.show("import.html", found=found, rows=rows, since=seal(found))


async def confirm(page_: Page) -> Response:
    """Let the good rows be written."""
    number = page_.part("number")
    await page_.ledger.send("POST", f"/imports/{number}/confirm")
    return page_.go(f"/imports/{number}")


async def call_off(page_: Page) -> Response:
    """Forget it; what it has written stays."""
    await page_.ledger.send("DELETE", f"/imports/{page_.part('number')}")
    return page_.go("/imports")


async def failed(page_: Page) -> Response:
    """The rejected rows, to be corrected and sent again."""
    number = page_.part("number")
    text = await page_.ledger.file(f"/imports/{number}/failed")
    name = f'attachment; filename="import-{number}.errors.csv"'
    return Response(text, media_type="text/csv", headers={"Content-Disposition": name})


async def live(page_: Page) -> Response:
    """The word that an import has moved on."""
    path = f"/imports/{page_.part('number')}"

    async def look() -> Any:
        return (await page_.ledger.get(path)).data

    return stream(page_, look)


async def _listed(page_: Page, refusal: Refusal | None = None) -> Response:
    found = await page_.ledger.get(
        "/imports", **{"page[size]": SIZE, "page[number]": page_.parameter("page") or 1}
    )
    return page_.show(
        "imports.html",
        200 if refusal is None else refusal.status,
        imports=found.data,
        meta=found.meta,
        refusal=refusal,
        key=new_key(),
    )


_BYTES_MAX: Final = IMPORT_BYTES_MAX + FORM_BYTES_MAX
_WRITE: Final = "create-imports"
ROUTES: Final = (
    page("/imports", listed, scope="read-imports"),
    page("/imports", add, scope=_WRITE, methods=("POST",), bytes_max=_BYTES_MAX),
    page("/imports/{number:int}", one, scope="read-imports"),
    page("/imports/{number:int}/confirm", confirm, scope=_WRITE, methods=("POST",)),
    page("/imports/{number:int}/call-off", call_off, scope=_WRITE, methods=("POST",)),
    page("/imports/{number:int}/failed", failed, scope="read-imports"),
    page("/live/imports/{number:int}", live, scope="read-imports"),
)
