"""A redemption: what it took from which reward, and what can still be done about it."""

import asyncio
from datetime import UTC, datetime
from typing import Any, Final

from starlette.responses import Response

from console.actions import offered
from console.formats import instant
from console.page import Page, page
from console.told import left_of


async def redemption(page_: Page) -> Response:
    """One redemption, return or reversal, with those that belong to it."""
    found = (await page_.ledger.get(f"/redemptions/{page_.part('number')}")).data
    path, number = f"/profiles/{found['profile_id']}", found["id"]
    sale, belonging = await asyncio.gather(
        _sale(page_, found),
        page_.ledger.find(f"{path}/redemptions", **{"page[size]": 200}),
    )
    records = belonging.data if belonging is not None else []
    return page_.show(
        "redemption.html",
        redemption=found,
        sale=sale,
        given_back=[each for each in records if each["redemption_id"] == number],
        is_reversible=_reversible(found),
        left=left_of(found) if found["status"] == "redeemed" else None,
        actions=[
            action
            for action in offered(page_, "redemption", found)
            if action.name != "reverse" or _reversible(found)
        ],
        done=page_.done(),
    )


def _reversible(found: dict[str, Any]) -> bool:
    until = found["reversible_until"]
    return bool(until and not found["is_reversed"] and instant(until) >= datetime.now(UTC))


async def _sale(page_: Page, found: dict[str, Any]) -> Any:
    if found["transaction_id"] is None:
        return None
    sale = await page_.ledger.find(f"/transactions/{found['transaction_id']}")
    return None if sale is None else sale.data


ROUTES: Final = (page("/redemptions/{number:int}", redemption, scope="read-redemptions"),)
