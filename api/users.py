"""Users: people with a password and a role, who sign in to the console.

Guessing is slowed by the name that is tried, whether there is such a user or not, so neither the
answer nor its time tells who there is.
"""

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from math import ceil
from typing import Any, Final

import asyncpg

from api.administrators import one_at_a_time, refuse_without_admin_user
from api.making_once import AlreadyMade, Request, made_before, take
from api.passwords import Passwords, TooManyAtOnce
from api.roles import SCOPES_OF, Role
from api.tokens import COMMAND_LINE, Caller

CLIENT: Final = "console"
NAME: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
"""No e-mail address: a user's name stands in clear beside every event of the user's doing."""
FREE_FAILURES: Final = 4
"""So many failures cost no time; each more doubles the wait before the next attempt."""
WAIT_SECONDS_MAX: Final = 300
FORGOTTEN_AFTER: Final = "1 day"
DIFFERENT_MIN: Final = 5

_SHOWN: Final = (
    "name, role, created_at, created_by, changed_at, changed_by, signed_in_at, disabled_at"
)
_MAKE: Final = (
    "INSERT INTO access.users (name, role, password_hash, created_by, changed_by) "  # noqa: S608
    f"VALUES ($1, $2, $3, $4, $4) ON CONFLICT DO NOTHING RETURNING {_SHOWN}"
)
_ATTEMPT: Final = f"""
INSERT INTO access.failed_sign_ins AS f (name_hash, failures, failed_at, blocked_until)
VALUES ($1, 1, now(), now())
ON CONFLICT (name_hash) DO UPDATE SET
  failures = least(f.failures + 1, 100), failed_at = now(),
  blocked_until = now() + make_interval(secs => CASE WHEN f.failures < {FREE_FAILURES} THEN 0
    ELSE least({WAIT_SECONDS_MAX}, power(2, f.failures - {FREE_FAILURES} + 1)) END)
WHERE f.blocked_until <= now()
RETURNING true"""  # noqa: S608
_FORGET_OLD: Final = (
    f"DELETE FROM access.failed_sign_ins WHERE failed_at < now() - interval '{FORGOTTEN_AFTER}'"  # noqa: S608
)
_CHANGE: Final = f"""
UPDATE access.users SET
  role = coalesce($2, role), password_hash = coalesce($3, password_hash),
  disabled_at = CASE WHEN $4::boolean THEN coalesce(disabled_at, now())
    WHEN NOT $4::boolean THEN NULL ELSE disabled_at END,
  changed_at = now(), changed_by = $5
WHERE name = $1 RETURNING {_SHOWN}"""  # noqa: S608

Row = Mapping[str, Any]


class UserExists(Exception):
    """There is a user of this name."""


class TryLater(Exception):
    """Nothing was looked at; `seconds` from now it will be."""

    def __init__(self, seconds: int) -> None:
        super().__init__(f"Too many attempts; try again in {seconds} seconds.")
        self.seconds = seconds


@dataclass(frozen=True, slots=True)
class NewUser:
    """Who is to be able to sign in."""

    name: str
    role: Role
    password: str
    created_by: str = COMMAND_LINE


@dataclass(frozen=True, slots=True)
class UserChanges:
    """What of a user is to be otherwise; None leaves it."""

    role: Role | None = None
    password: str | None = None
    disabled: bool | None = None
    changed_by: str = COMMAND_LINE


Vet = Callable[[Role], None]
"""Raises where somebody of this role may not be changed."""


def anybody(_: Role) -> None:
    """Nobody is refused."""


class Users:
    """Makes and changes users, and tells who signs in."""

    def __init__(self, pool: "asyncpg.Pool[Any]") -> None:
        self._pool = pool
        self._passwords = Passwords()

    async def create(self, new: NewUser, request: Request | None = None) -> tuple[Row, bool]:
        """A new user, or the one the same request has made before; and whether it is new.

        Raises:
            UserExists: there is one of this name.
            TryLater: too many passwords are being looked at.
            Refused: 422, another request came under its key.
        """
        if await made_before(self._pool, request) is None:
            password_hash = await self._hashed(new.password)
            with suppress(AlreadyMade):
                return await self._inserted(new, password_hash, request), True
        row = await self.read(str(await made_before(self._pool, request)))
        assert row is not None
        return row, False

    async def _inserted(self, new: NewUser, password_hash: str, request: Request | None) -> Row:
        async with self._pool.acquire() as connection, connection.transaction():
            await take(connection, request, new.name)
            row: Row | None = await connection.fetchrow(
                _MAKE,
                new.name,
                new.role,
                password_hash,
                new.created_by,
            )
            if row is None:
                raise UserExists
            return row

    async def read(self, name: str) -> Row | None:
        """A user, disabled or not."""
        return await self._pool.fetchrow(
            f"SELECT {_SHOWN} FROM access.users WHERE name = $1",  # noqa: S608
            name,
        )

    async def list(self) -> Sequence[Row]:
        """All users by name."""
        return await self._pool.fetch(
            f"SELECT {_SHOWN} FROM access.users ORDER BY name"  # noqa: S608
        )

    async def change(
        self, name: str, changes: UserChanges, vet: Vet = anybody, *, dry_run: bool = False
    ) -> Row | None:
        """The user after a change; None where there is no such user.

        `vet` may refuse by the role the user has. A new password ends the sessions of the old one,
        and disabling all of them.

        Raises:
            LastAdministrator: no admin would be left.
            TryLater: too many passwords are being looked at.
        """
        new = changes.password
        password_hash = None if new is None else await self._hashed(new)
        async with (
            self._pool.acquire() as connection,
            one_at_a_time(connection, dry_run=dry_run),
        ):
            before = await connection.fetchrow(
                "SELECT role, disabled_at FROM access.users WHERE name = $1", name
            )
            if before is None:
                return None
            vet(before["role"])
            row: Row | None = await connection.fetchrow(
                _CHANGE, name, changes.role, password_hash, changes.disabled, changes.changed_by
            )
            assert row is not None
            if _is_admin(before) and not _is_admin(row):
                await refuse_without_admin_user(connection)
            if changes.disabled or password_hash is not None:
                await connection.execute("DELETE FROM access.sessions WHERE user_name = $1", name)
            if password_hash is not None:
                await self._forget_failures(name, connection)
            return row

    async def authenticate(self, name: str, password: str) -> Caller | None:
        """Who signs in; None where name and password don't fit, or the user is disabled.

        Raises:
            TryLater: the name was tried too often, or too many sign in at once.
        """
        if self._passwords.busy:
            raise TryLater(1)
        name = name.strip().casefold()
        await self._count(name)
        known = NAME.fullmatch(name) is not None
        row = known and await self._pool.fetchrow(
            "SELECT role, password_hash FROM access.users WHERE name = $1 AND disabled_at IS NULL",
            name,
        )
        try:
            fits = await self._passwords.fits(password, row["password_hash"] if row else None)
        except TooManyAtOnce:
            raise TryLater(1) from None
        if not row or not fits:
            return None
        await self._forget_failures(name, self._pool)
        await self._pool.execute(
            "UPDATE access.users SET signed_in_at = now() WHERE name = $1", name
        )
        return caller_of(name, row["role"])

    async def _count(self, name: str) -> None:
        """Every attempt counts as failed until it has succeeded: also of many at once."""
        name_hash = _hash_of(name)
        if not await self._pool.fetchval(_ATTEMPT, name_hash):
            seconds = await self._pool.fetchval(
                "SELECT extract(epoch FROM blocked_until - now())::float8 "
                "FROM access.failed_sign_ins WHERE name_hash = $1",
                name_hash,
            )
            raise TryLater(max(1, ceil(seconds or 1)))
        await self._pool.execute(_FORGET_OLD)

    async def _forget_failures(self, name: str, connection: Any) -> None:
        await connection.execute(
            "DELETE FROM access.failed_sign_ins WHERE name_hash = $1", _hash_of(name)
        )

    async def _hashed(self, password: str) -> str:
        try:
            return await self._passwords.hashed(password)
        except TooManyAtOnce:
            raise TryLater(1) from None


def caller_of(name: str, role: Role) -> Caller:
    """A user as the caller of the API: the console is the client."""
    return Caller(CLIENT, name, SCOPES_OF[role])


def weakness(name: str, password: str) -> str | None:
    """What is wrong with a new password, its length aside; None where nothing is."""
    if password.casefold() == name:
        return "Choose a password that isn't the name."
    if len(set(password)) < DIFFERENT_MIN:
        return f"Choose a password with at least {DIFFERENT_MIN} different characters."
    return None


def _is_admin(row: Row) -> bool:
    return row["role"] == "admin" and row["disabled_at"] is None


def _hash_of(name: str) -> bytes:
    return hashlib.sha256(name.encode("utf-8", "surrogatepass")).digest()
