"""A page: who asks, the ledger as they may ask it, and how an answer is written."""

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Final
from urllib.parse import quote, urlencode
from uuid import uuid4

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from api.sessions import SignedIn
from api.tokens import Caller
from console.formats import Formats, as_json, locale_of, query, words
from console.forms import FORM_BYTES_MAX, read_form
from console.ledger_api import LedgerApi, Refusal
from console.menu import MENU
from console.security import FIELD, from_our_origin, is_of, is_private
from console.services import services_of

ROOT: Final = "/console"
COOKIE: Final = "__Host-ledger"
DONE: Final = {
    "issue": "The reward is issued.",
    "redeem": "The amount is redeemed.",
    "merge": "The two profiles are one now.",
    "extend": "The reward is extended.",
    "adjust": "The reward is adjusted.",
    "revoke": "The reward is revoked.",
    "reassign": "The reward belongs to the other profile now.",
    "link": "The redemption belongs to the sale now.",
    "reverse": "The redemption is reversed.",
    "return": "The value is given back.",
    "capture": "The held value is redeemed.",
    "release": "The held value is free again.",
    "revoked-token": "The token is revoked.",
    "user": "They can sign in now.",
    "user-changed": "The user is changed.",
    "added": "The definition is there.",
    "changed": "The definition is changed.",
    "archived": "The definition is archived: nothing more is issued under it.",
}
"""What a page says after a deed, by the word its address has."""
_KEY: Final = re.compile(r"console-[A-Za-z0-9-]{1,80}")
_STALE: Final = "This form is not from here, or too old. Open the page again."
_CODES: Final = {404: "not_found", 405: "not_found", 413: "body_too_large"}
Handler = Callable[["Page"], Awaitable[Response]]

_templates = Environment(
    loader=PackageLoader("console"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


@dataclass
class Page:
    """One request to the console by somebody who is signed in."""

    request: Request
    signed: SignedIn
    formats: Formats
    form: Mapping[str, Any] = field(default_factory=dict)
    """What a form has sent; files are `UploadFile`s."""

    @property
    def caller(self) -> Caller:
        """Who asks."""
        return self.signed.caller

    @cached_property
    def ledger(self) -> LedgerApi:
        """The ledger, as far as they may ask it."""
        return LedgerApi(services_of(self.request).api, self.caller)

    def may(self, scope: str) -> bool:
        """Whether they have a scope."""
        return self.caller.may(scope)

    def require(self, scope: str) -> None:
        """Go on only with a scope.

        Raises:
            Refusal: they have not.
        """
        if not self.may(scope):
            detail = f"Your role does not include {words(scope)}."
            raise Refusal(403, {"code": "forbidden", "detail": detail})

    def part(self, name: str) -> str:
        """A part of the path."""
        return str(self.request.path_params[name])

    def parameter(self, name: str) -> str | None:
        """A parameter of the query, or None where it is left out or empty."""
        return self.request.query_params.get(name) or None

    def sent(self, name: str) -> str:
        """A text field of the form; empty where it is missing."""
        value = self.form.get(name, "")
        return value.strip() if isinstance(value, str) else ""

    @property
    def key(self) -> str:
        """The idempotency key that a page of ours put into its form.

        Raises:
            Refusal: it is none of ours.
        """
        if not _KEY.fullmatch(self.sent("key")):
            raise Refusal(422, {"code": "stale_form", "detail": _STALE})
        return self.sent("key")

    def done(self) -> str | None:
        """What has just been done, where a form led here; a link says no more than it knows."""
        return DONE.get(self.parameter("done") or "")

    def show(self, template: str, status: int = 200, **context: Any) -> Response:
        """The page of a template."""
        return _show(template, status, self.formats, page=self, **context)

    def go(self, path: str, **parameters: Any) -> Response:
        """On to another page, as after a form."""
        return RedirectResponse(link(path, **parameters), 303)


def link(path: str, **parameters: Any) -> str:
    """The address of a page of the console."""
    found = urlencode(query(parameters))
    return f"{ROOT}{quote(path, safe='/~')}{'?' if found else ''}{found}"


def new_key() -> str:
    """An idempotency key for a form."""
    return f"console-{uuid4()}"


def page(
    path: str,
    handler: Handler,
    *,
    scope: str | None = None,
    methods: tuple[str, ...] = ("GET",),
    bytes_max: int = FORM_BYTES_MAX,
) -> Route:
    """A page at a path, for those who have a scope; it takes forms of so many bytes."""

    async def answer(request: Request) -> Response:
        refused = insecure(request)
        if refused is not None:
            return refused
        signed = await signed_in(request)
        if signed is None:
            return _to_sign_in(request)
        asked = _page(request, signed)
        try:
            if scope is not None:
                asked.require(scope)
            if request.method == "POST":
                await _take_form(asked, bytes_max)
            return await handler(asked)
        except Refusal as refusal:
            told = {"code": refusal.code, "detail": refusal.detail, "errors": refusal.errors}
            return asked.show("refused.html", refusal.status, **told)

    return Route(path, answer, methods=list(methods))


async def signed_in(request: Request) -> SignedIn | None:
    """Who holds the request's cookie."""
    secret = request.cookies.get(COOKIE)
    if not secret:
        return None
    return await services_of(request).ledger.sessions.caller(secret)


def insecure(request: Request) -> Response | None:
    """The page that says why, where somebody could read along."""
    if is_private(request):
        return None
    return show_plain("insecure.html", request, 403)


def show_plain(template: str, request: Request, status: int = 200, **context: Any) -> Response:
    """A page for somebody who is not signed in."""
    return _show(template, status, _formats(request), page=None, **context)


def _to_sign_in(request: Request) -> Response:
    """And back here afterwards; a form that was under way is not sent again by itself."""
    asked = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    if request.method != "GET":
        asked = ROOT
    return RedirectResponse(link("/sign-in", next=asked), 303)


def _page(request: Request, signed: SignedIn) -> Page:
    settings = services_of(request).ledger.settings
    formats = replace(_formats(request), zone=settings.zone, currency=settings.currency)
    return Page(request, signed, formats)


def _formats(request: Request) -> Formats:
    return Formats(locale_of(request.headers.get("accept-language", "")))


async def _take_form(page_: Page, bytes_max: int) -> None:
    stale = Refusal(403, {"code": "stale_form", "detail": _STALE})
    if not from_our_origin(page_.request):
        raise stale
    page_.form = await read_form(page_.request, bytes_max)
    if not is_of(page_.signed.csrf, page_.sent(FIELD)):
        raise stale


async def refused(request: Request, error: Exception) -> Response:
    """What the framework refuses, as a page; with the way on for those who are signed in."""
    assert isinstance(error, HTTPException)
    status = error.status_code
    detail = "There is no page of this name." if status in (404, 405) else error.detail
    told = {"code": _CODES.get(status, "bad_request"), "detail": detail, "errors": {}}
    signed = None if insecure(request) else await signed_in(request)
    if signed is None:
        answer = show_plain("refused.html", request, status, **told)
    else:
        answer = _page(request, signed).show("refused.html", status, **told)
    answer.headers.update(error.headers or {})
    return answer


def _show(template: str, status: int, formats: Formats, **context: Any) -> Response:
    text = _templates.get_template(template).render(
        formats=formats,
        money=formats.money,
        signed=formats.signed,
        number=formats.number,
        moment=formats.moment,
        day=formats.day,
        words=words,
        as_json=as_json,
        link=link,
        menu=MENU,
        **context,
    )
    return HTMLResponse(text, status)
