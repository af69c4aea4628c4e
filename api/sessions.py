"""Sessions of the console: a random secret in a browser, kept here as its hash.

A session is worth what its user or token is worth now: whoever is disabled or revoked is out.
"""

import secrets
import time
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import asyncpg

from api.tokens import KNOWN_MAX, KNOWN_SECONDS, Caller, hashed
from api.users import caller_of

IDLE: Final = "30 minutes"
AT_MOST: Final = "12 hours"
SEEN_SECONDS: Final = 60.0
"""How often it is written down that a session is in use."""

_OPEN: Final = f"""
INSERT INTO access.sessions (session_hash, user_name, token_hash, csrf, expires_at)
VALUES ($1, $2, $3, $4, now() + interval '{AT_MOST}')"""  # noqa: S608
_FIND: Final = f"""
SELECT s.csrf, u.name AS user_name, u.role, t.client, t.name, t.scopes
FROM access.sessions s
LEFT JOIN access.users u ON u.name = s.user_name AND u.disabled_at IS NULL
LEFT JOIN access.tokens t ON t.token_hash = s.token_hash AND t.revoked_at IS NULL
WHERE s.session_hash = $1 AND s.expires_at > now() AND s.seen_at > now() - interval '{IDLE}'
  AND (u.name IS NOT NULL OR t.token_hash IS NOT NULL)"""  # noqa: S608
_FORGET_OLD: Final = (
    f"DELETE FROM access.sessions WHERE expires_at < now() OR seen_at < now() - interval '{IDLE}'"  # noqa: S608
)


class SignedIn(NamedTuple):
    """Whose session it is, and the secret that its forms carry."""

    caller: Caller
    csrf: str


@dataclass(frozen=True, slots=True)
class _Known:
    signed_in: SignedIn
    asked: float
    seen: float
    """When it was last written down that it is in use, on the clock of this process."""


class Sessions:
    """Opens and ends sessions, and tells whose one is."""

    def __init__(self, pool: "asyncpg.Pool[Any]") -> None:
        self._pool = pool
        self._known: dict[bytes, _Known] = {}

    async def open(self, *, user: str | None = None, token: str | None = None) -> str:
        """A session of a user's, or of a token's holder; its secret is for the browser alone.

        Whoever opens it has just been found right by `Users.authenticate` or `Tokens.caller`.
        """
        secret = secrets.token_urlsafe(32)
        await self._pool.execute(_FORGET_OLD)
        await self._pool.execute(
            _OPEN,
            hashed(secret),
            user,
            None if token is None else hashed(token),
            secrets.token_urlsafe(32),
        )
        return secret

    async def caller(self, secret: str, *, seen: bool = True) -> SignedIn | None:
        """Whose session it is; None when there is none, or it has ended.

        It is believed for as long as a token is. What a page asks by itself is not `seen`: it
        must not keep a session from ending while nobody is there.
        """
        session_hash = hashed(secret)
        known = self._known.get(session_hash)
        if known is None or time.monotonic() - known.asked >= KNOWN_SECONDS:
            known = await self._asked(session_hash, known)
        if known is None:
            return None
        if seen and time.monotonic() - known.seen >= SEEN_SECONDS:
            known = _Known(known.signed_in, known.asked, time.monotonic())
            self._known[session_hash] = known
            await self._pool.execute(
                "UPDATE access.sessions SET seen_at = now() WHERE session_hash = $1", session_hash
            )
        return known.signed_in

    async def close(self, secret: str) -> None:
        """End a session; again is fine."""
        session_hash = hashed(secret)
        self._known.pop(session_hash, None)
        await self._pool.execute(
            "DELETE FROM access.sessions WHERE session_hash = $1", session_hash
        )

    async def _asked(self, session_hash: bytes, known: _Known | None) -> _Known | None:
        row = await self._pool.fetchrow(_FIND, session_hash)
        if row is None:
            self._known.pop(session_hash, None)
            return None
        if row["user_name"] is not None:
            caller = caller_of(row["user_name"], row["role"])
        else:
            caller = Caller(row["client"], row["name"], frozenset(row["scopes"]))
        if len(self._known) >= KNOWN_MAX:
            self._known.clear()
        seen = float("-inf") if known is None else known.seen
        found = _Known(SignedIn(caller, row["csrf"]), time.monotonic(), seen)
        self._known[session_hash] = found
        return found
