"""The route class of all our routers: who calls, with which parameters, and only then the body."""

import re
from collections.abc import Callable, Coroutine
from typing import Any, Final

from fastapi import Request, Response
from fastapi.routing import APIRoute

from api.access import Allowed
from api.answers import answers_of
from api.bodies import LedgerRequest
from api.parameters import DRY_RUN, IDEMPOTENCY_KEY, documented, flag, refuse_unknown
from api.personal import Document
from api.problems import MEDIA_TYPE, SCHEMA, Refused

REFUSALS: Final[dict[int | str, dict[str, Any]]] = {
    status: {"description": text, "content": {MEDIA_TYPE: {"schema": SCHEMA}}}
    for status, text in (
        ("4XX", "Refused: `code` says why, `errors` names the fields at fault."),
        ("5XX", "Not now: repeat it after `Retry-After` seconds, with the same Idempotency-Key."),
    )
}
WRITES: Final = frozenset({"POST", "PUT", "PATCH", "DELETE"})


class LedgerRoute(APIRoute):
    """A route of `APIRouter(route_class=LedgerRoute)`. Every write takes a key and `dry_run`."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        """`openapi_extra` names the parameters the endpoint reads from the request itself."""
        extra = dict(options.pop("openapi_extra", None) or {})
        self.is_write = not WRITES.isdisjoint(options.get("methods") or ())
        if self.is_write:
            common = documented(DRY_RUN, IDEMPOTENCY_KEY)
            extra["parameters"] = [*extra.get("parameters", ()), *common["parameters"]]
        options["summary"] = options.get("summary") or _first_sentence(endpoint)
        if options.get("status_code") is None and "POST" in (options.get("methods") or ()):
            options["status_code"] = 201
        names = {each["name"] for each in extra.get("parameters", ())}
        answers = answers_of(path, names, options.get("status_code") or 200)
        options["responses"] = REFUSALS | answers | (options.get("responses") or {})
        super().__init__(path, endpoint, openapi_extra=extra, **options)

    @property
    def access(self) -> Allowed | None:
        """The scope the route asks for; None is an open route."""
        calls = (dependency.call for dependency in self.dependant.dependencies)
        return next((call for call in calls if isinstance(call, Allowed)), None)

    @property
    def known_parameters(self) -> frozenset[str]:
        """The names its query string may have."""
        extra = (self.openapi_extra or {}).get("parameters", ())
        own = {parameter.alias for parameter in self.dependant.query_params}
        return frozenset(own | {each["name"] for each in extra if each["in"] == "query"})

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Check what comes before the body, then hand our kind of request on."""
        handler = super().get_route_handler()
        access, known = self.access, self.known_parameters
        takes_nothing = self.is_write and self.body_field is None

        async def handle(request: Request) -> Response:
            ours = LedgerRequest(request.scope, request.receive)
            if access is not None:
                await access.check(ours)
            refuse_unknown(ours, known)
            if self.is_write:
                flag(ours, DRY_RUN.name)
            if takes_nothing:
                await _refuse_content(ours)
            answer = await handler(ours)
            return await answer.written(ours) if isinstance(answer, Document) else answer

        return handle


def _first_sentence(endpoint: Callable[..., Any]) -> str:
    """What a list of routes shows of one: the names of functions mean little there."""
    told = " ".join((endpoint.__doc__ or endpoint.__name__).split())
    return re.split(r"(?<=[a-z0-9])[.;:,]\s|\.$", told, maxsplit=1)[0]


async def _refuse_content(request: LedgerRequest) -> None:
    """What a body says here would be silently ignored."""
    if await request.body() and await request.json():
        raise Refused.invalid({"body": ["This request takes no fields; leave its body empty."]})
