"""kill -9 of anything: no server outlives its starter, and no start fails for a crash before."""

import asyncio
import os
import signal
from collections.abc import Callable
from pathlib import Path

import asyncpg
import pytest
from embedded.clients import Starter, kill, read_everywhere, wait_for_death, write_everywhere

from app.embedded import EmbeddedServers
from app.embedded.processes import started_at


def test_servers_die_with_a_killed_starter_and_their_data_stays(
    tmp_path: Path, start_elsewhere: Callable[..., Starter]
) -> None:
    starter = start_elsewhere(tmp_path)
    servers = starter.servers
    asyncio.run(write_everywhere(servers, "before the kill"))

    os.killpg(starter.process.pid, signal.SIGINT)  # Ctrl-C reaches the starter's group only
    assert starter.process.stdout is not None
    assert starter.process.stdout.readline() == "interrupted\n"
    assert started_at(servers.postgres_pid)
    assert started_at(servers.kafka_pid)

    kill(starter.process.pid)
    starter.process.wait()
    # At once, while the old servers may still be stopping: the start has to wait for them.
    with EmbeddedServers(tmp_path) as embedded:
        assert started_at(servers.postgres_pid) is None
        assert started_at(servers.kafka_pid) is None
        kept = asyncio.run(read_everywhere(embedded.servers))
        assert embedded.servers.database_url == servers.database_url
    assert kept == (["before the kill"], ["before the kill"])


def test_the_next_start_recovers_killed_servers(tmp_path: Path) -> None:
    with EmbeddedServers(tmp_path) as embedded:
        servers = embedded.servers
        asyncio.run(write_everywhere(servers, "before the kill"))
        kill(servers.postgres_pid)
        kill(servers.kafka_pid)
        wait_for_death(servers.postgres_pid, servers.kafka_pid)
        again = embedded.start()
        assert again.postgres_pid != servers.postgres_pid
        assert again.kafka_pid != servers.kafka_pid
        assert asyncio.run(read_everywhere(again)) == (["before the kill"], ["before the kill"])


async def test_a_backend_busy_when_postgres_is_killed_does_not_block_the_next_start(
    tmp_path: Path,
) -> None:
    with EmbeddedServers(tmp_path, kafka=False) as embedded:
        connection = await asyncpg.connect(embedded.servers.database_url)
        busy = "SELECT count(*) FROM generate_series(1, 10_000_000_000) AS n WHERE n % 7 = 0"
        query = asyncio.create_task(connection.fetchval(busy))
        await asyncio.sleep(0.3)
        kill(embedded.servers.postgres_pid)
        wait_for_death(embedded.servers.postgres_pid)
        embedded.start()
        with pytest.raises((asyncpg.PostgresError, OSError)):
            await query


def test_servers_die_with_a_killed_supervisor_too(tmp_path: Path) -> None:
    with EmbeddedServers(tmp_path) as embedded:
        servers = embedded.servers
        for pid in (servers.postgres_pid, servers.kafka_pid):
            status = Path(f"/proc/{pid}/status").read_text()
            kill(int(status.partition("PPid:")[2].split()[0]))
        wait_for_death(servers.postgres_pid, servers.kafka_pid)
        embedded.start()
