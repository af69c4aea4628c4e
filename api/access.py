"""Who calls, and whether they may: the dependency each route names with its scope."""

from typing import Annotated, Any, Final

from fastapi import Depends, HTTPException, Request
from fastapi.security import HTTPBearer
from starlette.types import ASGIApp, Receive, Scope, Send

from api.services import services_of
from api.tokens import Caller

# Only for the OpenAPI document and its Authorize button: the header is read below, by one rule.
_documented = HTTPBearer(auto_error=False, description="`ledger token create` makes one.")
_CALLER: Final = "ledger.caller"


class Allowed:
    """The caller, who must have a scope. The route asks before it reads a body."""

    def __init__(self, scope: str) -> None:
        """`scope` is one of `api.tokens.SCOPES`."""
        self.scope = scope

    async def __call__(self, request: Request, _: Annotated[Any, Depends(_documented)]) -> Caller:
        """Give the caller.

        Raises:
            HTTPException: 401 without a valid token, 403 without the scope.
        """
        return await self.check(request)

    async def check(self, request: Request) -> Caller:
        """Give the caller of a request, found once."""
        caller: Caller | None = request.scope.get(_CALLER)
        if caller is None:
            caller = await _caller(request)
            request.scope[_CALLER] = caller
        if not caller.may(self.scope):
            raise HTTPException(403, f"This token lacks the scope {self.scope}.")
        return caller


def allowed(scope: str) -> Any:
    """Name a route's scope: `caller: Annotated[Caller, allowed("read-rewards")]`."""
    return Depends(Allowed(scope))


def calling_as(application: ASGIApp, caller: Caller) -> ASGIApp:
    """The application as it answers somebody who is known already, whatever the headers say."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        await application({**scope, _CALLER: caller}, receive, send)

    return answer


def refuse_without(caller: Caller, scope: str) -> None:
    """Ask for a second scope, beside the route's own.

    Raises:
        HTTPException: 403, the token lacks it.
    """
    if not caller.may(scope):
        raise HTTPException(403, f"This token lacks the scope {scope}.")


async def _caller(request: Request) -> Caller:
    sent = request.headers.getlist("authorization")
    kind, _, token = sent[0].partition(" ") if len(sent) == 1 else ("", "", "")
    caller = None
    if kind.lower() == "bearer" and token.strip():
        caller = await services_of(request).tokens.caller(token.strip())
    if caller is None:
        raise HTTPException(401, headers={"WWW-Authenticate": "Bearer"})
    return caller
