"""Bearer tokens: shown once, kept as hashes, each with the scopes of what it may do.

Idempotency keys belong to the client, not to the token, so a client may change its tokens.
"""

import asyncio
import hashlib
import secrets
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

import asyncpg
import structlog

from api.administrators import one_at_a_time, refuse_without_administrator
from api.making_once import AlreadyMade, Request, made_before, take

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
    "read-identities",
    "create-identities",
    "delete-identities",
    "read-ledgers",
    "erase-personal-data",
    "exceed-limits",
    "create-imports",
    "read-imports",
    "read-programme",
    "update-programme",
    "manage-access",
    "read-operations",
    ALL,
)
"""The original platform's words. `return-policy` lets a return choose its policy; `*` is all.

`exceed-limits` frees from the programme's limits of staff."""

KNOWN_SECONDS: Final = 5.0
"""How long a token is believed before the database is asked again: so long works a revoked one."""
KNOWN_MAX: Final = 10_000
USES_SECONDS: Final = 60.0
"""How often it is written down which tokens were used."""
COMMAND_LINE: Final = "command line"
"""Who made what no caller has made."""

AWAY: Final = (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError)
"""The database can't be asked."""

_PREFIX: Final = "ledger_"
_SHOWN: Final = (
    "id, client, name, scopes, created_at, created_by, last_used_at, revoked_at, revoked_by"
)
_MAKE: Final = (
    "INSERT INTO access.tokens (token_hash, client, name, scopes, created_by) "  # noqa: S608
    f"VALUES ($1, $2, $3, $4, $5) RETURNING {_SHOWN}"
)

Row = Mapping[str, Any]

log = structlog.get_logger("access")


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


@dataclass(frozen=True, slots=True)
class NewToken:
    """What a token is to be. `name` is a note for people."""

    client: str
    scopes: Sequence[str]
    name: str = ""
    created_by: str = COMMAND_LINE


@dataclass(frozen=True, slots=True)
class Made:
    """A token that was made, and the only sight of it: None where a repeat asks again."""

    row: Row
    secret: str | None


class Tokens:
    """Makes and revokes tokens, and tells who holds one."""

    def __init__(self, pool: "asyncpg.Pool[Any]") -> None:
        self._pool = pool
        self._known: dict[bytes, tuple[Caller, float]] = {}
        self._used: set[bytes] = set()
        self._stopping = asyncio.Event()

    async def create(self, client: str, scopes: Sequence[str], name: str = "") -> str:
        """A new token of a client's, in the only moment it can be seen.

        Raises:
            UnknownScope: a scope does not exist.
        """
        made = await self.make(NewToken(client, scopes, name))
        assert made.secret is not None
        return made.secret

    async def make(self, new: NewToken, request: Request | None = None) -> Made:
        """A new token, or the one the same request has made before.

        Raises:
            UnknownScope: a scope does not exist.
            Refused: 422, another request came under its key.
        """
        for scope in new.scopes:
            if scope not in SCOPES:
                raise UnknownScope(scope)
        secret = _PREFIX + secrets.token_urlsafe(32)
        async with self._pool.acquire() as connection:
            with suppress(AlreadyMade):
                async with connection.transaction():
                    row = await connection.fetchrow(
                        _MAKE,
                        hashed(secret),
                        new.client,
                        new.name or new.client,
                        list(new.scopes),
                        new.created_by,
                    )
                    assert row is not None
                    await take(connection, request, str(row["id"]))
                return Made(row, secret)
            token_id = await made_before(connection, request)
        assert token_id is not None
        row = await self.read(int(token_id))
        assert row is not None
        return Made(row, None)

    async def read(self, token_id: int) -> Row | None:
        """A token, revoked or not."""
        return await self._pool.fetchrow(
            f"SELECT {_SHOWN} FROM access.tokens WHERE id = $1",  # noqa: S608
            token_id,
        )

    async def list(self) -> Sequence[Row]:
        """All tokens, the newest first."""
        return await self._pool.fetch(
            f"SELECT {_SHOWN} FROM access.tokens ORDER BY id DESC"  # noqa: S608
        )

    async def revoke(self, token_id: int, by: str = COMMAND_LINE, *, dry_run: bool = False) -> bool:
        """End a token; whether there is one. Again changes nothing.

        Raises:
            LastAdministrator: nobody could administer access any more.
        """
        async with (
            self._pool.acquire() as connection,
            one_at_a_time(connection, dry_run=dry_run),
        ):
            row = await connection.fetchrow(
                "SELECT token_hash, scopes, revoked_at FROM access.tokens WHERE id = $1", token_id
            )
            if row is None or row["revoked_at"] is not None:
                return row is not None
            await connection.execute(
                "UPDATE access.tokens SET revoked_at = now(), revoked_by = $2 WHERE id = $1",
                token_id,
                by,
            )
            if ALL in row["scopes"]:
                await refuse_without_administrator(connection)
        self._known.pop(row["token_hash"], None)
        return True

    async def caller(self, token: str) -> Caller | None:
        """Who holds the token; None when it is unknown or revoked.

        A caller known before is believed while the database can't be asked: the command itself
        needs the database anyway, and is refused there with the right reason.
        """
        token_hash = hashed(token)
        known = self._known.get(token_hash)
        if known is not None and time.monotonic() - known[1] < KNOWN_SECONDS:
            self._used.add(token_hash)
            return known[0]
        try:
            row = await self._pool.fetchrow(
                "SELECT client, name, scopes FROM access.tokens "
                "WHERE token_hash = $1 AND revoked_at IS NULL",
                token_hash,
            )
        except AWAY:
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
        self._used.add(token_hash)
        return caller

    async def note_uses(self) -> None:
        """Write down which tokens were used since the last time, all of them in one statement."""
        used, self._used = self._used, set()
        if not used:
            return
        try:
            await self._pool.execute(
                "UPDATE access.tokens SET last_used_at = now() WHERE token_hash = ANY($1)",
                list(used),
            )
        except AWAY as error:
            self._used |= used
            log.warning("uses_of_tokens_not_noted", error=repr(error))

    async def run(self) -> None:
        """Note uses again and again until `stop()`: no request waits for it."""
        while not self._stopping.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), USES_SECONDS)
            await self.note_uses()

    async def stop(self) -> None:
        """End `run()`, with what it has not written down yet."""
        self._stopping.set()


def hashed(secret: str) -> bytes:
    """What is kept of a token or session: it has 256 random bits, which no hash gives back."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()
