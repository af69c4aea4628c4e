"""Every refusal over HTTP in one shape: `application/problem+json`, never with what was sent.

Echoing the input is how FastAPI's own answer to `NaN` becomes an error 500, and how personal data
reaches logs. `message` and `errors` are there for clients of the original platform.
"""

import re
from collections.abc import Callable, Coroutine, Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.json_body import (
    BODY_BYTES_MAX,
    UnreadableBody,
    body_too_large,
    read_json,
    write_json,
)

ERRORS_LISTED_MAX: Final = 100
FIELD_LENGTH_MAX: Final = 200
"""Field names are the caller's words too; a megabyte of them is not sent back."""

MEDIA_TYPE: Final = "application/problem+json"

_BYTES_MAX_KEY: Final = "ledger.body_bytes_max"
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

_SENTENCES: Final[Mapping[str, str]] = {
    "missing": "This field is required.",
    "extra_forbidden": "This field is not known here.",
    "none_required": "This field must be null.",
    "string_type": "Give text.",
    "string_unicode": "Give text without unpaired surrogates.",
    "string_too_long": "Give at most {max_length} characters.",
    "string_too_short": "Give at least {min_length} characters.",
    "string_pattern_mismatch": "Give text of the form {pattern}.",
    "bool_type": "Give true or false.",
    "bool_parsing": "Give true or false.",
    "int_type": "Give a whole number.",
    "int_parsing": "Give a whole number.",
    "int_parsing_size": "Give a smaller whole number.",
    "int_from_float": "Give a whole number.",
    "decimal_type": "Give a decimal number.",
    "decimal_parsing": "Give a decimal number.",
    "decimal_max_places": "Give at most {decimal_places} decimals.",
    "decimal_max_digits": "Give at most {max_digits} digits.",
    "finite_number": "Give a finite number.",
    "greater_than": "Give more than {gt}.",
    "greater_than_equal": "Give {ge} or more.",
    "less_than": "Give less than {lt}.",
    "less_than_equal": "Give {le} or less.",
    "list_type": "Give a list.",
    "dict_type": "Give an object.",
    "model_type": "Give an object.",
    "model_attributes_type": "Give an object, sent with Content-Type: application/json.",
    "too_long": "Give at most {max_length} entries.",
    "too_short": "Give at least {min_length} entries.",
    "literal_error": "Give one of {expected}.",
    "enum": "Give one of {expected}.",
    "union_tag_invalid": "Give one of {expected_tags}.",
    "union_tag_not_found": "Say which kind it is in {discriminator}.",
    "uuid_type": "Give a UUID.",
    "uuid_parsing": "Give a UUID.",
    "date_type": "Give a date as YYYY-MM-DD.",
    "date_parsing": "Give a date as YYYY-MM-DD.",
    "date_from_datetime_parsing": "Give a date as YYYY-MM-DD.",
}
_INVALID: Final = (
    "validation_failed",
    "The given data was invalid.",
    "The given data was invalid; `errors` says which fields and how to mend them.",
)
_UNNAMED_SENTENCE: Final = "This value is not valid here; see the field's description."
_OWN_SENTENCES: Final = {"value_error": "Value error, ", "assertion_error": "Assertion failed, "}


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
    content = {
        "type": f"/docs/errors#{code}",
        "title": title,
        "status": status,
        "detail": detail,
        "code": code,
        # The original platform's own word, which its clients compare.
        "message": "Unauthenticated." if status == HTTPStatus.UNAUTHORIZED else detail,
        "errors": errors or {},
    }
    content = {**(facts or {}), **content}
    return Response(write_json(content), status, headers, media_type=MEDIA_TYPE)


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

    def response(self) -> Response:
        """The answer."""
        return problem(
            self.status,
            self.code,
            self.title or _phrase(self.status),
            self.detail,
            self.errors,
            headers=self.headers,
            facts=self.facts,
        )


def install(app: FastAPI) -> None:
    """Answer everything the framework refuses by itself in our shape."""
    app.add_exception_handler(Refused, _ours)
    app.add_exception_handler(UnreadableBody, _unreadable)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _refused)
    app.add_exception_handler(Exception, _failed)


class LedgerRequest(Request):
    """A request whose JSON is read by our reader, once."""

    async def json(self) -> Any:
        """Give the body with exact numbers; the framework calls this for JSON content types."""
        if not hasattr(self, "_ledger_json"):
            bytes_max = self.scope.get(_BYTES_MAX_KEY, BODY_BYTES_MAX)
            self._ledger_json = read_json(await self.body(), bytes_max)
        return self._ledger_json


class LedgerRoute(APIRoute):
    """The route class of every router of ours: `APIRouter(route_class=LedgerRoute)`."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Hand our kind of request to the framework's handler."""
        handler = super().get_route_handler()

        async def handle_with_exact_numbers(request: Request) -> Response:
            return await handler(LedgerRequest(request.scope, request.receive))

        return handle_with_exact_numbers


class BodyLimit:
    """Stops a body at `bytes_max` while it arrives: Content-Length may be absent, or a lie.

    Starlette's own limit does the same, but answers in plain text.
    """

    def __init__(self, app: ASGIApp, bytes_max: int = BODY_BYTES_MAX) -> None:
        """Wrap `app`; our route class reads the same limit from the request's scope."""
        self._app = app
        self._bytes_max = bytes_max

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse early by Content-Length, and again by counting."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        scope[_BYTES_MAX_KEY] = self._bytes_max
        refusal = body_too_large(self._bytes_max)
        if _announced(scope) > self._bytes_max:
            await _answer(refusal)(scope, receive, send)
            return
        received = 0
        started = False

        async def counting_receive() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > self._bytes_max:
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
            await _answer(error)(scope, receive, send)


async def _ours(_request: Request, error: Exception) -> Response:
    if not isinstance(error, Refused):
        raise error
    return error.response()


async def _unreadable(_request: Request, error: Exception) -> Response:
    if not isinstance(error, UnreadableBody):
        raise error
    return _answer(error)


async def _invalid(_request: Request, error: Exception) -> Response:
    if not isinstance(error, RequestValidationError):
        raise error
    errors: dict[str, list[str]] = {}
    for found in error.errors()[:ERRORS_LISTED_MAX]:
        sentences = errors.setdefault(_field(found["loc"]), [])
        sentence = _sentence(found)
        if sentence not in sentences:
            sentences.append(sentence)
    return Refused.invalid(errors).response()


async def _refused(_request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    status = error.status_code
    if status < _BAD_REQUEST:
        return Response(status_code=status, headers=error.headers)
    phrase = _phrase(status)
    code, sentence = _HTTP_CODES.get(status, (_slug(phrase), f"{phrase}."))
    # The framework's own detail is the bare phrase; ours says what to do.
    given = isinstance(error.detail, str) and error.detail not in (
        "",
        phrase,
        _python_phrase(status),
    )
    detail = error.detail if given and status < _SERVER_ERROR else sentence
    return problem(status, code, phrase, detail, headers=error.headers)


async def _failed(_request: Request, _error: Exception) -> Response:
    """Say nothing of the cause; the server logs it, since Starlette raises it again."""
    return problem(
        500,
        "internal_error",
        "Internal Server Error",
        "Something went wrong on our side. Repeat the request with the same Idempotency-Key.",
    )


def _answer(error: UnreadableBody) -> Response:
    return problem(error.status, error.code, _phrase(error.status), error.detail)


def _announced(scope: Scope) -> int:
    for name, value in scope["headers"]:
        if name == b"content-length" and value.isdigit():
            return int(value[:20])
    return 0


def _phrase(status: int) -> str:
    return _TITLES.get(status) or _python_phrase(status)


def _python_phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return f"Status {status}"


def _slug(phrase: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", phrase.lower().replace("'", ""))


def _field(location: Sequence[int | str]) -> str:
    """Give `items.0.quantity` for `("body", "items", 0, "quantity")`, and `body` for the whole."""
    inner = location[1:] or location
    return ".".join(str(part) for part in inner)[:FIELD_LENGTH_MAX]


def _sentence(found: Mapping[str, Any]) -> str:
    """Only sentences we know: pydantic's own repeat parts of the input for some types."""
    kind = found["type"]
    if kind in _OWN_SENTENCES:
        return str(found["msg"]).removeprefix(_OWN_SENTENCES[kind])
    try:
        return _SENTENCES.get(kind, _UNNAMED_SENTENCE).format_map(found.get("ctx") or {})
    except KeyError:
        return _UNNAMED_SENTENCE
