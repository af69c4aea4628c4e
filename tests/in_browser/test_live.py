"""Live parts follow by themselves, and say when they do not."""

import pytest
from command_line.ledger_command import Up
from in_browser.browsing import Visitor
from in_browser.shop import opened
from playwright.async_api import expect

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_a_balance_follows_what_happens_elsewhere(admin: Visitor, up: Up) -> None:
    shop = opened(up)
    await admin.go(f"/profiles/{shop.profile}")
    await expect(admin.page.locator(".live")).to_have_attribute("data-state", "live")
    await expect(admin.page.locator("[data-live=balance] .big").first).to_have_text("$18.50")
    redeemed = up.request("POST", f"/api/v3/profiles/{shop.profile}/redeem", {"amount": "8.50"})
    assert redeemed.status_code == 201
    balance = admin.page.locator("[data-live=balance] .big").first
    await expect(balance).to_have_text("$10.00", timeout=10_000)


async def test_a_line_that_breaks_is_told(admin: Visitor, up: Up) -> None:
    shop = opened(up)
    await admin.go(f"/profiles/{shop.profile}")
    await expect(admin.page.locator(".live")).to_have_attribute("data-state", "live")
    await admin.context.set_offline(True)
    await admin.page.evaluate("window.dispatchEvent(new Event('offline'))")
    await expect(admin.page.locator(".live")).to_have_attribute("data-state", "lost")
    await admin.context.set_offline(False)
    await admin.page.evaluate("window.dispatchEvent(new Event('online'))")
    await expect(admin.page.locator(".live")).to_have_attribute(
        "data-state", "live", timeout=15_000
    )
    admin.faults.clear()  # the browser notes the broken line
