"""What PostgreSQL knows: of itself, of the log, of the read side, of the relay and of processes."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeAlias

import asyncpg

from api.operations import (
    Database,
    Failure,
    Lag,
    LogHead,
    Program,
    ReadModelState,
    ReadSide,
    RelayState,
    Session,
)
from app.health import PARKED, PUBLISHED, lag_after
from app.operations.rates import Rates
from consumers.projector_faults import READING
from projections.progress import progress_of
from projections.read_models import ALL

Pool: TypeAlias = "asyncpg.Pool[Any]"

_DATABASE: Final = """
SELECT current_setting('server_version') AS version,
  pg_database_size(current_database()) AS size_bytes,
  (SELECT coalesce(sum(numbackends), 0)::int FROM pg_stat_database) AS connections,
  current_setting('max_connections')::int AS connections_max"""

_HEAD: Final = """
SELECT incarnation::text, coalesce(e.position, 0) AS position, e.chain, e.recorded_at
FROM ledger.log LEFT JOIN LATERAL (
  SELECT position, chain, recorded_at FROM ledger.events ORDER BY position DESC LIMIT 1
) e ON true"""

_LEADER: Final = """
SELECT host(a.client_addr) AS address, a.backend_start
FROM pg_locks l JOIN pg_stat_activity a USING (pid),
  hashtextextended('relay_checkpoint:' || $1, 0) AS key
WHERE l.locktype = 'advisory' AND l.objsubid = 1 AND l.granted
  AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
  AND l.classid = ((key >> 32) & 4294967295)::oid AND l.objid = (key & 4294967295)::oid"""

_FAILURES: Final = "SELECT projection, version, error, failed_at FROM projections.failures"
_UNREADABLE: Final = "SELECT count(*) FROM projections.dead_letters"

_PROGRAMS: Final = """
SELECT DISTINCT application_name, host(client_addr) AS address FROM pg_stat_activity
WHERE datname = current_database() AND starts_with(application_name, 'ledger/')
ORDER BY application_name"""
_PROGRAM: Final = re.compile(r"ledger/(?P<version>\S+) (?P<roles>\S*) (?P<pid>[0-9]+)")

_CHECKPOINTS: Final = """
SELECT partition, min(next_offset) AS next_offset
FROM projections.checkpoints c JOIN ledger.log USING (incarnation)
JOIN unnest($2::text[], $3::int[]) AS m(name, of_version)
  ON c.projection = m.name AND c.version = m.of_version
WHERE topic = $1 GROUP BY partition HAVING count(*) = $4"""


async def database(pool: Pool) -> Database:
    """PostgreSQL itself."""
    return Database(**dict(await pool.fetchrow(_DATABASE) or {}))


async def log_head(pool: Pool) -> LogHead:
    """The log's identity and its last event."""
    return LogHead(**dict(await pool.fetchrow(_HEAD) or {}))


async def read_side(pool: Pool, rates: Rates) -> ReadSide:
    """Each read model, how far it is and how fast it moves."""
    async with pool.acquire() as connection:
        parked = {row["name"]: row["streams"] for row in await connection.fetch(PARKED)}
        failures = await _failures(connection)
        models = []
        for each in ALL:
            # One look each: where there is more to look at, the next question goes on.
            position = (await progress_of(connection, each, looks_max=1)).position
            name = (each.name, each.version)
            lag = await lag_after(connection, position)
            rate = rates.of(name, position)
            state = ReadModelState(
                *name, position, lag, parked.get(each.name, 0), rate, failures.get(name)
            )
            models.append(state)
        unreadable = int(await connection.fetchval(_UNREADABLE))
    return ReadSide(models, failures.get(READING), unreadable)


async def relay_state(pool: Pool, relay: str) -> RelayState:
    """Who leads, and how far it is."""
    async with pool.acquire() as connection:
        row = await connection.fetchrow(_LEADER, relay)
        position = int(await connection.fetchval(PUBLISHED, relay))
        lag: Lag = await lag_after(connection, position)
    leader = None if row is None else Session(row["address"], row["backend_start"])
    return RelayState(relay, leader, position, lag)


async def programs(pool: Pool) -> Sequence[Program]:
    """The processes that are connected now, as they name themselves (`app/stores.py`)."""
    found = []
    for row in await pool.fetch(_PROGRAMS):
        told = _PROGRAM.fullmatch(row["application_name"])
        if told is not None:
            roles = [role for role in told["roles"].split(",") if role != "-"]
            found.append(Program(told["version"], roles, int(told["pid"]), row["address"]))
    return found


async def checkpoints(pool: Pool, topic: str) -> Mapping[int, int]:
    """The next offset of each partition that the read model furthest behind reads.

    What one of them has never read is left out.
    """
    names, versions = [each.name for each in ALL], [each.version for each in ALL]
    rows = await pool.fetch(_CHECKPOINTS, topic, names, versions, len(ALL))
    return {row["partition"]: row["next_offset"] for row in rows}


async def _failures(connection: Any) -> dict[tuple[str, int], Failure]:
    return {
        (row["projection"], row["version"]): Failure(row["error"], row["failed_at"])
        for row in await connection.fetch(_FAILURES)
    }
