"""What people come for: find, explain, look back, define, import, let others in."""

import asyncio
import json
from uuid import uuid4

import pytest
from command_line.ledger_command import Up
from in_browser.browsing import Visitor
from in_browser.shop import opened
from playwright.async_api import expect

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_a_name_with_a_slip_leads_to_the_profile(admin: Visitor, up: Up) -> None:
    profile, name = f"p-{uuid4().hex[:8]}", f"Featherstone{uuid4().hex[:6]}"
    up.request("POST", "/api/v3/profiles", {"id": profile, "last_name": name})
    await admin.go("/")
    await admin.page.get_by_label("Search the ledger").fill(name.replace("thers", "tehrs"))
    await admin.page.locator("main").get_by_role("button", name="Search").click()
    await admin.page.get_by_role("heading", name=name).wait_for()


async def test_whatever_has_a_number_is_found(admin: Visitor, up: Up) -> None:
    shop = opened(up)
    sale = up.request("GET", f"/api/v3/transactions/{shop.sale}").json()["data"]
    await admin.go(f"/?q={sale['external_id']}")
    await admin.page.get_by_role("heading", name=f"Sale {sale['external_id']}").wait_for()


async def test_why_a_balance_is_what_it_is(admin: Visitor, up: Up) -> None:
    shop = opened(up)
    await admin.go(f"/profiles/{shop.profile}")
    await admin.page.get_by_role("link", name="Why?").first.click()
    said = await admin.text()
    assert "Why $18.50 available?" in said
    lots = [text.split()[0] for text in await admin.page.locator("h2").all_inner_texts()]
    assert sum(float(text.removeprefix("$")) for text in lots) == 18.5
    assert "for sale" in said


async def test_what_it_was(admin: Visitor, up: Up) -> None:
    """Before the redemption there was all of it; the address says so to whoever gets it."""
    shop = opened(up)
    history = up.request("GET", f"/api/v3/profiles/{shop.profile}/history").json()["data"]
    third = [each for each in history if each["type"] == "RewardIssued"][2]
    await admin.go(f"/profiles/{shop.profile}")
    await admin.page.get_by_role("link", name=f"position {third['position']}", exact=True).click()
    assert "This is the profile as of" in await admin.text()
    url = admin.page.url
    await admin.go("/")
    await admin.page.goto(url)
    assert "as of" in await admin.text()
    assert await admin.page.get_by_role("link", name="Redeem", exact=True).count() == 0
    await admin.press("Back to now")
    await expect(admin.page.locator("[data-live=balance] .big").first).to_have_text("$18.50")


async def test_the_slider_goes_back(admin: Visitor, up: Up) -> None:
    shop = opened(up)
    await asyncio.sleep(1.1)  # a slider has whole seconds
    await admin.go(f"/profiles/{shop.profile}")
    await admin.page.get_by_label("Move through time").press("Home")
    await admin.page.get_by_text("This is the profile as of").wait_for()
    assert "as_of=" in admin.page.url


async def test_a_moment_that_is_none_is_refused_in_words(admin: Visitor, up: Up) -> None:
    shop = opened(up)
    assert await admin.go(f"/profiles/{shop.profile}?as_of=yesterday") == 422
    assert "as_of" in await admin.text()


async def test_a_definition_is_checked_as_it_is_typed(admin: Visitor) -> None:
    await admin.go("/definitions/new")
    value = admin.page.get_by_label("Value", exact=True)
    await value.fill("ten")
    await expect(admin.page.locator(".field.wrong #f-value")).to_have_count(1)
    await value.fill("10")
    await expect(admin.page.locator(".field.wrong #f-value")).to_have_count(0)


async def test_a_changed_definition_shows_what_changed(admin: Visitor, up: Up) -> None:
    shop = opened(up)
    await admin.go(f"/definitions/{shop.definition}/change")
    await admin.page.get_by_label("Value", exact=True).fill("12")
    await admin.press("Change it")
    assert "The definition is changed." in await admin.text()
    await expect(admin.page.locator("#h-versions ~ .scroll")).to_contain_text("Value")


async def test_two_who_change_one_definition(admin: Visitor, up: Up) -> None:
    """The second is told, and nothing of the first is lost."""
    shop = opened(up)
    await admin.go(f"/definitions/{shop.definition}/change")
    path = f"/api/v3/rewards/definitions/{shop.definition}"
    up.request("PUT", path, {"name": "Changed by another"})
    await admin.page.get_by_label("Value", exact=True).fill("12")
    await admin.press("Change it")
    await admin.page.get_by_role("alert").wait_for()
    assert up.request("GET", path).json()["data"]["name"] == "Changed by another"


async def test_an_import_is_looked_at_before_it_is_written(admin: Visitor, up: Up) -> None:
    shop = opened(up)
    before = up.balance(shop.profile)
    rows = [
        "PROFILE_ID,VALUE_INITIAL,VALUE_REMAINING,TIMEZONE,ISSUED_AT,REWARD_DEFINITION_ID",
        f"{shop.profile},5,5,UTC,2026-11-01,{shop.definition}",
        f"{shop.profile},many,5,UTC,2026-11-01,{shop.definition}",
    ]
    await admin.go("/imports")
    await admin.page.get_by_label("CSV file").set_input_files(
        {"name": "rewards.csv", "mimeType": "text/csv", "buffer": "\n".join(rows).encode()}
    )
    await admin.press("Check the file")
    await admin.page.get_by_role("heading", name="Checked: nothing is written yet").wait_for()
    assert "many" in await admin.text()
    assert up.balance(shop.profile) == before
    await admin.press("Write 1 reward")
    await admin.page.get_by_role("heading", name="Written", exact=True).wait_for()
    assert up.balance(shop.profile) == before + 5
    async with admin.page.expect_download() as download:
        await admin.press("Download them")
    assert (await download.value).suggested_filename.endswith(".errors.csv")


async def test_a_token_is_shown_once_and_revoked(admin: Visitor, up: Up) -> None:
    client = f"till-{uuid4().hex[:6]}"
    await admin.go("/access")
    await admin.page.get_by_text("Make a token").click()
    await admin.page.get_by_label("Client").fill(client)
    await admin.page.get_by_label("read rewards", exact=True).check()
    await admin.press("Make the token")
    token = await admin.page.locator("#token").inner_text()
    assert token.startswith("ledger_")
    await admin.go("/access")
    assert token not in await admin.page.content()
    row = admin.page.locator("tr", has_text=client)
    await row.get_by_role("button", name="Revoke").click()
    await admin.page.get_by_text("The token is revoked.").wait_for()
    await expect(admin.page.locator("tr", has_text=client)).to_contain_text("revoked")


async def test_operations_show_each_part(admin: Visitor) -> None:
    await admin.go("/operations")
    said = await admin.text()
    for part in ("Read models", "Relay", "Log", "PostgreSQL", "Processes", "Kafka", "Dead letters"):
        assert part in said
    assert "no answer" not in said


async def test_nothing_of_what_is_typed_becomes_markup(admin: Visitor, up: Up) -> None:
    profile, name = f"p-{uuid4().hex[:8]}", "<img src=x onerror=alert(1)>"
    up.request("POST", "/api/v3/profiles", {"id": profile, "first_name": name})
    await admin.go(f"/profiles/{profile}")
    assert name in await admin.text()
    await admin.go(f"/?q={json.dumps(name)}&stay=1")
    assert name in await admin.text()
