"""Whatever is sent, the answer is a problem with a code, and never repeats what was sent."""

import json
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Annotated, Literal
from uuid import UUID

import httpx
import pytest
from fastapi import APIRouter, FastAPI, HTTPException, Response
from pydantic import BaseModel, ConfigDict, Field

from api.bodies import BodyLimit
from api.json_body import write_json
from api.problems import install
from api.route import LedgerRoute
from schemas.amounts import Amount, PlainText, WholeNumber
from schemas.sentences import ERRORS_LISTED_MAX
from schemas.times import ZoneName

BYTES_MAX = 300_000
SECRET = "anna.secret@example.org"

router = APIRouter(route_class=LedgerRoute, prefix="/toy")


class Line(BaseModel):
    """A part of the toy body, for dotted paths."""

    quantity: Amount


class Toy(BaseModel):
    """One field of each type a hostile body tries."""

    model_config = ConfigDict(extra="forbid")

    amount: Amount
    id: WholeNumber | None = None
    kind: Literal["a", "b"] = "a"
    token: UUID | None = None
    note: Annotated[str, PlainText(40)] = ""
    timezone: ZoneName = "UTC"
    lines: list[Line] = Field(default=[], max_length=3)


@router.post("")
async def take(toy: Toy) -> Response:
    """Answer what was understood."""
    return Response(write_json({"amount": toy.amount, "id": toy.id}), media_type="application/json")


@router.get("/{number}")
async def read(number: int) -> Response:
    """Fail in the way the number says."""
    if number == 0:
        raise RuntimeError(SECRET)
    raise HTTPException(number)


@pytest.fixture
def app() -> FastAPI:
    """Build the toy with everything the module installs."""
    toy = FastAPI()
    install(toy)
    toy.include_router(router)
    toy.add_middleware(BodyLimit, bytes_max=BYTES_MAX)
    return toy


async def ask(
    app: FastAPI,
    method: str = "POST",
    path: str = "/toy",
    content: bytes | AsyncIterator[bytes] | None = None,
    headers: dict[str, str] | None = None,
) -> httpx.Response:
    """Send one request to the app without a server."""
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://ledger") as client:
        sent = {"content-type": "application/json"} | (headers or {})
        return await client.request(method, path, content=content, headers=sent)


def check(answer: httpx.Response, status: int, code: str) -> dict[str, list[str]]:
    """Every refusal has the same shape; give its errors."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert set(body) == {"type", "title", "status", "detail", "code", "message", "errors"}
    assert (body["status"], body["code"]) == (status, code)
    assert body["type"] == f"/docs/errors#{code}"
    assert SECRET not in answer.text
    assert len(answer.text) < 6_000
    errors: dict[str, list[str]] = body["errors"]
    return errors


HOSTILE = {
    "not JSON": (SECRET.encode(), 400, "body_not_json"),
    "NaN": (b'{"amount": NaN}', 400, "body_not_json"),
    "Infinity": (b'{"amount": -Infinity}', 400, "body_not_json"),
    "invalid UTF-8": (b'{"amount": "\xff"}', 400, "body_not_json"),
    "byte order mark": (b'\xef\xbb\xbf{"amount": 1}', 400, "body_not_json"),
    "1e400": (b'{"amount": 1e400}', 422, "number_out_of_range"),
    "5000 digits": (b'{"amount": ' + b"9" * 5000 + b"}", 422, "number_out_of_range"),
    "duplicate keys": (b'{"amount": 1, "amount": 2}', 422, "duplicate_key"),
    "lone surrogate": (b'{"amount": 1, "note": "\\ud800"}', 422, "unstorable_text"),
    "NUL": (b'{"amount": 1, "note": "\\u0000"}', 422, "unstorable_text"),
    "surrogate as key": (b'{"amount": 1, "\\ud800": 1}', 422, "unstorable_text"),
    "list": (b"[1]", 422, "body_not_an_object"),
    "100,000 deep": (b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}", 422, "body_too_deep"),
    "too large": (b'{"a": "' + b"x" * BYTES_MAX + b'"}', 413, "body_too_large"),
    "nothing": (b"", 422, "validation_failed"),
    "quoted 5000 digits": (b'{"amount": "' + b"9" * 5000 + b'"}', 422, "validation_failed"),
    "quoted NaN": (b'{"amount": "NaN"}', 422, "validation_failed"),
    "quoted exponent": (b'{"amount": "1e3"}', 422, "validation_failed"),
    "three decimals": (b'{"amount": 9.999}', 422, "validation_failed"),
    "negative": (b'{"amount": -1}', 422, "validation_failed"),
    "boolean": (b'{"amount": true}', 422, "validation_failed"),
    "long unknown key": (b'{"amount": 1, "' + b"k" * 9000 + b'": 1}', 422, "validation_failed"),
    "many unknown keys": (
        json.dumps({"amount": 1} | dict.fromkeys(map(str, range(20_000)))).encode(),
        422,
        "validation_failed",
    ),
}


@pytest.mark.parametrize(("body", "status", "code"), HOSTILE.values(), ids=HOSTILE.keys())
async def test_hostile_bodies_are_refused(
    app: FastAPI, body: bytes, status: int, code: str
) -> None:
    answer = await ask(app, content=body)
    errors = check(answer, status, code)
    assert len(errors) <= ERRORS_LISTED_MAX


@pytest.mark.parametrize("body", [b'{"amount": 9.99, "id": 6}', b'{"amount": "9.99", "id": "6"}'])
async def test_numbers_may_come_quoted_and_leave_plain(app: FastAPI, body: bytes) -> None:
    answer = await ask(app, content=body)
    assert (answer.status_code, answer.content) == (200, b'{"amount":9.99,"id":6}')


async def test_says_which_fields_and_never_what_they_held(app: FastAPI) -> None:
    sent = {
        "id": SECRET,
        "kind": SECRET,
        "token": SECRET,
        "note": SECRET * 2,
        "timezone": SECRET,
        "unknown": SECRET,
        "lines": [{"quantity": 1}, {"quantity": SECRET}],
    }
    errors = check(await ask(app, content=json.dumps(sent).encode()), 422, "validation_failed")
    assert errors["amount"] == ["This field is required."]
    assert errors["unknown"] == ["This field is not known here."]
    assert errors["kind"] == ["Give one of 'a' or 'b'."]
    assert errors["token"] == ["Give a UUID."]
    assert errors["note"] == ["Give at most 40 characters."]
    assert errors["lines.1.quantity"][0].startswith("Give a plain decimal")
    assert set(errors) == {"amount", *sent} - {"lines"} | {"lines.1.quantity"}


async def test_another_content_type_is_told_the_right_one(app: FastAPI) -> None:
    answer = await ask(app, content=b'{"amount": 1}', headers={"content-type": "text/plain"})
    errors = check(answer, 422, "validation_failed")
    assert "application/json" in errors["body"][0]


async def chunks() -> AsyncIterator[bytes]:
    """Send a body that would never end."""
    yield b'{"amount": "'
    while True:
        yield b"1" * 10_000


@pytest.mark.parametrize("headers", [{}, {"content-length": "5"}, {"content-length": "many"}])
async def test_an_endless_body_is_stopped(app: FastAPI, headers: dict[str, str]) -> None:
    answer = await ask(app, content=chunks(), headers=headers)
    check(answer, 413, "body_too_large")


async def test_an_announced_size_is_refused_before_it_comes(app: FastAPI) -> None:
    answer = await ask(app, path="/nowhere", headers={"content-length": "9" * 30})
    check(answer, 413, "body_too_large")


async def test_unknown_paths_and_methods(app: FastAPI) -> None:
    check(await ask(app, "GET", "/nowhere"), 404, "not_found")
    answer = await ask(app, "DELETE", "/toy")
    check(answer, 405, "method_not_allowed")
    assert answer.headers["allow"] == "POST"


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (401, "unauthenticated"),
        (403, "forbidden"),
        (413, "body_too_large"),
        (422, "unprocessable"),
        (418, "im_a_teapot"),
        (499, "status_499"),
    ],
)
async def test_other_refusals_of_the_framework(app: FastAPI, status: int, code: str) -> None:
    answer = await ask(app, "GET", f"/toy/{status}")
    check(answer, status, code)
    assert status != 401 or answer.json()["message"] == "Unauthenticated."


async def test_our_own_failures_leak_nothing(app: FastAPI) -> None:
    check(await ask(app, "GET", "/toy/0"), 500, "internal_error")


async def test_paths_that_do_not_parse_are_named(app: FastAPI) -> None:
    errors = check(await ask(app, "GET", f"/toy/{SECRET}"), 422, "validation_failed")
    assert errors == {"number": ["Give a whole number."]}


async def test_the_schema_says_numbers_may_be_quoted(app: FastAPI) -> None:
    schemas = (await ask(app, "GET", "/openapi.json")).json()["components"]["schemas"]
    amount = schemas["Toy"]["properties"]["amount"]
    assert [option["type"] for option in amount["anyOf"]] == ["number", "string"]


def test_amounts_reach_routes_as_decimals() -> None:
    assert Toy.model_validate({"amount": Decimal("9.90")}).amount == Decimal("9.9")
