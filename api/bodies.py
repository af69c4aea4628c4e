"""Bodies: read once by our own reader, and stopped where they grow too large."""

from typing import Any, Final

from fastapi import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.json_body import (
    BATCH_BYTES_MAX,
    BODY_BYTES_MAX,
    UnreadableBody,
    body_too_large,
    read_json,
)
from api.paths import BASE
from api.problems import unreadable

_BYTES_MAX_KEY: Final = "ledger.body_bytes_max"
BATCH: Final = "/batch.json"
"""What the path of a batch ends with: many objects in one body."""
IMPORTS: Final = f"{BASE}/imports"
IMPORT_BYTES_MAX: Final = 16 * 1024 * 1024
"""A file with some hundred thousand rows; a larger one goes by the command line, or in parts."""


class LedgerRequest(Request):
    """A request whose JSON is read by our reader, once."""

    async def json(self) -> Any:
        """Give the body with exact numbers; the framework calls this for JSON content types."""
        if not hasattr(self, "_ledger_json"):
            bytes_max = self.scope.get(_BYTES_MAX_KEY, BODY_BYTES_MAX)
            self._ledger_json = read_json(await self.body(), bytes_max)
        return self._ledger_json


class BodyLimit:
    """Stops a body at `bytes_max` while it arrives: Content-Length may be absent, or a lie.

    Starlette's own limit does the same, but answers in plain text.
    """

    def __init__(
        self,
        app: ASGIApp,
        bytes_max: int = BODY_BYTES_MAX,
        batch_bytes_max: int = BATCH_BYTES_MAX,
    ) -> None:
        """Wrap `app`; our route class reads the same limit from the request's scope."""
        self._app = app
        self._bytes_max = bytes_max
        self._batch_bytes_max = batch_bytes_max

    def _limit(self, path: str) -> int:
        if path == IMPORTS:
            return IMPORT_BYTES_MAX
        return self._batch_bytes_max if path.endswith(BATCH) else self._bytes_max

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse early by Content-Length, and again by counting."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        bytes_max = self._limit(scope["path"])
        scope[_BYTES_MAX_KEY] = bytes_max
        refusal = body_too_large(bytes_max)
        if _announced(scope) > bytes_max:
            await unreadable(refusal)(scope, receive, send)
            return
        received = 0
        started = False

        async def counting_receive() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > bytes_max:
                raise refusal
            return message

        async def watching_send(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self._app(scope, counting_receive, watching_send)
        except UnreadableBody as error:
            # Raised outside the app's own handlers, by a middleware that reads the body.
            if started:
                raise
            await unreadable(error)(scope, receive, send)


def _announced(scope: Scope) -> int:
    for name, value in scope["headers"]:
        if name == b"content-length" and value.isdigit():
            return int(value[:20])
    return 0
