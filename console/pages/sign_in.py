"""Signing in, with a user's password or an API token, and out again."""

from collections.abc import Mapping
from typing import Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from api.services import Services
from api.users import TryLater
from console.forms import read_form
from console.page import COOKIE, ROOT, Page, insecure, page, show_plain, signed_in
from console.security import from_our_origin
from console.services import services_of

FORM_BYTES_MAX: Final = 8 * 1024


class Wrong(Exception):
    """Nobody can be signed in like this; the message says why."""


async def ask(request: Request) -> Response:
    """The form."""
    refused = insecure(request)
    if refused is not None:
        return refused
    if await signed_in(request) is not None:
        return RedirectResponse(_next(request), 303)
    return _form(request)


async def sign_in(request: Request) -> Response:
    """Begin a session, and go on to where the way led."""
    refused = insecure(request)
    if refused is not None:
        return refused
    form = await read_form(request, FORM_BYTES_MAX)
    given = {name: value for name, value in form.items() if isinstance(value, str)}
    ledger = services_of(request).ledger
    try:
        if not from_our_origin(request):
            raise Wrong("This form is not from here.")
        secret = await _session(ledger, given)
    except Wrong as wrong:
        return _form(request, str(wrong), given.get("name", ""))
    # The session of a moment ago, perhaps of somebody else, ends with this one's beginning.
    await ledger.sessions.close(request.cookies.get(COOKIE, ""))
    answer = RedirectResponse(_next(request), 303)
    answer.set_cookie(COOKIE, secret, path="/", secure=True, httponly=True, samesite="lax")
    return answer


async def sign_out(page_: Page) -> Response:
    """End the session here and now, wherever else its cookie may be."""
    await services_of(page_.request).ledger.sessions.close(page_.request.cookies[COOKIE])
    answer = page_.go("/sign-in")
    answer.delete_cookie(COOKIE, path="/", secure=True, httponly=True, samesite="lax")
    return answer


async def _session(services: Services, given: Mapping[str, str]) -> str:
    token = given.get("token", "").strip()
    if token:
        if await services.tokens.caller(token) is None:
            raise Wrong("The ledger does not know this token, or it was revoked.")
        return await services.sessions.open(token=token)
    try:
        caller = await services.users.authenticate(given.get("name", ""), given.get("password", ""))
    except TryLater as later:
        raise Wrong(str(later)) from None
    if caller is None:
        raise Wrong("This name and password don't match.")
    return await services.sessions.open(user=caller.name)


def _form(request: Request, wrong: str | None = None, name: str = "") -> Response:
    status = 200 if wrong is None else 422
    shown = {"next": _next(request), "wrong": wrong, "name": name[:100]}
    return show_plain("sign_in.html", request, status, **shown)


def _next(request: Request) -> str:
    """A page of ours, and of nobody else's."""
    asked = request.query_params.get("next", "")
    is_ours = asked == ROOT or asked.startswith((f"{ROOT}/", f"{ROOT}?"))
    return asked if is_ours and asked.isprintable() and "\\" not in asked else f"{ROOT}/"


ROUTES: Final = (
    Route("/sign-in", ask, methods=["GET"]),
    Route("/sign-in", sign_in, methods=["POST"]),
    page("/sign-out", sign_out, methods=("POST",)),
)
