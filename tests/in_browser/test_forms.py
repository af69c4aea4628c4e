"""Stale forms, second clicks, the back button and sessions that have ended do no harm."""

from contextlib import suppress
from uuid import uuid4

import pytest
from command_line.ledger_command import Up
from in_browser.browsing import Visitor
from playwright.async_api import Browser, Error

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def previewed(visitor: Visitor, up: Up, amount: str = "4") -> str:
    """A redemption as it is to be confirmed, of a profile with $10."""
    profile = f"p-{uuid4().hex[:8]}"
    up.issue(profile)
    await visitor.go(f"/do/redeem/{profile}")
    await visitor.page.get_by_label("Amount").fill(amount)
    await visitor.press("Look at it first")
    await visitor.page.get_by_role("heading", name="a last look").wait_for()
    return profile


async def test_a_second_click_does_it_once(admin: Visitor, up: Up) -> None:
    profile = await previewed(admin, up)
    await admin.page.get_by_role("button", name="Redeem").dblclick()
    await admin.page.get_by_text("The amount is redeemed.").wait_for()
    assert up.balance(profile) == 6


async def test_a_form_sent_twice_without_any_script_does_it_once(admin: Visitor, up: Up) -> None:
    profile = await previewed(admin, up)
    form = await admin.form()
    for _ in range(3):
        answer = await admin.post(form)
        assert answer.status_code == 303, answer.text
        assert answer.headers["location"].endswith("done=redeem")
    assert up.balance(profile) == 6


async def test_going_back_and_sending_again_does_it_once(admin: Visitor, up: Up) -> None:
    """The page is in no cache, so the browser asks, and sends the form again if one wants that."""
    profile = await previewed(admin, up)
    url, form = admin.page.url, await admin.form()
    await admin.press("Redeem")
    await admin.page.get_by_text("The amount is redeemed.").wait_for()
    with suppress(Error):
        await admin.page.go_back()
    answer = await admin.post(form, to=url)
    assert answer.headers["location"].endswith("done=redeem")
    assert up.balance(profile) == 6


async def test_what_has_changed_since_the_look_is_shown_again_first(admin: Visitor, up: Up) -> None:
    profile = await previewed(admin, up)
    up.request("POST", f"/api/v3/profiles/{profile}/redeem", {"amount": 1})
    await admin.press("Redeem")
    said = await admin.text()
    assert "Something has changed since you looked." in said
    assert "Balance then\n$5.00" in said
    assert up.balance(profile) == 9
    await admin.press("Redeem")
    await admin.page.get_by_text("The amount is redeemed.").wait_for()
    assert up.balance(profile) == 5


async def test_a_refusal_is_said_where_it_was_asked(admin: Visitor, up: Up) -> None:
    profile = f"p-{uuid4().hex[:8]}"
    up.issue(profile)
    await admin.go(f"/do/redeem/{profile}")
    await admin.page.get_by_label("Amount").fill("99")
    await admin.press("Look at it first")
    assert "The available balance is 10;" in await admin.text()
    assert await admin.page.get_by_label("Amount").input_value() == "99"
    await admin.page.get_by_label("Amount").fill("a lot")
    await admin.press("Look at it first")
    assert await admin.page.locator("[aria-invalid]").count() == 1
    assert up.balance(profile) == 10


async def test_a_session_that_has_ended_does_nothing(
    browser: Browser, up: Up, admin: Visitor
) -> None:
    other = await Visitor.arrive(browser, up.ready["url"])
    await other.sign_in(up.ready["token"])
    profile = await previewed(other, up)
    await other.context.clear_cookies()
    await other.press("Redeem")
    await other.page.get_by_role("heading", name="Sign in").wait_for()
    assert up.balance(profile) == 10
    await other.context.close()


async def test_another_site_can_send_no_form(admin: Visitor, up: Up) -> None:
    profile = await previewed(admin, up)
    form = await admin.form()
    without = {name: value for name, value in form.items() if name != "csrf"}
    assert (await admin.post(form, Origin="https://elsewhere.example")).status_code == 403
    assert (await admin.post(form, Sec_Fetch_Site="cross-site")).status_code == 403
    assert (await admin.post(without)).status_code == 403
    assert up.balance(profile) == 10
