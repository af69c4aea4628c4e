"""Every refusal over HTTP in one shape: `application/problem+json`, never with what was sent.

Echoing the input is how FastAPI's own answer to `NaN` becomes an error 500, and how personal data
reaches logs. `message` and `errors` are there for clients of the original platform.
"""

import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.routing import Match, Route

from api.json_body import UnreadableBody, write_json
from schemas.sentences import sentences

MEDIA_TYPE: Final = "application/problem+json"

SCHEMA: Final[Mapping[str, Any]] = {
    "title": "Problem",
    "type": "object",
    "required": ["type", "title", "status", "detail", "code", "message", "errors"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "code": {"type": "string"},
        "message": {"type": "string"},
        "errors": {
            "type": "object",
            "additionalProperties": {"type": "array", "items": {"type": "string"}},
        },
    },
}
"""What every refusal has; some have facts of their own besides, such as `available`."""

_BAD_REQUEST: Final = 400
_SERVER_ERROR: Final = 500

_HTTP_CODES: Final[Mapping[int, tuple[str, str]]] = {
    400: ("bad_request", "The request can't be read."),
    401: ("unauthenticated", "Send a valid bearer token."),
    403: ("forbidden", "This token may not do that."),
    404: ("not_found", "There is nothing at this path."),
    405: ("method_not_allowed", "This path has no such method; see the Allow header."),
    413: ("body_too_large", "Send a smaller body."),
    422: ("unprocessable", "The request can't be carried out as it stands."),
    429: ("too_many_requests", "Wait as long as Retry-After says, then repeat the request."),
    503: ("unavailable", "Repeat the request later, with the same Idempotency-Key."),
}

_TITLES: Final[Mapping[int, str]] = {413: "Content Too Large", 422: "Unprocessable Content"}
"""Python renamed these between versions; an answer shouldn't."""

_INVALID: Final = (
    "validation_failed",
    "The given data was invalid.",
    "The given data was invalid; `errors` says which fields and how to mend them.",
)


def problem(  # noqa: PLR0913 - the fields of the answer
    status: int,
    code: str,
    title: str,
    detail: str,
    errors: dict[str, list[str]] | None = None,
    *,
    headers: Mapping[str, str] | None = None,
    facts: Mapping[str, Any] | None = None,
) -> Response:
    """Give one refusal. `code` never changes its meaning; `errors` is by dotted field path.

    `facts` are members of their own beside the standard ones, such as the `available` balance.
    """
    refused = Refused(status, code, title, detail, errors, headers=headers, facts=facts)
    return refused.response()


class Refused(Exception):
    """A refusal of ours, raised anywhere below a route."""

    def __init__(  # noqa: PLR0913 - the fields of the answer
        self,
        status: int,
        code: str,
        title: str | None,
        detail: str,
        errors: dict[str, list[str]] | None = None,
        *,
        headers: Mapping[str, str] | None = None,
        facts: Mapping[str, Any] | None = None,
    ) -> None:
        """Without a title it is the status's own phrase."""
        super().__init__(detail)
        self.status, self.code, self.title, self.detail = status, code, title, detail
        self.errors, self.headers, self.facts = errors, headers, facts

    @classmethod
    def invalid(cls, errors: dict[str, list[str]]) -> "Refused":
        """What fields or parameters are wrong, and how to mend them."""
        return cls(422, *_INVALID, errors)

    def content(self) -> dict[str, Any]:
        """What the answer says."""
        unauthenticated = self.status == HTTPStatus.UNAUTHORIZED
        content = {
            "type": f"/docs/errors#{self.code}",
            "title": self.title or phrase(self.status),
            "status": self.status,
            "detail": self.detail,
            "code": self.code,
            # The original platform's own word, which its clients compare.
            "message": "Unauthenticated." if unauthenticated else self.detail,
            "errors": self.errors or {},
        }
        return {**(self.facts or {}), **content}

    def response(self) -> Response:
        """The answer."""
        return Response(
            write_json(self.content()), self.status, self.headers, media_type=MEDIA_TYPE
        )


def install(app: FastAPI) -> None:
    """Answer everything the framework refuses by itself in our shape."""
    app.add_exception_handler(Refused, _ours)
    app.add_exception_handler(UnreadableBody, _unreadable)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _refused)
    app.add_exception_handler(Exception, _failed)


async def _ours(_request: Request, error: Exception) -> Response:
    if not isinstance(error, Refused):
        raise error
    return error.response()


async def _unreadable(_request: Request, error: Exception) -> Response:
    if not isinstance(error, UnreadableBody):
        raise error
    return unreadable(error)


async def _invalid(_request: Request, error: Exception) -> Response:
    if not isinstance(error, RequestValidationError):
        raise error
    return Refused.invalid(sentences(error.errors())).response()


async def _refused(request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    status, headers = error.status_code, error.headers
    if status == HTTPStatus.METHOD_NOT_ALLOWED and (methods := _methods_at(request)):
        headers = {"Allow": ", ".join(methods)}
    if status < _BAD_REQUEST:
        return Response(status_code=status, headers=headers)
    title = phrase(status)
    code, sentence = _HTTP_CODES.get(status, (_slug(title), f"{title}."))
    # The framework's own detail is the bare phrase; ours says what to do.
    given = isinstance(error.detail, str) and error.detail not in (
        "",
        title,
        _python_phrase(status),
    )
    detail = error.detail if given and status < _SERVER_ERROR else sentence
    return problem(status, code, title, detail, headers=headers)


def _methods_at(request: Request) -> list[str]:
    """All this path takes; the framework names those of the first route it meets."""
    matching = (
        route.methods or ()
        for route in request.app.routes
        if isinstance(route, Route) and route.matches(request.scope)[0] is Match.PARTIAL
    )
    return sorted({method for methods in matching for method in methods})


async def _failed(_request: Request, _error: Exception) -> Response:
    """Say nothing of the cause; the server logs it, since Starlette raises it again."""
    return problem(
        500,
        "internal_error",
        "Internal Server Error",
        "Something went wrong on our side. Repeat the request with the same Idempotency-Key.",
    )


def unreadable(error: UnreadableBody) -> Response:
    """A body nobody could read."""
    errors = {error.field: [error.detail]}
    return problem(error.status, error.code, phrase(error.status), error.detail, errors)


def phrase(status: int) -> str:
    """What a status is called, by whichever Python."""
    return _TITLES.get(status) or _python_phrase(status)


def _python_phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return f"Status {status}"


def _slug(title: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", title.lower().replace("'", ""))
