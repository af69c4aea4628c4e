"""How everything runs: each part as it is now, what could not be read, and what is parked."""

import asyncio
from typing import Any, Final

from starlette.responses import Response

from console.ledger_api import Answer
from console.live import seal, stream
from console.page import Page, page

SIZE: Final = 25
LOOK_SECONDS: Final = 5.0


async def operations(page_: Page) -> Response:
    """All parts. What could not be asked says so; the rest stands."""
    found, letters, parked = await asyncio.gather(
        page_.ledger.get("/operations"),
        page_.ledger.find("/operations/dead-letters", **{"page[size]": SIZE}),
        page_.ledger.find("/operations/parked", **{"page[size]": SIZE}),
    )
    return page_.show(
        "operations.html",
        now=found.data,
        since=seal(_seen(found)),
        letters=letters.data if letters else [],
        parked=parked.data if parked else [],
    )


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
