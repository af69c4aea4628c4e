"""What keeps the console to itself: sessions, connections, forms and headers."""

from urllib.parse import quote

import httpx
import pytest
from http_api.ledger_client import Api
from web_console.client import COOKIE, Person, a_profile

from console.app import create_console
from console.security import POLICY
from console.services import ConsoleServices


async def test_the_cookie_is_for_this_host_alone_and_for_no_script(
    api: Api, stranger: httpx.AsyncClient
) -> None:
    answer = await Person(stranger).sign_in(token=api.token)
    name, _, rest = answer.headers["set-cookie"].partition("=")
    flags = {each.strip().lower() for each in rest.split(";")[1:]}
    assert name == COOKIE
    assert flags == {"path=/", "secure", "httponly", "samesite=lax"}


async def test_signing_in_begins_a_session_of_its_own_and_ends_the_one_before(
    api: Api, stranger: httpx.AsyncClient
) -> None:
    person = Person(stranger, secret="chosen-by-somebody-else")
    await person.sign_in(token=api.token)
    first = person.secret
    assert first != "chosen-by-somebody-else"
    await person.sign_in(token=api.token)
    assert person.secret != first
    assert (await Person(stranger, first).get("/")).status_code == 303
    assert (await person.get("/")).status_code == 200


async def test_signing_out_ends_the_session_wherever_its_cookie_is(admin: Person) -> None:
    copy = Person(admin.client, admin.secret)
    await admin.post("/sign-out", {})
    assert (await copy.get("/")).status_code == 303


@pytest.mark.parametrize(
    "next_",
    ["https://elsewhere.example", "//elsewhere.example", "/\\elsewhere.example", "/consolex",
     "/console\\..\\..//elsewhere.example", "/console/\n//elsewhere.example", "javascript:alert(1)",
     "/console/\x00", "", "console/"],
)  # fmt: skip
async def test_signing_in_leads_to_no_other_place(
    api: Api, stranger: httpx.AsyncClient, next_: str
) -> None:
    path = f"/console/sign-in?next={quote(next_, safe='')}"
    answer = await stranger.post(path, data={"token": api.token})
    assert (answer.status_code, answer.headers["location"]) == (303, "/console/")


async def test_signing_in_leads_on_to_where_the_way_led(
    api: Api, stranger: httpx.AsyncClient
) -> None:
    asked = await stranger.get("/console/profiles/p-1?as_of=2026-01-01T00:00:00Z")
    answer = await stranger.post(asked.headers["location"], data={"token": api.token})
    assert answer.headers["location"] == "/console/profiles/p-1?as_of=2026-01-01T00:00:00Z"


@pytest.mark.parametrize(
    "headers",
    [{"Origin": "https://elsewhere.example"}, {"Origin": "null"}, {"Origin": "http://[::"},
     {"Origin": "https://localhost"}, {"Origin": "http://localhost:81"},
     {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}],
)  # fmt: skip
async def test_a_form_of_another_site_is_not_even_read(
    admin: Person, api: Api, headers: dict[str, str]
) -> None:
    for path in ("/sign-out", "/access/tokens", "/do/issue/p-1"):
        assert (await admin.post(path, {}, headers=headers)).status_code == 403
    assert (await admin.get("/")).status_code == 200
    answer = await admin.client.post("/console/sign-in", data={"token": api.token}, headers=headers)
    assert (answer.status_code, "set-cookie" in answer.headers) == (422, False)


async def test_a_form_needs_the_secret_of_its_session(admin: Person) -> None:
    for secret in ("", "x" * 43, "é", admin.secret):
        answer = await admin.post("/sign-out", {"csrf": secret})
        assert answer.status_code == 403
        assert "This form is not from here" in answer.text


@pytest.mark.parametrize(
    ("peer", "headers"),
    [("192.0.2.7", {}),
     ("127.0.0.1", {"Host": "elsewhere.example"}),
     ("127.0.0.1", {"Host": "localhost.elsewhere.example"}),
     ("127.0.0.1", {"X-Forwarded-For": "192.0.2.7"}),
     ("127.0.0.1", {"X-Forwarded-Proto": "https"}),
     ("127.0.0.1", {"Forwarded": "for=192.0.2.7;proto=https"})],
)  # fmt: skip
async def test_over_plain_http_only_this_machine_is_answered_and_by_its_name(
    api: Api, services: ConsoleServices, peer: str, headers: dict[str, str]
) -> None:
    """The name, since a page elsewhere may have its own name lead here; a proxy is not trusted."""
    transport = httpx.ASGITransport(create_console(services), client=(peer, 50_000))
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        for path in ("/console/", "/console/sign-in", "/console/nothing-here"):
            answer = await client.get(path, headers=headers)
            assert answer.status_code in (403, 404)
            assert 'name="token"' not in answer.text
        answer = await client.post("/console/sign-in", data={"token": api.token}, headers=headers)
        assert (answer.status_code, "set-cookie" in answer.headers) == (403, False)


async def test_every_answer_has_the_policy_and_no_page_is_kept(
    admin: Person, stranger: httpx.AsyncClient
) -> None:
    for path in ("/", "/nothing-here", "/rewards/1", "/static/console.js", "/static/nothing.js",
                 "/do/issue/p", "/live/profiles/nobody", "/sign-out"):  # fmt: skip
        answer = await admin.get(path)
        assert answer.headers["content-security-policy"] == POLICY, path
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["x-frame-options"] == "DENY"
        kept = "no-cache" if path.startswith("/static/") else "no-store"
        assert answer.headers["cache-control"] == kept, path
    chart = await admin.get("/charts/weeks")
    assert chart.headers["content-security-policy"].startswith("default-src 'none'")
    redirect = await stranger.get("/console/programme")
    assert redirect.headers["content-security-policy"] == POLICY


async def test_a_fault_of_ours_tells_nothing_and_has_the_policy(
    admin: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: object, **__: object) -> None:
        raise RuntimeError("secret words")

    monkeypatch.setattr("console.ledger_api.LedgerApi.get", fail)
    answer = await admin.get("/programme")
    assert answer.status_code == 500
    assert "secret words" not in answer.text
    assert "Traceback" not in answer.text
    assert answer.headers["content-security-policy"] == POLICY


async def test_a_link_can_not_put_words_into_the_page(admin: Person, api: Api) -> None:
    name = await a_profile(api)
    page = await admin.get(f"/profiles/{name}?merged_from=Call+555-1234&done=Pay+here")
    assert "555-1234" not in page.text
    assert "Pay here" not in page.text
