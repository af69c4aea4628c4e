"""Brings a database to the schema this version needs."""

from pathlib import Path
from typing import Any

import asyncpg
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import create_async_engine
from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_attempt, wait_fixed

POSTGRES_MIN = 150_000
ATTEMPTS_MAX = 10
_MIGRATIONS = Path(__file__).parent / "migrations"


class UnsuitableDatabase(Exception):
    """The database can't hold the ledger; the message says why and what to do."""


async def migrate(database_url: str) -> None:
    """Apply what is missing. Waits briefly for locks and tries again, so that writers go on.

    Raises:
        UnsuitableDatabase: PostgreSQL is older than 15, or the database is not UTF8.
    """

    async def connect() -> "asyncpg.Connection[Any]":
        return await asyncpg.connect(database_url)

    # The driver reads the address itself, so that sslmode and the like mean what they always do.
    engine = create_async_engine("postgresql+asyncpg://", async_creator=connect)
    try:
        async for attempt in AsyncRetrying(
            retry=retry_if_exception_type(OperationalError),
            stop=stop_after_attempt(ATTEMPTS_MAX),
            wait=wait_fixed(1),
            reraise=True,
        ):
            with attempt:
                async with engine.begin() as connection:
                    await connection.run_sync(_upgrade)
    finally:
        await engine.dispose()


def _upgrade(connection: Connection) -> None:
    version, encoding = connection.execute(
        text(
            "SELECT current_setting('server_version_num')::int, current_setting('server_encoding')"
        )
    ).one()
    if version < POSTGRES_MIN:
        raise UnsuitableDatabase("The ledger needs PostgreSQL 15 or newer.")
    if encoding != "UTF8":
        raise UnsuitableDatabase("Create the database with ENCODING 'UTF8'.")
    connection.execute(text("SET LOCAL lock_timeout = '2s'"))
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
