"""A client of the API for tests, and a clock that stands still."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx

from api.operations import Letter, Letters, Operations, Report
from api.services import Services

START = datetime(2031, 3, 10, 9, 30, tzinfo=UTC)

CODES_SEEN: set[str] = set()
"""Every code of a problem any test has provoked."""

FACTS_SEEN: dict[str, set[str]] = {}
"""Code → the members beside the standard ones that its problems had."""

STANDARD = {"type", "title", "status", "detail", "code", "message", "errors"}
"""What every problem has."""


@dataclass
class Clock:
    """A clock that stands still until it is moved."""

    now: datetime = START

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **by: float) -> None:
        self.now += timedelta(**by)


@dataclass
class Queue:
    """What was queued, and whether anything can be."""

    commands: list[dict[str, Any]] = field(default_factory=list)
    is_away: bool = False

    async def put(self, **command: Any) -> None:
        if self.is_away:
            raise ConnectionError("Kafka is away")
        self.commands.append(command)


@dataclass
class Operating:
    """What operators look at; the dead letters are what a test puts there, the newest last."""

    looking: Operations
    letters: list[Letter] = field(default_factory=list)
    is_away: bool = False

    async def look(self) -> Report:
        return await self.looking.look()

    async def dead_letters(self, size: int, rest: Mapping[int, int] | None) -> Letters:
        if self.is_away:
            raise ConnectionError("Kafka is away")
        end = len(self.letters) if rest is None else rest[0]
        begin = max(0, end - size)
        found = self.letters[begin:end][::-1]
        return Letters(found, len(self.letters), {0: begin} if begin else None)


@dataclass
class Api:
    """A client of the API with a token, and what stands behind it."""

    client: httpx.AsyncClient
    services: Services
    clock: Clock
    token: str
    queue: Queue = field(default_factory=Queue)

    async def send(
        self, method: str, path: str, body: Any = None, **headers: str
    ) -> httpx.Response:
        """Send JSON with the token; header names with underscores."""
        content = None if body is None else json.dumps(body).encode()
        return await self.send_bytes(method, path, content, **headers)

    async def send_bytes(
        self, method: str, path: str, content: bytes | None, **headers: str
    ) -> httpx.Response:
        """Send any bytes as a body."""
        sent = {"authorization": f"Bearer {self.token}"}
        if content is not None:
            sent["content-type"] = "application/json"
        sent |= {name.replace("_", "-").lower(): value for name, value in headers.items()}
        url = path if path.startswith(("/api", "/docs", "/healthz")) else f"/api/v3{path}"
        return await self.client.request(method, url, content=content, headers=sent)

    async def get(self, path: str, **headers: str) -> httpx.Response:
        return await self.send("GET", path, **headers)

    async def post(self, path: str, body: Any = None, **headers: str) -> httpx.Response:
        return await self.send("POST", path, body, **headers)

    async def put(self, path: str, body: Any, **headers: str) -> httpx.Response:
        return await self.send("PUT", path, body, **headers)

    async def delete(self, path: str, **headers: str) -> httpx.Response:
        return await self.send("DELETE", path, **headers)

    async def data(self, path: str) -> Any:
        """What a GET that must succeed gives."""
        response = await self.get(path)
        assert response.status_code == 200, response.text
        return response.json()["data"]

    async def ids(self, path: str) -> list[int]:
        """The ids of a list."""
        return [each["id"] for each in await self.data(path)]

    async def made(self, path: str, body: Any = None, **headers: str) -> Any:
        """What a POST that must create something gives."""
        response = await self.post(path, body, **headers)
        assert response.status_code == 201, response.text
        return response.json()["data"]

    async def changed(self, path: str, body: Any, **headers: str) -> Any:
        """What a PUT that must succeed gives."""
        response = await self.put(path, body, **headers)
        assert response.status_code == 200, response.text
        return response.json()["data"]

    async def balance(self, profile: str) -> Any:
        """What a profile can spend."""
        return (await self.data(f"/profiles/{profile}/balances"))["reward_balance"]

    async def head(self) -> int:
        """The last position of the log."""
        return await self.services.store.head()

    # ── Something to work with ───────────────────────────────────────────────────────────────────

    async def define(self, **fields: Any) -> Any:
        """Add a definition."""
        body = {"name": "R", "handle": f"h-{uuid4()}", "value": 10, "type": "other", "period": 30}
        return await self.made("/rewards/definitions", body | fields)

    async def issue(self, profile: str = "p-1", value: Any = 10, **fields: Any) -> Any:
        """Issue a reward, under a definition of its own unless one is named."""
        if "reward_definition_id" not in fields:
            fields["reward_definition_id"] = (await self.define())["id"]
        return await self.made("/rewards", {"profile_id": profile, "value_initial": value} | fields)

    async def redeem(self, profile: str = "p-1", amount: Any = 10, **fields: Any) -> Any:
        """Redeem."""
        return await self.made(f"/profiles/{profile}/redeem", {"amount": amount} | fields)

    async def redeem_some(self) -> int:
        """A redemption of a reward just issued; its id."""
        await self.issue()
        return int((await self.redeem())["id"])

    async def sell(self, **fields: Any) -> Any:
        """Record a sale."""
        return await self.made("/transactions", sale(**fields))


def sale(**fields: Any) -> dict[str, Any]:
    """A sale of 10 in one line, just now."""
    line = {"name": "Cake", "quantity": 1, "price_current": 10, "price_sell": 10}
    body = {
        "total": 10,
        "transacted_at": "2031-03-10 09:00:00",
        "timezone": "UTC",
        "items": [line],
    }
    return body | fields


@dataclass
class Problem:
    """A refusal whose shape has been checked."""

    content: dict[str, Any]
    headers: httpx.Headers
    errors: dict[str, list[str]] = field(default_factory=dict)


def refused(response: httpx.Response, status: int, code: str, *fields: str) -> Problem:
    """Every refusal has the same shape; these fields are named in it."""
    assert response.status_code == status, (response.status_code, response.text)
    assert response.headers["content-type"] == "application/problem+json"
    problem = checked(response.json(), response.headers)
    assert problem.content["code"] == code, problem.content
    assert problem.content["status"] == status
    assert set(fields) <= set(problem.errors), problem.errors
    return problem


def checked(content: dict[str, Any], headers: httpx.Headers | None = None) -> Problem:
    """A problem whose shape is right."""
    code = content["code"]
    CODES_SEEN.add(code)
    FACTS_SEEN.setdefault(code, set()).update(content.keys() - STANDARD)
    assert content["type"] == f"/docs/errors#{code}"
    assert content["title"]
    assert content["detail"].endswith("."), content
    said_first = "Unauthenticated." if content["status"] == 401 else content["detail"]
    assert content["message"] == said_first
    errors = content["errors"]
    assert all(sentence.endswith(".") for said in errors.values() for sentence in said), errors
    assert all(said for said in errors.values())
    return Problem(content, headers or httpx.Headers(), errors)
