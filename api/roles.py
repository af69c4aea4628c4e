"""Roles: what a person may do, as the scopes a token would have."""

from collections.abc import Collection, Mapping
from typing import Final, Literal

from api.tokens import ALL, SCOPES, Caller

Role = Literal["read-only", "staff", "admin"]

READ_ONLY: Final = frozenset(scope for scope in SCOPES if scope.startswith("read-"))
STAFF: Final = READ_ONLY | {
    "create-rewards",
    "update-rewards",
    "delete-rewards",
    "redeem-strategy",
    "return",
    "create-profiles",
    "update-profiles",
    "create-identities",
    "create-transactions",
    "update-transactions",
}
"""What is done at a counter, within the programme's limits of staff."""

SCOPES_OF: Final[Mapping[Role, frozenset[str]]] = {
    "read-only": READ_ONLY,
    "staff": STAFF,
    "admin": frozenset({ALL}),
}


def lacking(caller: Caller, scopes: Collection[str]) -> list[str]:
    """Those of the scopes the caller has not: what it can't do, it can't let others do."""
    return sorted(scope for scope in scopes if not caller.may(scope))
