"""Where one begins: a box that finds whatever has a name or a number."""

from collections.abc import Mapping
from typing import Any, Final

from starlette.responses import Response

from console.page import Page, page

_PATHS: Final = {
    "profile": "/profiles/{id}",
    "reward": "/rewards/{id}",
    "redemption": "/redemptions/{id}",
    "transaction": "/transactions/{id}",
}


async def search(page_: Page) -> Response:
    """What is found; what only one thing can mean is gone to at once."""
    asked = page_.parameter("q")
    found = []
    if asked is not None:
        found = (await page_.ledger.get("/search", q=asked)).data
        for each in found:
            each["path"] = _path(each)
        if len(found) == 1 and found[0]["path"] and not page_.parameter("stay"):
            return page_.go(found[0]["path"])
    return page_.show("search.html", asked=asked, found=found)


def _path(hit: Mapping[str, Any]) -> str | None:
    """Where a hit is to be seen: on its own page, else on that of its profile."""
    pattern = _PATHS.get(hit["kind"])
    if pattern is not None:
        return pattern.format(id=hit["id"])
    return f"/profiles/{hit['profile_id']}" if hit["profile_id"] else None


ROUTES: Final = (page("/", search, scope="read-profiles"),)
