"""What keeps the console to itself: headers, a connection nobody reads along, and forms of its own.

A browser that follows the policy runs no script but ours, sends nothing to another host, and shows
no page of ours inside of another's.
"""

import hmac
import ipaddress
from typing import Final

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_ALLOWED: Final = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self'",
    "font-src": "'self'",
    "connect-src": "'self'",
    "form-action": "'self'",
    "frame-ancestors": "'none'",
    "base-uri": "'none'",
}
POLICY: Final = "; ".join(f"{what} {whence}" for what, whence in _ALLOWED.items())
_HEADERS: Final = {
    "Content-Security-Policy": POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
_LOOPBACK_NAMES: Final = frozenset({"localhost", "127.0.0.1", "[::1]", "::1"})
_BY_A_PROXY: Final = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto")
_STATIC: Final = "/console/static/"
FIELD: Final = "csrf"
"""The hidden field of every form."""


class Headers:
    """Puts the console's headers on every answer.

    No cache keeps a page; the style and the script it asks whether they are still the same.
    """

    def __init__(self, application: ASGIApp) -> None:
        self._application = application

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer with them."""

        is_static = scope.get("path", "").startswith(_STATIC)
        kept = "no-cache" if is_static else "no-store"

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
                headers.setdefault("Cache-Control", kept)
            await send(message)

        await self._application(scope, receive, with_headers)


def is_private(request: Request) -> bool:
    """Whether nobody can read along: HTTPS, or this very machine talking to itself by name.

    A proxy that is not trusted may stand on this machine and speak plain HTTP to everybody.
    """
    if request.url.scheme == "https":
        return True
    peer = request.client.host if request.client else ""
    return (
        _is_loopback(peer)
        and _host_name(request) in _LOOPBACK_NAMES
        and not any(name in request.headers for name in _BY_A_PROXY)
    )


def from_our_origin(request: Request) -> bool:
    """Whether a page of ours sent this, as far as a browser tells."""
    origin = request.headers.get("origin")
    if origin is not None and origin != f"{request.url.scheme}://{request.url.netloc}":
        return False
    return request.headers.get("sec-fetch-site", "same-origin") in ("same-origin", "none")


def is_of(session: str, sent: str) -> bool:
    """Whether a form carries the secret of a session's forms."""
    return hmac.compare_digest(sent.encode(), session.encode())


def _host_name(request: Request) -> str:
    try:
        return request.url.hostname or ""
    except ValueError:
        return ""


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
