"""The keyboard is enough, and shows where one is."""

import pytest
from command_line.ledger_command import Up
from in_browser.browsing import Visitor
from in_browser.shop import opened

pytestmark = pytest.mark.asyncio(loop_scope="module")

FOCUSED = """() => {
  const at = document.activeElement;
  const style = getComputedStyle(at);
  return [at.tagName, (at.innerText || at.name || at.id || "").trim(),
          style.outlineStyle !== "none" || at.tagName === "BODY"];
}"""


async def test_a_redemption_by_keyboard_alone(admin: Visitor, up: Up) -> None:
    shop = opened(up)
    keyboard = admin.page.keyboard
    await admin.go("/")
    await keyboard.type(shop.profile)
    await keyboard.press("Enter")
    await admin.page.get_by_role("heading", name="Ada Lovelace").wait_for()
    await reach(admin, "Redeem")
    await keyboard.press("Enter")
    await admin.page.get_by_role("heading", name="Redeem").wait_for()
    await reach(admin, "amount")
    await keyboard.type("3")
    await keyboard.press("Enter")
    await admin.page.get_by_role("heading", name="a last look").wait_for()
    before = up.balance(shop.profile)
    await reach(admin, "Redeem")
    await keyboard.press("Enter")
    await admin.page.get_by_text("The amount is redeemed.").wait_for()
    assert up.balance(shop.profile) == before - 3


async def test_the_first_stop_skips_to_the_content(admin: Visitor) -> None:
    await admin.go("/definitions")
    await admin.page.keyboard.press("Tab")
    assert (await admin.page.evaluate(FOCUSED))[1] == "Skip to the content"
    await admin.page.keyboard.press("Enter")
    assert (await admin.page.evaluate(FOCUSED))[0] == "MAIN"


async def reach(visitor: Visitor, name: str) -> None:
    """Go on with the tabulator until there; each stop is to be seen."""
    for _ in range(80):
        await visitor.page.keyboard.press("Tab")
        _, said, is_shown = await visitor.page.evaluate(FOCUSED)
        assert is_shown, said
        if said == name:
            return
    raise AssertionError(f"{name} can't be reached")
