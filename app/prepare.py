"""Makes a database ready for this version: the log, the read models, the application's rights."""

from collections.abc import Callable
from typing import Any
from urllib.parse import unquote, urlsplit

import asyncpg
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, wait_exponential

from app.database.migrate import UnsuitableDatabase, migrate
from projections import schema

APPLICATION_ROLE = "ledger_application"
CONNECT_SECONDS_MAX = 10.0
RETRY_SECONDS_MAX = 5.0

_IS_MEMBER = "SELECT pg_has_role(:login, :role, 'MEMBER') FROM pg_roles WHERE rolname = :login"


class NotPrepared(Exception):
    """The database could not be made ready; the message says why and what to do."""


async def prepare(owner_url: str, application_url: str | None = None) -> None:
    """Migrate, create what the read side needs, let the application's login in. Repeats are fine.

    Raises:
        NotPrepared: the database is not suitable, can't be reached, or refuses.
    """
    try:
        await migrate(owner_url)
        await _create_read_models(owner_url, _login(application_url or owner_url))
    except UnsuitableDatabase as error:
        raise NotPrepared(str(error)) from error
    except (DBAPIError, asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
        raise NotPrepared(f"{place(owner_url)} could not be migrated: {_cause(error)}") from error


async def until_reachable(url: str, told: Callable[[str], None]) -> None:
    """Return when PostgreSQL answers, whatever it says; `told` learns what is waited for."""

    def tell(state: RetryCallState) -> None:
        told(
            f"waiting for PostgreSQL at {place(url)}: {state.outcome and state.outcome.exception()}"
        )

    async for attempt in AsyncRetrying(
        retry=retry_if_exception_type(OSError),
        wait=wait_exponential(multiplier=0.2, max=RETRY_SECONDS_MAX),
        before_sleep=tell,
    ):
        with attempt:
            await _try(url)


async def _try(url: str) -> None:
    try:
        connection = await asyncpg.connect(url, timeout=CONNECT_SECONDS_MAX)
    except asyncpg.CannotConnectNowError as error:
        raise ConnectionError(str(error)) from error
    except (asyncpg.PostgresError, asyncpg.InterfaceError):
        return  # It answers; what it says is for whoever goes on.
    await connection.close(timeout=CONNECT_SECONDS_MAX)


def place(url: str) -> str:
    """Where a database is, without the password."""
    parts = urlsplit(url)
    return f"{_login(url)}@{parts.hostname or 'localhost'}:{parts.port or 5432}{parts.path}"


async def _create_read_models(owner_url: str, login: str) -> None:
    async def connect() -> "asyncpg.Connection[Any]":
        return await asyncpg.connect(owner_url)

    # The driver reads the address itself, so that sslmode and the like mean what they always do.
    engine = create_async_engine("postgresql+asyncpg://", async_creator=connect)
    try:
        async with engine.begin() as connection:
            await schema.create(connection)
            if login != _login(owner_url):
                await _let_in(connection, login)
    finally:
        await engine.dispose()


async def _let_in(connection: AsyncConnection, login: str) -> None:
    found = await connection.execute(text(_IS_MEMBER), {"login": login, "role": APPLICATION_ROLE})
    is_member = found.scalar_one_or_none()
    if is_member is None:
        raise NotPrepared(f"There is no role {login!r}: create it, then run this again.")
    if is_member:
        return
    quoted = login.replace('"', '""')
    try:
        await connection.execute(text(f'GRANT {APPLICATION_ROLE} TO "{quoted}"'))
    except DBAPIError as error:
        raise NotPrepared(
            f"The owner may not grant {APPLICATION_ROLE}, which another role has made. As a"
            f' superuser: GRANT {APPLICATION_ROLE} TO "{quoted}"'
        ) from error


def _login(url: str) -> str:
    return unquote(urlsplit(url).username or "postgres")


def _cause(error: BaseException) -> str:
    original = getattr(error, "orig", None) or error
    return str(original.__cause__ or original).split("\n", maxsplit=1)[0]
