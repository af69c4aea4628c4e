"""Every page, narrow and wide, light and dark: whole, quiet, and within everybody's reach."""

import pytest
from axe_playwright_python.async_playwright import Axe
from command_line.ledger_command import Up
from in_browser.browsing import WIDTHS, Visitor
from in_browser.shop import opened
from playwright.async_api import Browser

from benchmarks.loading import PROFILE, written

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(600)]

WIDER = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_each_page_at_each_width(browser: Browser, up: Up, scheme: str) -> None:
    """Nothing sticks out, no rule of accessibility is broken, no host but ours is asked."""
    visitor = await Visitor.arrive(browser, up.ready["url"], color_scheme=scheme)
    await visitor.sign_in(up.ready["token"])
    axe, found = Axe(), []
    for path in ["/sign-in", *opened(up).pages]:
        status = await visitor.go(path)
        expected = {"/nothing-here": 404}.get(path, 200)
        if status != expected:
            found.append(f"{path}: {status}")
        for width in WIDTHS:
            await visitor.page.set_viewport_size({"width": width, "height": 900})
            if (over := await visitor.page.evaluate(WIDER)) > 0:
                found.append(f"{path} at {width}: {over} pixels too wide")
        results = await axe.run(visitor.page)
        found += [
            f"{path}: {each['id']} {[node['html'][:120] for node in each['nodes'][:3]]}"
            for each in results.response["violations"]
        ]
        size = len((await visitor.page.content()).encode())
        if size > 100_000:
            found.append(f"{path}: {size} bytes")
    await visitor.context.close()
    assert not found, "\n".join(found)
    assert visitor.faults == []


async def test_a_page_is_one_round_trip(admin: Visitor, up: Up) -> None:
    """All that is to be read stands in the page itself: it is the same without any script."""
    shop = opened(up)
    asked: list[str] = []
    admin.page.on("request", lambda request: asked.append(request.resource_type))
    await admin.go(f"/profiles/{shop.profile}")
    assert asked.count("document") == 1
    assert not {"fetch", "xhr"} & set(asked)
    assert "$" in await admin.text()


async def test_a_profile_of_10_000_events_opens(admin: Visitor, up: Up) -> None:
    """How long it takes is for `make bench` to say."""
    await written(up.ready["database_url"])
    assert await admin.go(f"/profiles/{PROFILE}") == 200
    assert "10,001 events" in await admin.text()
    await admin.press("Older")
    assert "Newer" in await admin.text()


async def test_times_are_of_the_zone_with_utc_beside(admin: Visitor, up: Up) -> None:
    await admin.go(f"/transactions/{opened(up).sale}")
    shown = admin.page.locator("dd time").first
    assert "9:00" in (await shown.inner_text()) or "10:00" in (await shown.inner_text())
    assert (await shown.get_attribute("title") or "").endswith("UTC")
