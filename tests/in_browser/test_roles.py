"""Who may see what, and do what: two roles against every page and every deed."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from command_line.ledger_command import Up
from in_browser.browsing import Visitor
from in_browser.shop import Shop, opened
from playwright.async_api import Browser

from console.actions import ACTIONS

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(300)]

PASSWORD = "correct horse battery"
ONLY_ADMIN = {"/access", "/definitions/new"}


async def arrived(browser: Browser, up: Up, role: str) -> Visitor:
    name = f"somebody-{role}"
    made = up.request(
        "POST", "/api/v3/access/users", {"name": name, "role": role, "password": PASSWORD}
    )
    assert made.status_code in (201, 409), made.text
    visitor = await Visitor.arrive(browser, up.ready["url"])
    await visitor.sign_in_as(name, PASSWORD)
    return visitor


@pytest_asyncio.fixture(params=["read-only", "staff"], loop_scope="module")
async def visitor(
    request: pytest.FixtureRequest, browser: Browser, up: Up
) -> AsyncIterator[Visitor]:
    found = await arrived(browser, up, request.param)
    found.role = request.param  # type: ignore[attr-defined]
    yield found
    await found.context.close()
    assert found.faults == []


@pytest.fixture
def shop(up: Up) -> Shop:
    return opened(up)


async def test_each_page(visitor: Visitor, shop: Shop) -> None:
    role = visitor.role  # type: ignore[attr-defined]
    for path in shop.pages:
        status = await visitor.go(path)
        deed = path.split("/")[2] if path.startswith("/do/") else None
        closed = path in ONLY_ADMIN or path.endswith("/change")
        if deed is not None:
            closed = role == "read-only" or deed == "merge"
        expected = 403 if closed else 404 if path == "/nothing-here" else 200
        assert status == expected, (role, path)


async def test_no_button_is_dead(visitor: Visitor, shop: Shop) -> None:
    """What is offered may be done; what may not be done is not offered."""
    for path in (f"/profiles/{shop.profile}", f"/rewards/{shop.reward}",
                 f"/redemptions/{shop.redemption}", "/definitions"):  # fmt: skip
        await visitor.go(path)
        links = visitor.page.locator("main a.button")
        for link in [await links.nth(n).get_attribute("href") for n in range(await links.count())]:
            assert link is not None
            assert await visitor.go(link.removeprefix("/console")) == 200, link


async def test_no_deed_without_its_scope(visitor: Visitor, shop: Shop, up: Up) -> None:
    """Also for those who know the address and make up a form."""
    role = visitor.role  # type: ignore[attr-defined]
    head = up.request("GET", f"/api/v3/profiles/{shop.profile}/history").headers["Ledger-Position"]
    things = {"profile": shop.profile, "reward": shop.reward, "redemption": shop.redemption}
    await visitor.go("/")
    csrf = await visitor.page.locator("input[name=csrf]").first.get_attribute("value")
    for action in ACTIONS.values():
        if role == "staff" and action.name != "merge":
            continue
        await visitor.go(f"/do/{action.name}/{things[action.about]}")
        answer = await visitor.post({"csrf": csrf or "", "step": "do", "key": "k", "amount": "1"})
        assert answer.status_code == 403, action.name
    after = up.request("GET", f"/api/v3/profiles/{shop.profile}/history").headers["Ledger-Position"]
    assert after == head


async def test_nobody_gets_anywhere_without_signing_in(
    browser: Browser, up: Up, shop: Shop
) -> None:
    stranger = await Visitor.arrive(browser, up.ready["url"])
    for path in shop.pages:
        if path == "/nothing-here":
            continue
        await stranger.go(path)
        assert await stranger.page.get_by_role("heading", name="Sign in").count() == 1, path
    await stranger.context.close()


async def test_signing_out_ends_it(browser: Browser, up: Up, shop: Shop) -> None:
    visitor = await arrived(browser, up, "staff")
    cookies = await visitor.context.cookies()
    await visitor.press("Sign out")
    await visitor.page.get_by_role("heading", name="Sign in").wait_for()
    await visitor.context.add_cookies(cookies)  # type: ignore[arg-type]
    await visitor.go(f"/profiles/{shop.profile}")
    assert await visitor.page.get_by_role("heading", name="Sign in").count() == 1
    await visitor.context.close()


async def test_a_wrong_password_says_no_more_than_that(browser: Browser, up: Up) -> None:
    visitor = await Visitor.arrive(browser, up.ready["url"])
    said = []
    for name in ("somebody-staff", "nobody-of-this-name"):
        await visitor.go("/sign-in")
        await visitor.page.get_by_label("Name").fill(name)
        await visitor.page.get_by_label("Password").fill("wrong but long enough")
        await visitor.page.locator("form", has_text="With your name").get_by_role("button").click()
        said.append(await visitor.page.get_by_role("alert").inner_text())
    assert said == ["This name and password don't match."] * 2
    await visitor.context.close()
