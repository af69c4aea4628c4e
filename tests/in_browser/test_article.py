"""The article's four steps, done and seen in the console."""

from uuid import uuid4

import pytest
from command_line.ledger_command import Up
from in_browser.browsing import Visitor

from api.examples import TRANSACTION_BODY

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def balance(admin: Visitor) -> str:
    return await admin.page.locator("[data-live=balance] .big").first.inner_text()


async def test_the_four_steps(admin: Visitor, up: Up) -> None:
    page, handle, profile = admin.page, f"birthday-{uuid4().hex[:8]}", f"p-{uuid4().hex[:8]}"

    await admin.go("/definitions")
    await admin.press("Define a reward")
    for label, text in {
        "Name": "Birthday Reward", "Handle": handle, "Value": "10", "Type": "birthday",
    }.items():  # fmt: skip
        await page.get_by_label(label, exact=True).fill(text)
    await admin.press("Define it")
    assert "The definition is there." in await admin.text()

    up.request("POST", "/api/v3/profiles", {"id": profile, "first_name": "Ada"})
    await admin.go(f"/profiles/{profile}")
    assert await balance(admin) == "$0.00"
    await admin.press("Issue a reward")
    option = page.locator("option", has_text="Birthday Reward").last
    await page.get_by_label("Definition").select_option(await option.get_attribute("value"))
    await admin.press("Look at it first")
    assert "Balance then\n$10.00" in await admin.text()
    await admin.press("Issue a reward")
    assert "The reward is issued." in await admin.text()
    assert await balance(admin) == "$10.00"

    await admin.press("Redeem")
    await page.get_by_label("Amount").fill("10")
    await admin.press("Look at it first")
    assert "Balance then\n$0.00" in await admin.text()
    assert up.balance(profile) == 10
    await admin.press("Redeem")
    assert await balance(admin) == "$0.00"

    sold = up.request("POST", "/api/v3/transactions", _sale(profile)).json()["data"]
    await admin.go(f"/profiles/{profile}")
    await page.locator("[data-live=redemptions] a").first.click()
    await admin.press("Link to a sale")
    await page.get_by_label("The sale's number in the ledger").fill(str(sold["id"]))
    await admin.press("Look at it first")
    await admin.press("Link to a sale")
    await page.get_by_role("link", name=f"Sale {sold['external_id']}").click()
    assert "Redeemed\n$10.00" in await admin.text()
    line = page.locator("tbody tr").first.locator("td")
    assert [text.strip() for text in await line.all_inner_texts()] == [
        "Birthday Cake", "1", "$9.99", "$10.00", "0",
    ]  # fmt: skip


def _sale(profile: str) -> dict[str, object]:
    body = {name: value for name, value in TRANSACTION_BODY.items() if name != "redemption_id"}
    return body | {"profile_id": profile, "external_id": uuid4().hex}
