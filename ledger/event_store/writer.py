"""The one connection appends go through: one call at a time, never used again after a fault."""

import asyncio
from typing import Any

import asyncpg

_SESSION = {
    "application_name": "ledger-writer",
    # The database's own limit could fire while a commit waits for a synchronous standby: that
    # ends the wait, not the commit, and the answer would say durable of what is not.
    "statement_timeout": "0",
    # Another default of the database's would have every append refused.
    "default_transaction_isolation": "read committed",
}


class Writer:
    """A connection that is opened when it is needed and thrown away whenever a call fails."""

    def __init__(self, dsn: str, seconds_max: float) -> None:
        self._dsn = dsn
        self._seconds_max = seconds_max
        self._connection: asyncpg.Connection[Any] | None = None
        self._one_call = asyncio.Lock()
        self._abandoned: set[asyncio.Task[asyncpg.Connection[Any]]] = set()

    async def call(self, query: str, *arguments: Any) -> Any:
        """The row of one statement. After any fault the connection is never used again: a late
        cancel or an unread answer would hit the next call."""
        async with self._one_call:
            try:
                async with asyncio.timeout(self._seconds_max):
                    if self._connection is None:
                        self._connection = await self._connected()
                    return await self._connection.fetchrow(query, *arguments)
            except BaseException:
                self.discard()
                raise

    def discard(self) -> None:
        """End the connection at once, without a word to the server."""
        if self._connection is not None:
            self._connection.terminate()
            self._connection = None

    async def _connected(self) -> "asyncpg.Connection[Any]":
        """A cancel in the middle must not leave a connection that nobody knows of."""
        connecting = asyncio.create_task(
            asyncpg.connect(self._dsn, timeout=self._seconds_max, server_settings=_SESSION)
        )
        try:
            return await asyncio.shield(connecting)
        except BaseException:
            self._abandoned.add(connecting)
            connecting.add_done_callback(self._end_abandoned)
            raise

    def _end_abandoned(self, connecting: "asyncio.Task[asyncpg.Connection[Any]]") -> None:
        self._abandoned.discard(connecting)
        if not connecting.cancelled() and connecting.exception() is None:
            connecting.result().terminate()
