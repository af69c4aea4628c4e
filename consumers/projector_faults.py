"""Why a read model's last attempt failed, written down for whoever looks from another process."""

import asyncio
from contextlib import suppress
from typing import Any, Final

import asyncpg

from projections.projection import Projection

READING: Final = ("reading", 0)
"""Stands for what keeps all read models from reading."""
REASON_MAX: Final = 1_000
WRITE_SECONDS_MAX: Final = 2.0

_NOTE: Final = """
INSERT INTO projections.failures AS f (projection, version, error) VALUES ($1, $2, $3)
ON CONFLICT (projection, version) DO UPDATE SET error = $3, failed_at = now()"""


async def note_failure(
    pool: "asyncpg.Pool[Any]", projection: Projection | None, error: str
) -> None:
    """Write it down if the database lets us: often it is what has failed."""
    name = READING if projection is None else (projection.name, projection.version)
    with suppress(OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
        async with asyncio.timeout(WRITE_SECONDS_MAX):
            await pool.execute(_NOTE, *name, error.replace("\x00", "")[:REASON_MAX])
