"""A client of the API for tests, and a clock that stands still."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from api.services import Services

START = datetime(2031, 3, 10, 9, 30, tzinfo=UTC)


@dataclass
class Clock:
    """A clock that stands still until it is moved."""

    now: datetime = START

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **by: float) -> None:
        self.now += timedelta(**by)


@dataclass
class Api:
    """A client of the API with a token, and what stands behind it."""

    client: httpx.AsyncClient
    services: Services
    clock: Clock
    token: str
    headers: dict[str, str] = field(default_factory=dict)

    async def send(
        self, method: str, path: str, body: Any = None, **headers: str
    ) -> httpx.Response:
        """Send JSON with the token; header names with underscores."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.client.request(
            method,
            path if path.startswith("/api") else f"/api/v3{path}",
            json=body,
            headers={"Authorization": f"Bearer {self.token}"} | named,
        )

    async def get(self, path: str, **headers: str) -> httpx.Response:
        return await self.send("GET", path, **headers)

    async def post(self, path: str, body: Any = None, **headers: str) -> httpx.Response:
        return await self.send("POST", path, body, **headers)

    async def data(self, path: str) -> Any:
        """What a GET that must succeed gives."""
        response = await self.get(path)
        assert response.status_code == 200, response.text
        return response.json()["data"]

    async def made(self, path: str, body: Any, **headers: str) -> Any:
        """What a POST that must create something gives."""
        response = await self.post(path, body, **headers)
        assert response.status_code == 201, response.text
        return response.json()["data"]
