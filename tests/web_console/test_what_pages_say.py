"""What pages say of things in odd states, and what they offer then."""

from datetime import UTC, datetime

import pytest
from http_api.ledger_client import Api, Operating
from web_console.client import Person, a_profile

from api.operations import Letter

SCRIPT = "<script>alert(1)</script>"


async def redeemed(api: Api, name: str, **terms: object) -> str:
    """A redemption of one dollar; its number."""
    made = await api.made(f"/profiles/{name}/redeem", {"amount": 1, **terms})
    return str(made["id"])


def offered(page: str) -> set[str]:
    """The deeds a page has buttons for."""
    return {part.partition("/")[0] for part in page.split('href="/console/do/')[1:]}


async def test_a_hold_can_be_captured_or_released_and_not_returned(admin: Person, api: Api) -> None:
    name = await a_profile(api)
    number = await redeemed(api, name, hold="PT15M")
    page = (await admin.get(f"/redemptions/{number}")).text
    assert offered(page) == {"capture", "release", "link"}
    assert "Held until" in page
    api.clock.forward(hours=1)
    page = (await admin.get(f"/redemptions/{number}")).text
    assert offered(page) == set()
    assert "Was held until" in page
    assert "None: what it held was let go." in page


@pytest.mark.parametrize("given", ["2031-06-30T10:15", "2031-06-30T10:15:30"])
async def test_a_moment_is_taken_as_a_browser_writes_it(
    admin: Person, api: Api, given: str
) -> None:
    """Without its seconds where they are zero."""
    name = await a_profile(api)
    (reward,) = await api.data(f"/profiles/{name}/rewards")
    form = {"step": "look", "expires_at": given}
    page = await admin.post(f"/do/adjust/{reward['id']}", form)
    assert page.status_code == 200, page.text
    assert "30 June 2031" in page.text


async def test_a_redemption_says_what_can_still_be_returned(admin: Person, api: Api) -> None:
    number = await redeemed(api, await a_profile(api))
    page = (await admin.get(f"/redemptions/{number}")).text
    assert offered(page) == {"reverse", "return", "link"}
    assert "Can still be returned" in page
    assert "Can be reversed until" in page
    await api.made(f"/redemptions/{number}/reversal")
    page = (await admin.get(f"/redemptions/{number}")).text
    assert offered(page) == set()
    assert "Can still be returned" not in page
    assert "<dd>reversed</dd>" in page


async def test_a_deleted_profile_is_said_to_be_and_nothing_is_offered(
    admin: Person, api: Api
) -> None:
    name = await a_profile(api)
    headers = {"Authorization": f"Bearer {api.token}"}
    await api.client.delete(f"/api/v3/profiles/{name}", headers=headers)
    page = (await admin.get(f"/profiles/{name}")).text
    assert "This profile is deleted" in page
    assert offered(page) == set()


async def test_a_moment_before_the_profile_was_known_says_so(admin: Person, api: Api) -> None:
    name = await a_profile(api)
    page = (await admin.get(f"/profiles/{name}?as_of=2020-01-01T00:00:00Z")).text
    assert "The ledger did not know it then." in page


async def test_each_definition_says_what_is_outstanding(admin: Person, api: Api) -> None:
    """By the read models, which nobody keeps up to date here."""
    await a_profile(api)
    page = (await admin.get("/definitions")).text
    assert "Outstanding" in page
    assert "$0.00" in page.partition("30 days")[2]


async def test_operations_open_while_kafka_is_away(admin: Person, api: Api) -> None:
    operating = api.services.operations
    assert isinstance(operating, Operating)
    operating.is_away = True
    page = await admin.get("/operations")
    assert page.status_code == 200
    assert "Kafka" in page.text.partition('id="h-letters"')[2].partition("</section>")[0]


async def test_a_dead_letter_is_shown_as_text(admin: Person, api: Api) -> None:
    operating = api.services.operations
    assert isinstance(operating, Operating)
    at = datetime(2026, 1, 1, tzinfo=UTC)
    headers = {"reason": SCRIPT}
    operating.letters.append(Letter(0, 0, at, SCRIPT, headers, 9, SCRIPT, "masked"))
    page = (await admin.get("/operations")).text
    assert SCRIPT not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
