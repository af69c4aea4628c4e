"""Somebody who may do everything always remains: nobody can lock everybody out."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

_LOCK: Final = "SELECT pg_advisory_xact_lock(hashtextextended('access', 0))"
_ADMIN_USER: Final = (
    "SELECT EXISTS (SELECT FROM access.users WHERE role = 'admin' AND disabled_at IS NULL)"
)
_OF_EVERYTHING: Final = (
    "SELECT EXISTS (SELECT FROM access.tokens WHERE revoked_at IS NULL AND '*' = ANY(scopes))"
)


class LastAdministrator(Exception):
    """After it nobody could administer access any more."""


@asynccontextmanager
async def one_at_a_time(connection: Any, *, dry_run: bool = False) -> AsyncIterator[None]:
    """A transaction no other runs beside: two can't take the last administrators away together.

    A dry run is taken back.
    """
    transaction = connection.transaction()
    await transaction.start()
    try:
        await connection.execute(_LOCK)
        yield
    except BaseException:
        await transaction.rollback()
        raise
    await (transaction.rollback() if dry_run else transaction.commit())


async def refuse_without_admin_user(connection: Any) -> None:
    """After a user has ceased to be an admin.

    Raises:
        LastAdministrator: there is no other.
    """
    if not await connection.fetchval(_ADMIN_USER):
        raise LastAdministrator("This is the last admin; make another one first.")


async def refuse_without_administrator(connection: Any) -> None:
    """After a token with all scopes was revoked.

    Raises:
        LastAdministrator: no other token and no user may do everything.
    """
    if await connection.fetchval(_OF_EVERYTHING) or await connection.fetchval(_ADMIN_USER):
        return
    raise LastAdministrator(
        "This is the last token that may do everything, and there is no admin; make one first."
    )
