"""Nobody gives to others what they have not, or takes over somebody who has more."""

from collections.abc import Collection

from fastapi import HTTPException

from api.roles import lacking
from api.tokens import Caller


def refuse_granting(caller: Caller, scopes: Collection[str]) -> None:
    """Ask that a caller has all of the scopes.

    Raises:
        HTTPException: 403, the caller has not.
    """
    missing = lacking(caller, scopes)
    if missing:
        raise HTTPException(403, f"You can't grant what you may not do: {', '.join(missing)}.")
