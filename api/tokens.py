"""Bearer tokens: shown once, kept as hashes, each with the scopes of what it may do.

Idempotency keys belong to the client, not to the token, so a client may change its tokens.
"""

import hashlib
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import asyncpg

ALL: Final = "*"
SCOPES: Final = (
    "read-reward-definitions",
    "create-reward-definitions",
    "update-reward-definitions",
    "delete-reward-definitions",
    "read-rewards",
    "create-rewards",
    "update-rewards",
    "delete-rewards",
    "redeem-strategy",
    "return",
    "return-policy",
    "read-redemptions",
    "create-transactions",
    "update-transactions",
    "read-transactions",
    "create-transaction-claims",
    "read-transaction-claims",
    "read-profiles",
    "create-profiles",
    "update-profiles",
    "delete-profiles",
    "merge-profiles",
    "read-ledgers",
    "erase-personal-data",
    "exceed-limits",
    "create-imports",
    "read-imports",
    "read-programme",
    "update-programme",
    ALL,
)
"""The original platform's words. `return-policy` lets a return choose its policy; `*` is all.

`exceed-limits` frees from the programme's limits of staff."""

KNOWN_SECONDS: Final = 5.0
"""How long a token is believed before the database is asked again: so long works a revoked one."""
KNOWN_MAX: Final = 10_000
_PREFIX: Final = "ledger_"


@dataclass(frozen=True, slots=True)
class Caller:
    """Whoever holds a valid token."""

    client: str
    name: str
    scopes: frozenset[str]

    def may(self, scope: str) -> bool:
        """Whether the token has a scope."""
        return scope in self.scopes or ALL in self.scopes


class UnknownScope(ValueError):
    """No such scope; the message lists those there are."""

    def __init__(self, scope: str) -> None:
        super().__init__(f"There is no scope {scope!r}. Choose among: {', '.join(SCOPES)}.")


class Tokens:
    """Creates tokens, and tells who holds one."""

    def __init__(self, pool: "asyncpg.Pool[Any]") -> None:
        self._pool = pool
        self._known: dict[bytes, tuple[Caller, float]] = {}

    async def create(self, client: str, scopes: Sequence[str], name: str = "") -> str:
        """A new token of a client's, in the only moment it can be seen.

        Raises:
            UnknownScope: a scope does not exist.
        """
        for scope in scopes:
            if scope not in SCOPES:
                raise UnknownScope(scope)
        token = _PREFIX + secrets.token_urlsafe(32)
        await self._pool.execute(
            "INSERT INTO access.tokens (token_hash, client, name, scopes) VALUES ($1, $2, $3, $4)",
            _hashed(token),
            client,
            name or client,
            list(scopes),
        )
        return token

    async def caller(self, token: str) -> Caller | None:
        """Who holds the token; None when it is unknown or revoked.

        A caller known before is believed while the database can't be asked: the command itself
        needs the database anyway, and is refused there with the right reason.
        """
        token_hash = _hashed(token)
        known = self._known.get(token_hash)
        if known is not None and time.monotonic() - known[1] < KNOWN_SECONDS:
            return known[0]
        try:
            row = await self._pool.fetchrow(
                "SELECT client, name, scopes FROM access.tokens "
                "WHERE token_hash = $1 AND revoked_at IS NULL",
                token_hash,
            )
        except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
            if known is None:
                raise
            return known[0]
        if row is None:
            self._known.pop(token_hash, None)
            return None
        caller = Caller(row["client"], row["name"], frozenset(row["scopes"]))
        if len(self._known) >= KNOWN_MAX:
            self._known.clear()
        self._known[token_hash] = (caller, time.monotonic())
        return caller


def _hashed(token: str) -> bytes:
    # A token has 256 random bits, so a plain hash can't be guessed back.
    return hashlib.sha256(token.encode()).digest()
