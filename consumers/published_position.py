"""How far a relay has published, and which relay may say so.

One connection does both: the session's advisory lock makes one relay the leader, and PostgreSQL
frees it when that connection ends. A leader that was only asleep wakes up believing it leads;
the epoch stops it: every claim raises it, and a position moves only `WHERE epoch = mine`.
"""

from dataclasses import dataclass
from typing import Any, Protocol
from uuid import UUID

import asyncpg

from ledger.event_store.faults import FAULTS, meaning
from ledger.event_store.port import EventStoreUnavailable

STATEMENT_SECONDS_MAX = 10.0
CLOSE_SECONDS_MAX = 2.0

_SESSION = {
    "application_name": "ledger-relay",
    # The lock of a machine that vanished is freed after about 25 s instead of two hours.
    "tcp_keepalives_idle": "10",
    "tcp_keepalives_interval": "5",
    "tcp_keepalives_count": "3",
    # An idle leader keeps its lock whatever the database's default says.
    "idle_session_timeout": "0",
}

_REGISTER = """
INSERT INTO ledger.relay_checkpoint (relay, epoch, published_position, incarnation)
VALUES ($1, 0, 0, $2) ON CONFLICT (relay) DO NOTHING"""

# Claim and read in ONE statement: between two, the former leader could still move the position.
_CLAIM = """
UPDATE ledger.relay_checkpoint SET epoch = epoch + 1 WHERE relay = $1 AND incarnation = $2
RETURNING epoch, published_position"""

_MOVE = """
UPDATE ledger.relay_checkpoint SET published_position = $3
WHERE relay = $1 AND epoch = $2 AND published_position <= $3
RETURNING published_position"""

_TRY_LOCK = "SELECT pg_try_advisory_lock(hashtextextended('relay_checkpoint:' || $1, 0))"


@dataclass(frozen=True, slots=True)
class Claimed:
    """The right to publish everything after `position`, as long as nobody claims again."""

    epoch: int
    position: int


class CheckpointUnavailable(Exception):
    """PostgreSQL gave no answer. The lock may be gone with the connection: lead again."""


class Fenced(Exception):
    """Another relay has claimed since; this one's position counts no more."""


class AnotherIncarnation(Exception):
    """The log is not the one that was published: its positions mean other events."""


class PublishedPosition(Protocol):
    """The port. All methods may raise CheckpointUnavailable, or EventStoreBroken where a retry is
    of no use: the database is not migrated, or the role may not do this."""

    async def try_lead(self) -> bool:
        """Become the leader if there is none; never waits for another's end."""
        ...

    async def claim(self, incarnation: UUID) -> Claimed:
        """As the leader: fence all others and learn where to go on.

        Raises:
            AnotherIncarnation: the position belongs to another log.
        """
        ...

    async def move(self, claimed: Claimed, position: int) -> None:
        """Everything up to `position` is acknowledged.

        Raises:
            Fenced: another relay claimed; nothing was moved.
        """
        ...

    async def release(self) -> None:
        """Give up leadership. Never raises."""
        ...


class PostgresPublishedPosition:
    """On one PostgreSQL connection of its own (no pooler that shares sessions in between)."""

    def __init__(self, database_url: str, relay: str) -> None:
        """`relay` names the row: one per topic that is filled from the log."""
        self._database_url = database_url.replace("postgresql+asyncpg://", "postgresql://", 1)
        self._relay = relay
        self._connection: asyncpg.Connection[Any] | None = None

    async def try_lead(self) -> bool:
        """Try the lock once. Waiting in `pg_advisory_lock` would hold a snapshot against vacuum."""
        try:
            if self._connection is None or self._connection.is_closed():
                self._connection = await asyncpg.connect(
                    self._database_url,
                    timeout=STATEMENT_SECONDS_MAX,
                    command_timeout=STATEMENT_SECONDS_MAX,
                    server_settings=_SESSION,
                )
            return bool(await self._connection.fetchval(_TRY_LOCK, self._relay))
        except FAULTS as error:
            raise _meaning(error) from error

    async def claim(self, incarnation: UUID) -> Claimed:
        """Register the relay if it is new, then claim and read in one UPDATE."""
        connection = self._leading()
        try:
            await connection.execute(_REGISTER, self._relay, incarnation)
            row = await connection.fetchrow(_CLAIM, self._relay, incarnation)
        except FAULTS as error:
            raise _meaning(error) from error
        if row is None:
            raise AnotherIncarnation(
                f"the log's incarnation is {incarnation}, the relay {self._relay!r} published "
                "another one: positions were used again for other events. Rebuild: publish the "
                "log from its start to a new topic under a new relay name, then the read models."
            )
        return Claimed(row["epoch"], row["published_position"])

    async def move(self, claimed: Claimed, position: int) -> None:
        """One UPDATE on the connection that holds the lock."""
        connection = self._leading()
        try:
            moved = await connection.fetchval(_MOVE, self._relay, claimed.epoch, position)
        except FAULTS as error:
            raise _meaning(error) from error
        if moved is None:
            raise Fenced(f"epoch {claimed.epoch} of the relay {self._relay!r} is over")

    async def release(self) -> None:
        """End the connection: PostgreSQL frees the lock with it, whatever state it is in."""
        connection, self._connection = self._connection, None
        if connection is None:
            return
        try:
            await connection.close(timeout=CLOSE_SECONDS_MAX)
        except FAULTS:
            connection.terminate()

    def _leading(self) -> "asyncpg.Connection[Any]":
        if self._connection is None or self._connection.is_closed():
            raise CheckpointUnavailable("the connection that held the lock is gone")
        return self._connection


def _meaning(error: BaseException) -> Exception:
    found = meaning(error)
    return CheckpointUnavailable(str(found)) if isinstance(found, EventStoreUnavailable) else found
