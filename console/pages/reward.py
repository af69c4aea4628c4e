"""A reward: its terms, what is left of it, and its life step by step."""

from typing import Final

from starlette.responses import Response

from console.actions import offered
from console.page import Page, page

STEPS: Final = 50


async def reward(page_: Page) -> Response:
    """One reward; a revoked one is shown too."""
    number = page_.part("number")
    found = (await page_.ledger.get(f"/rewards/{number}", include="revoked")).data
    life = await page_.ledger.find(
        f"/profiles/{found['profile_id']}/balances/explain/{number}",
        **{"page[size]": STEPS, "page[number]": page_.parameter("page") or 1},
    )
    return page_.show(
        "reward.html",
        reward=found,
        steps=[] if life is None else life.data,
        meta={} if life is None else life.meta,
        actions=offered(page_, "reward", found),
        done=page_.done(),
    )


ROUTES: Final = (page("/rewards/{number:int}", reward, scope="read-rewards"),)
