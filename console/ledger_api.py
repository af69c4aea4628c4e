"""The ledger's HTTP API, asked from within the process as the person who is signed in.

The console has no way of its own to the ledger. What a page shows, and what a button may do, are
exactly what the API answers the same person: one set of rules, scopes and refusals.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final
from urllib.parse import quote

import httpx
from starlette.types import ASGIApp

from api.access import calling_as
from api.paths import BASE
from api.tokens import Caller

_HOST: Final = "http://ledger"
_OK_MAX: Final = 299


class Refusal(Exception):
    """The API said no; the fields are those of its `application/problem+json`."""

    def __init__(self, status: int, problem: Mapping[str, Any]) -> None:
        self.status = status
        self.code: str = problem.get("code", "internal_error")
        self.detail: str = problem.get("detail", "")
        self.errors: Mapping[str, list[str]] = problem.get("errors", {})
        super().__init__(f"{self.code}: {self.detail}")


@dataclass(frozen=True, slots=True)
class Answer:
    """What the API answered: the object or list, and what it says about it."""

    data: Any
    meta: Mapping[str, Any] = field(default_factory=dict)
    position: int = 0
    etag: str | None = None


class LedgerApi:
    """Asks as one caller. Amounts come as `Decimal`."""

    def __init__(self, application: ASGIApp, caller: Caller) -> None:
        self.caller = caller
        transport = httpx.ASGITransport(calling_as(application, caller), raise_app_exceptions=False)
        # Nothing of it has to be closed: it opens no connection.
        self._client = httpx.AsyncClient(transport=transport, base_url=f"{_HOST}{BASE}")

    async def get(self, path: str, **parameters: Any) -> Answer:
        """Read `path` (below the API's base, not quoted); parameters that are None are left out.

        Raises:
            Refusal: there is no such thing, or it may not be seen.
        """
        return _answer(await self._ask("GET", path, parameters))

    async def find(self, path: str, **parameters: Any) -> Answer | None:
        """As `get`; None where there is no such thing or this caller may not see it."""
        try:
            return await self.get(path, **parameters)
        except Refusal as refusal:
            if refusal.status in (403, 404):
                return None
            raise

    async def send(  # noqa: PLR0913 - the parts of a request
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        *,
        key: str | None = None,
        dry_run: bool = False,
        etag: str | None = None,
    ) -> Answer:
        """Send a command; under one `key` it is carried out once, however often it comes.

        Raises:
            Refusal: nothing was done.
        """
        headers = {} if key is None else {"Idempotency-Key": key}
        if etag is not None:
            headers["If-Match"] = etag
        parameters = {"dry_run": "true"} if dry_run else {}
        return _answer(await self._ask(method, path, parameters, body, headers))

    async def upload(
        self, path: str, fields: Mapping[str, str], content: bytes, name: str, *, key: str
    ) -> Answer:
        """Send a file with the fields of its form.

        Raises:
            Refusal: it was not taken.
        """
        files = {"file": (name, content, "text/csv")}
        headers = {"Idempotency-Key": key}
        return _answer(
            await self._client.post(path, data=dict(fields), files=files, headers=headers)
        )

    async def file(self, path: str) -> bytes:
        """A file as it is.

        Raises:
            Refusal: there is none.
        """
        found = await self._ask("GET", path, {})
        _refuse(found)
        return found.content

    async def _ask(
        self,
        method: str,
        path: str,
        parameters: Mapping[str, Any],
        body: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        return await self._client.request(
            method,
            quote(path),
            params={name: value for name, value in parameters.items() if value is not None},
            content=None if body is None else json.dumps(body, default=str),
            headers={
                **({} if body is None else {"Content-Type": "application/json"}),
                **(headers or {}),
            },
        )


def _refuse(response: httpx.Response) -> None:
    if response.status_code > _OK_MAX:
        raise Refusal(response.status_code, json.loads(response.content or b"{}"))


def _answer(response: httpx.Response) -> Answer:
    _refuse(response)
    found = json.loads(response.content, parse_float=Decimal) if response.content else {}
    return Answer(
        found.get("data"),
        found.get("meta", {}),
        int(response.headers.get("Ledger-Position", 0)),
        response.headers.get("ETag"),
    )
