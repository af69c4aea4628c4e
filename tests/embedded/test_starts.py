"""What a fresh start gives, what a restart keeps, and a second process on the same directory."""

import asyncio
import os
import signal
import threading
from collections.abc import Callable
from pathlib import Path

import asyncpg
import pytest
from embedded.clients import Starter, read_everywhere, wait_for_death, write_everywhere

from app.embedded import EmbeddedServers, Servers
from app.embedded.processes import started_at


async def _settings(servers: Servers) -> dict[str, str]:
    connection = await asyncpg.connect(servers.database_url)
    names = ("fsync", "server_encoding", "TimeZone", "max_connections")
    shown = {name: str(await connection.fetchval(f"SHOW {name}")) for name in names}
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await connection.execute("CREATE TABLE forbidden (n int)")
    await connection.close()
    owner = await asyncpg.connect(servers.owner_database_url)
    await owner.execute("CREATE DATABASE made_by_the_owner")
    await owner.close()
    return shown


def test_starts_restarts_with_its_data_and_keeps_its_addresses(tmp_path: Path) -> None:
    folder = tmp_path / "meine Daten, данные: 100% {x}"
    told: list[str] = []
    with EmbeddedServers(folder, progress=told.append) as embedded:
        first = embedded.servers
        assert embedded.start() == first  # a second call finds them running
        assert asyncio.run(_settings(first)) == {
            "fsync": "on",
            "server_encoding": "UTF8",
            "TimeZone": "UTC",
            "max_connections": "200",
        }
        asyncio.run(write_everywhere(first, "before the restart"))
    assert wait_for_death(first.postgres_pid, first.kafka_pid) < 1
    assert {"PostgreSQL: ready", "Apache Kafka: ready"} < set(told)
    secrets = folder / "secrets" / "postgres.json"
    assert secrets.stat().st_mode & 0o777 == 0o600

    with EmbeddedServers(folder) as embedded:
        second = embedded.servers
        assert second.database_url == first.database_url
        assert second.owner_database_url == first.owner_database_url
        assert second.kafka_bootstrap_servers == first.kafka_bootstrap_servers
        kept = asyncio.run(read_everywhere(second))
    assert kept == (["before the restart"], ["before the restart"])


def test_a_second_process_attaches_and_stops_nothing(
    tmp_path: Path, start_elsewhere: Callable[..., Starter]
) -> None:
    with EmbeddedServers(tmp_path) as embedded:
        second = start_elsewhere(tmp_path)
        assert second.servers == embedded.servers
        second.stop()
        assert started_at(embedded.servers.postgres_pid)
        assert started_at(embedded.servers.kafka_pid)
        asyncio.run(write_everywhere(embedded.servers, "still served"))


async def test_starts_inside_a_running_event_loop(tmp_path: Path) -> None:
    with EmbeddedServers(tmp_path, kafka=False) as embedded:
        assert embedded.servers.kafka_bootstrap_servers == ""
        assert embedded.servers.kafka_pid == 0
        with EmbeddedServers(tmp_path, kafka=False) as attached:
            assert attached.servers == embedded.servers


def test_ctrl_c_during_the_start_leaves_nothing_behind(tmp_path: Path) -> None:
    embedded = EmbeddedServers(tmp_path, kafka=False)
    threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()
    with pytest.raises(KeyboardInterrupt):
        embedded.start()
    with EmbeddedServers(tmp_path, kafka=False, holder_seconds_max=5) as again:
        assert started_at(again.servers.postgres_pid)
