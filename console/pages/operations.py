"""How everything runs: each part as it is now, what could not be read, and what is parked."""

import asyncio
from collections.abc import Sequence
from typing import Any, Final

from starlette.responses import Response

from console.ledger_api import Answer, Refusal
from console.live import seal, stream
from console.page import Page, page

SIZE: Final = 25
LOOK_SECONDS: Final = 5.0


async def operations(page_: Page) -> Response:
    """All parts. What could not be asked says so; the rest stands."""
    found, letters, parked = await asyncio.gather(
        page_.ledger.get("/operations"),
        _asked(page_, "/operations/dead-letters"),
        _asked(page_, "/operations/parked"),
    )
    return page_.show(
        "operations.html",
        now=found.data,
        since=seal(_seen(found)),
        letters=letters,
        parked=parked,
    )


async def _asked(page_: Page, path: str) -> Sequence[Any] | str:
    """The newest of a list, or why there is none: what holds it may be away."""
    try:
        return (await page_.ledger.get(path, **{"page[size]": SIZE})).data or ()
    except Refusal as refusal:
        return refusal.detail


def _seen(found: Answer) -> Any:
    """All but when it was looked at."""
    return {name: part for name, part in found.data.items() if name != "at"}


async def live(page_: Page) -> Response:
    """The word that something is otherwise than it was."""

    async def look() -> Any:
        return _seen(await page_.ledger.get("/operations"))

    return stream(page_, look, LOOK_SECONDS)


ROUTES: Final = (
    page("/operations", operations, scope="read-operations"),
    page("/live/operations", live, scope="read-operations"),
)
