"""Server-sent events: the word that something has changed, for pages that fetch themselves again.

They carry nothing to show, so a page has one way to be written, and what it may show is asked anew.
"""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, Final

from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from console.ledger_api import Answer, Refusal
from console.page import COOKIE, Page, page
from console.services import services_of

LOOK_SECONDS: Final = 1.0
SEAL_LENGTH: Final = 16
STREAMS_MAX: Final = 500
STREAMS_OF_ONE_MAX: Final = 50
"""So many pages of one process are live at once, and of one person; others say they are not."""

Look = Callable[[], Awaitable[Any]]


def stream(page_: Page, look: Look, seconds: float = LOOK_SECONDS) -> Response:
    """Tell whenever what `look` gives is another than before, until the session ends."""
    open_, who = services_of(page_.request).live, page_.caller.name
    if open_.total() >= STREAMS_MAX or open_[who] >= STREAMS_OF_ONE_MAX:
        return PlainTextResponse("Too many pages are live.", 503, {"Retry-After": "30"})
    return StreamingResponse(_told(page_, look, seconds), media_type="text/event-stream")


def seal(seen: Any) -> str:
    """What a page has shown, in so many words that a stream knows whether that still holds.

    The page's stream begins with it, or what changes in between would be told to nobody.
    """
    return hashlib.sha256(repr(seen).encode()).hexdigest()[:SEAL_LENGTH]


async def _told(page_: Page, look: Look, seconds: float) -> AsyncIterator[str]:
    request, services = page_.request, services_of(page_.request)
    # A browser that connects again says what it was told last.
    before = request.headers.get("last-event-id") or request.query_params.get("since")
    services.live[page_.caller.name] += 1
    try:
        yield "retry: 3000\n\n"
        while not services.ending.is_set():
            secret = request.cookies.get(COOKIE, "")
            if await services.ledger.sessions.caller(secret, seen=False) is None:
                return
            now = seal(await look())
            # Something always goes, so that a broken line is noticed at either end.
            yield f"event: changed\nid: {now}\ndata:\n\n" if before != now else ": still here\n\n"
            before = now
            await _pause(services.ending, seconds)
    except Refusal:
        return
    finally:
        services.live[page_.caller.name] -= 1


async def _pause(ending: asyncio.Event, seconds: float) -> None:
    try:
        await asyncio.wait_for(ending.wait(), seconds)
    except TimeoutError:
        return


def seen_of_profile(balances: Answer) -> Any:
    """What a profile's page follows."""
    return balances.position, balances.data


async def profile(page_: Page) -> Response:
    """A profile's page: any event of its account changes it, and so does time."""
    path = f"/profiles/{page_.part('profile_id')}/balances"

    async def look() -> Any:
        return seen_of_profile(await page_.ledger.get(path))

    return stream(page_, look)


ROUTES: Final[tuple[Route, ...]] = (
    page("/live/profiles/{profile_id}", profile, scope="read-profiles"),
)
