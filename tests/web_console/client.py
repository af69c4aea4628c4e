"""Somebody at the console, without a browser."""

import re
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import httpx
from http_api.ledger_client import Api

URL = "http://localhost"
COOKIE = "__Host-ledger"


@dataclass
class Person:
    """Signed in: the cookie goes along by hand, since a client keeps none that is Secure."""

    client: httpx.AsyncClient
    secret: str = ""
    csrf: str = ""

    async def sign_in(self, **form: str) -> httpx.Response:
        """With `token`, or `name` and `password`."""
        answer = await self.client.post("/console/sign-in", data=form, headers=self.cookie)
        self.secret = answer.headers["set-cookie"].partition("=")[2].partition(";")[0]
        self.client.cookies.clear()
        page = await self.get("/")
        found = re.search(r'name="csrf" value="([^"]+)"', page.text)
        assert found is not None, page.text
        self.csrf = found[1]
        return answer

    @property
    def cookie(self) -> dict[str, str]:
        """The header of the session."""
        return {"Cookie": f"{COOKIE}={self.secret}"} if self.secret else {}

    async def get(self, path: str, **headers: str) -> httpx.Response:
        """A page of the console."""
        return await self.client.get(f"/console{path}", headers=self.cookie | headers)

    async def post(self, path: str, form: dict[str, Any], **more: Any) -> httpx.Response:
        """Send a form with the session's secret."""
        headers = self.cookie | more.pop("headers", {})
        data = {"csrf": self.csrf} | form
        return await self.client.post(f"/console{path}", data=data, headers=headers, **more)


async def a_profile(api: Api) -> str:
    """A profile with one reward."""
    name = f"p-{uuid4().hex[:8]}"
    headers = {"Authorization": f"Bearer {api.token}"}
    definition = {"name": "Gift", "handle": name, "value": 10, "type": "gift", "period": 30}
    for path, body in (
        ("/rewards/definitions", definition),
        ("/rewards", {"profile_id": name, "reward_definition_handle": name}),
    ):
        answer = await api.client.post(f"/api/v3{path}", json=body, headers=headers)
        assert answer.status_code == 201, answer.text
    return name
