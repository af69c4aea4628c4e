"""Whatever comes in, an address or a form: it is refused in words, and is never a fault."""

from collections.abc import AsyncIterator
from urllib.parse import quote

import pytest
from http_api.ledger_client import Api
from web_console.client import Person, a_profile

from api.bodies import IMPORT_BYTES_MAX
from console.actions import ACTIONS
from console.forms import FORM_BYTES_MAX
from console.pages import sign_in

ODD = (
    "a\x00b", "\x7f\r\nX-Y: z", "<script>alert(1)</script>", "../../../etc/passwd", "a?b=c", "a#b",
    "%", "%zz", "a;b", "٣", "１", "-1", "9" * 40, "1e9", "1_0", " 1", "NaN", "x" * 5_000, "é", "😀",
)  # fmt: skip
BYTES = ("%00", "%ff", "%ed%a0%80", "%c0%80", "%F0%9F%92", "%2e%2e%2f", "%0d%0aa: b")
PATHS = (
    "/profiles/{}", "/profiles/{}/why", "/rewards/{}", "/redemptions/{}", "/transactions/{}",
    "/definitions/{}", "/imports/{}", "/imports/{}/failed", "/charts/expiry/profiles/{}",
    "/static/{}", "/do/{}/1", "/do/issue/{}", "/do/extend/{}", "/do/link/{}", "/live/profiles/{}",
    "/?q={}", "/definitions?page={}", "/imports?page={}", "/{}",
)  # fmt: skip


async def test_odd_text_in_an_address_is_never_a_fault(admin: Person) -> None:
    wrong = []
    for pattern in PATHS:
        for odd in (*(quote(each, safe="") for each in ODD), *BYTES):
            answer = await admin.get(pattern.format(odd))
            if answer.status_code >= 500 or "Traceback" in answer.text:
                wrong.append((pattern, odd[:40], answer.status_code))
    assert wrong == []


async def test_an_odd_moment_is_never_a_fault(admin: Person, api: Api) -> None:
    name = await a_profile(api)
    wrong = []
    for pattern in ("/profiles/{}", "/charts/expiry/profiles/{}"):
        path = pattern.format(name)
        for odd in (
            *ODD,
            "0001-01-01T00:00:00+14:00",
            "9999-12-31T23:59:59-14:00",
            "2026-W01-1",
            "20260101",
            "2026-01-01",
            "now",
            "2026-02-30T00:00",
            "1970-01-01T00:00:00Z",
        ):
            for key in ("as_of", "page", "kind"):
                answer = await admin.get(f"{path}?{key}={quote(odd, safe='')}")
                if answer.status_code >= 500 or "Traceback" in answer.text:
                    wrong.append((path, key, odd[:40], answer.status_code))
    assert wrong == []


@pytest.mark.parametrize("language", ["*", "../../etc", "xx-YY-zz;q=nan", "q=;;,", "ar", "zh-Hant"])
async def test_an_odd_language_is_never_a_fault(admin: Person, api: Api, language: str) -> None:
    name = await a_profile(api)
    answer = await admin.get(f"/profiles/{name}", **{"Accept-Language": language})
    assert answer.status_code == 200


async def test_odd_text_in_a_form_is_refused_and_does_nothing(admin: Person, api: Api) -> None:
    name = await a_profile(api)
    wrong = []
    for action in ACTIONS.values():
        thing = name if action.about == "profile" else "1"
        for odd in ODD:
            form = {field.name: odd for field in action.fields} | {"step": "look"}
            answer = await admin.post(f"/do/{action.name}/{thing}", form)
            is_an_amount = action.name == "redeem" and odd == " 1"
            if not (is_an_amount or 400 <= answer.status_code < 500):
                wrong.append((action.name, odd[:40], answer.status_code))
    assert wrong == []
    headers = {"Authorization": f"Bearer {api.token}"}
    found = await api.client.get(f"/api/v3/profiles/{name}/balances", headers=headers)
    assert found.json()["data"]["reward_balance"] == 10


@pytest.mark.parametrize("name", ["key", "etag", "seen", "step", "csrf"])
async def test_odd_text_in_a_hidden_field_is_never_a_fault(
    admin: Person, api: Api, name: str
) -> None:
    who = await a_profile(api)
    for odd in ODD:
        for path, form in (
            (f"/do/redeem/{who}", {"step": "do", "amount": "1", "seen": "x", "key": "console-1"}),
            ("/definitions/1/change", {"name": "x", "key": "console-1"}),
            ("/access/tokens", {"client": "x", "key": "console-1"}),
            ("/imports", {"key": "console-1"}),
        ):
            answer = await admin.post(path, form | {name: odd})
            assert answer.status_code < 500, (path, odd)


@pytest.mark.parametrize("charset", ["utf-7", "idna", "punycode", "hex", "utf-16", "x"])
async def test_odd_encodings_are_never_a_fault(admin: Person, charset: str) -> None:
    head = f"multipart/form-data; boundary=b; charset={charset}"
    part = b'--b\r\nContent-Disposition: form-data; name="csrf"'
    body = part + b"\r\n\r\n+2AA-\xff\xed\xa0\x80\r\n--b--\r\n"
    for content, kind in (
        (body, head),
        (body[:40], head),
        (body, head.replace("boundary=b;", "")),
        (b"csrf=%ed%a0%80&%00=%ff", "application/x-www-form-urlencoded"),
    ):
        answer = await admin.client.post(
            "/console/sign-out", content=content, headers=admin.cookie | {"Content-Type": kind}
        )
        assert 400 <= answer.status_code < 500


async def endless(sent: list[int]) -> AsyncIterator[bytes]:
    """A form of a gigabyte, which counts what of it was taken."""
    yield b'--b\r\nContent-Disposition: form-data; name="file"; filename="x.csv"\r\n\r\n'
    for _ in range(1024):
        sent.append(1024 * 1024)
        yield b"x" * 1024 * 1024


@pytest.mark.parametrize(
    ("path", "bytes_max"),
    [("/sign-in", sign_in.FORM_BYTES_MAX), ("/sign-out", FORM_BYTES_MAX),
     ("/imports", IMPORT_BYTES_MAX + FORM_BYTES_MAX)],
)  # fmt: skip
async def test_a_huge_form_is_refused_while_it_arrives(
    admin: Person, path: str, bytes_max: int
) -> None:
    sent: list[int] = []
    kind = {"Content-Type": "multipart/form-data; boundary=b"}
    answer = await admin.client.post(
        f"/console{path}", content=endless(sent), headers=admin.cookie | kind
    )
    assert answer.status_code == 413
    assert answer.headers["connection"] == "close"
    assert sum(sent) <= bytes_max + 2 * 1024 * 1024
    announced = {"Content-Length": str(2**30)}
    answer = await admin.client.post(
        f"/console{path}", content=b"", headers=admin.cookie | kind | announced
    )
    assert answer.status_code == 413


async def test_many_fields_and_files_are_refused(admin: Person) -> None:
    many = {f"f{n}": "x" for n in range(1_000)}
    assert (await admin.post("/sign-out", many)).status_code == 400
    files = [("file", (f"{n}.csv", b"a,b")) for n in range(5)]
    assert (await admin.post("/imports", {"key": "console-1"}, files=files)).status_code == 400
    assert (await admin.get("/")).status_code == 200
