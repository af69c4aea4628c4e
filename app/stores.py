"""PostgreSQL for one process: the event store, and a pool each for requests and projectors."""

import asyncio
import os
from collections.abc import Callable, Sequence
from importlib.metadata import version
from typing import Any, TypeAlias

import asyncpg
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, wait_exponential

from app.prepare import place
from ledger.event_store.faults import FAULTS, meaning
from ledger.event_store.port import EventStoreUnavailable
from ledger.event_store.postgres import PostgresEventStore

CONNECT_SECONDS_MAX = 10.0
RETRY_SECONDS_MAX = 5.0
PROJECTING_CONNECTIONS_MAX = 10
PROJECTING_SECONDS_MAX = 60.0
NAME_BYTES_MAX = 63
VERSION = version("rewards-ledger")
_PROJECTING = {
    "application_name": "ledger-projectors",
    # Rows and checkpoint stand in one transaction: a crash loses both or none, and what is lost is
    # folded again. The log itself is always waited for.
    "synchronous_commit": "off",
}

Pool: TypeAlias = "asyncpg.Pool[Any]"


class Stores:
    """All of it, opened and closed together.

    Projectors have a pool of their own: their large statements may take longer than a request
    may wait, and they must not take the connections requests need.
    """

    def __init__(self, events: PostgresEventStore, pool: Pool, projecting: Pool) -> None:
        self.events = events
        self.pool = pool
        self.projecting = projecting

    @classmethod
    async def open(
        cls, database_url: str, connections_max: int, roles: Sequence[str] = ()
    ) -> "Stores":
        """Connect; `roles` are what the process tells PostgreSQL it is.

        Raises:
            EventStoreUnavailable: the database is down.
            EventStoreBroken: it is not migrated, or does not let us in; the message says more.
        """
        events = await PostgresEventStore.connect(database_url)
        try:
            pool = await asyncpg.create_pool(
                database_url,
                min_size=1,
                max_size=connections_max,
                timeout=CONNECT_SECONDS_MAX,
                command_timeout=CONNECT_SECONDS_MAX,
                server_settings={"application_name": named(roles)},
                reset=_nothing_to_reset,
            )
            projecting = await asyncpg.create_pool(
                database_url,
                min_size=0,
                max_size=PROJECTING_CONNECTIONS_MAX,
                timeout=CONNECT_SECONDS_MAX,
                command_timeout=PROJECTING_SECONDS_MAX,
                server_settings=_PROJECTING,
                reset=_nothing_to_reset,
            )
        except FAULTS as error:
            await events.close()
            raise meaning(error) from error
        return cls(events, pool, projecting)

    @classmethod
    async def open_when_there(
        cls,
        database_url: str,
        connections_max: int,
        told: Callable[[str], None],
        roles: Sequence[str] = (),
    ) -> "Stores":
        """The same, but a database that is down is waited for; `told` learns what is awaited."""

        def tell(state: RetryCallState) -> None:
            error = state.outcome and state.outcome.exception()
            told(f"waiting for PostgreSQL at {place(database_url)}: {error}")

        return await AsyncRetrying(
            retry=retry_if_exception_type(EventStoreUnavailable),
            wait=wait_exponential(multiplier=0.2, max=RETRY_SECONDS_MAX),
            before_sleep=tell,
        )(cls.open, database_url, connections_max, roles)

    async def close(self) -> None:
        """Give all connections back, but don't wait long for them."""
        try:
            async with asyncio.timeout(CONNECT_SECONDS_MAX):
                await self.projecting.close()
                await self.pool.close()
                await self.events.close()
        except TimeoutError:
            self.projecting.terminate()
            self.pool.terminate()


def named(roles: Sequence[str]) -> str:
    """What an operator sees of this process in PostgreSQL: its version, roles and number."""
    return f"ledger/{VERSION} {','.join(roles) or '-'} {os.getpid()}"[:NAME_BYTES_MAX]


async def _nothing_to_reset(_: Any) -> None:
    """No use of a pool changes its session, so each use is spared a round trip."""
