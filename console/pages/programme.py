"""The programme in sums: what is outstanding, how it came about, and when it will expire."""

import asyncio
from typing import Any, Final

from starlette.responses import Response

from console import charts
from console.page import Page, page

FLOWS: Final = ("issued", "redeemed", "expired")


async def programme(page_: Page) -> Response:
    """All of it on one page."""
    ledger = page_.ledger
    statistics, calendar, settings, history = await asyncio.gather(
        ledger.get("/programme/statistics"),
        ledger.get("/programme/expiry-calendar"),
        ledger.get("/programme/settings"),
        ledger.get("/programme/settings/history", **{"page[size]": 50}),
    )
    return page_.show(
        "programme.html",
        statistics=statistics.data,
        flows=FLOWS,
        days=[each for each in calendar.data["days"] if each["count"]],
        calendar=calendar.data,
        settings=settings.data,
        history=history.data,
        position=statistics.position,
    )


async def weeks_chart(page_: Page) -> Response:
    """Issued, redeemed and expired, week by week."""
    weeks = (await page_.ledger.get("/programme/statistics")).data["weeks"]
    series = {flow.capitalize(): [float(week[flow]["value"]) for week in weeks] for flow in FLOWS}
    return charts.bars([week["week"][5:] for week in weeks], series, height=280, labels_shown=13)


async def expiry_chart(page_: Page) -> Response:
    """What expires on each of the next 90 days."""
    days: list[dict[str, Any]] = (await page_.ledger.get("/programme/expiry-calendar")).data["days"]
    return charts.bars(
        [each["day"][5:] for each in days],
        {"Expires": [float(each["value"]) for each in days]},
        labels_shown=13,
    )


ROUTES: Final = (
    page("/programme", programme, scope="read-programme"),
    page("/charts/weeks", weeks_chart, scope="read-programme"),
    page("/charts/expiry", expiry_chart, scope="read-programme"),
)
