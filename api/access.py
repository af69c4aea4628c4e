"""Who calls, and whether they may: the dependency each route names with its scope."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any

from fastapi import Depends, HTTPException, Request
from fastapi.security import HTTPBearer

from api.services import services_of
from api.tokens import Caller

# Only for the OpenAPI document and its Authorize button: the header is read below, by one rule.
_documented = HTTPBearer(auto_error=False, description="`ledger token create` makes one.")


def allowed(scope: str) -> Any:
    """The caller, who must have this scope: `caller: Annotated[Caller, allowed("read-rewards")]`.

    Raises:
        HTTPException: 401 without a valid token, 403 without the scope.
    """
    return Depends(_check(scope))


def _check(scope: str) -> Callable[..., Awaitable[Caller]]:
    async def caller_with_scope(
        request: Request, _: Annotated[Any, Depends(_documented)]
    ) -> Caller:
        kind, _, token = request.headers.get("authorization", "").partition(" ")
        caller = None
        if kind.lower() == "bearer" and token.strip():
            caller = await services_of(request).tokens.caller(token.strip())
        if caller is None:
            raise HTTPException(401, headers={"WWW-Authenticate": "Bearer"})
        if not caller.may(scope):
            raise HTTPException(403, f"This token lacks the scope {scope}.")
        return caller

    return caller_with_scope
