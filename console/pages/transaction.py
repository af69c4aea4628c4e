"""A sale: its lines, what was redeemed for it, and what of that each line bears."""

import asyncio
from typing import Final

from starlette.responses import Response

from console.formats import instant
from console.page import Page, page


async def transaction(page_: Page) -> Response:
    """One sale, or goods that came back."""
    found = (await page_.ledger.get(f"/transactions/{page_.part('number')}")).data
    owner = found["profile_id"]
    redemptions, then = await asyncio.gather(
        asyncio.gather(
            *(page_.ledger.find(f"/redemptions/{each['id']}") for each in found["redemptions"])
        ),
        _balance_then(page_, owner, found["transacted_at"]),
    )
    return page_.show(
        "transaction.html",
        sale=found,
        redemptions=[each.data for each in redemptions if each is not None],
        then=then,
        shares=any(item["redemption_share"] for item in found["items"]),
    )


async def _balance_then(page_: Page, owner: str | None, at: str) -> object:
    """The balances of the profile at that moment, by when things happened."""
    if owner is None:
        return None
    moment = f"{instant(at):%Y-%m-%dT%H:%M:%SZ}"
    found = await page_.ledger.find(f"/profiles/{owner}/balances", as_of=moment)
    return None if found is None else {"as_of": moment, **found.data}


ROUTES: Final = (page("/transactions/{number:int}", transaction, scope="read-transactions"),)
