"""The console as an application beside the API, in one process and on one port."""

from pathlib import Path
from typing import Final

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Receive, Scope, Send

from console import live
from console.page import ROOT, refused, show_plain
from console.pages import (
    access,
    deed,
    definitions,
    imports,
    operations,
    profile,
    programme,
    redemption,
    reward,
    search,
    sign_in,
    transaction,
)
from console.security import Headers
from console.services import ConsoleServices

_STATIC: Final = Path(__file__).parent / "static"


def create_console(services: ConsoleServices) -> ASGIApp:
    """The console's own application; it answers below `/console`."""
    pages = [
        *sign_in.ROUTES,
        *search.ROUTES,
        *profile.ROUTES,
        *transaction.ROUTES,
        *redemption.ROUTES,
        *reward.ROUTES,
        *definitions.ROUTES,
        *programme.ROUTES,
        *imports.ROUTES,
        *operations.ROUTES,
        *access.ROUTES,
        *deed.ROUTES,
        *live.ROUTES,
        Mount("/static", StaticFiles(directory=_STATIC)),
    ]
    console = Starlette(
        routes=[Route("/console", _start), Mount(ROOT, routes=pages)],
        exception_handlers={HTTPException: refused, Exception: _failed},
    )
    console.state.services = services
    return Headers(console)


class WithConsole:
    """Sends what is below `/console` there, and everything else to the API."""

    def __init__(self, api: ASGIApp, console: ASGIApp) -> None:
        self._api = api
        self._console = console

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        path = scope.get("path", "")
        ours = path == ROOT or path.startswith(f"{ROOT}/")
        await (self._console if ours else self._api)(scope, receive, send)


async def _start(_request: Request) -> Response:
    return RedirectResponse(f"{ROOT}/", 307)


async def _failed(request: Request, _: Exception) -> Response:
    """Say nothing of the cause; the server logs it, since Starlette raises it again."""
    detail = "Something went wrong on our side. What you did was done wholly or not at all: look."
    return show_plain("refused.html", request, 500, code="internal_error", detail=detail, errors={})
