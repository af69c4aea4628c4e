"""The embedded servers, for real: started, stopped, killed, and started again on the same data."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import asyncpg
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from app.embedded import EmbeddedServers, Servers

GONE_SECONDS_MAX = 20


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    """A name with what file names may hold."""
    return tmp_path / "données du registre"


async def write(servers: Servers) -> None:
    connection = await asyncpg.connect(servers.owner_database_url)
    await connection.execute("CREATE TABLE kept AS SELECT 42 AS n")
    await connection.close()
    bootstrap = servers.kafka_bootstrap_servers
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    await admin.create_topics([NewTopic("kept", 1, 1)])
    await admin.close()
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all")
    await producer.start()
    await producer.send_and_wait("kept", b"42", partition=0)
    await producer.stop()


async def read(servers: Servers) -> tuple[int, bytes]:
    connection = await asyncpg.connect(servers.owner_database_url)
    row = await connection.fetchval("SELECT n FROM kept")
    await connection.close()
    consumer = AIOKafkaConsumer(
        bootstrap_servers=servers.kafka_bootstrap_servers, auto_offset_reset="earliest"
    )
    await consumer.start()
    consumer.assign([TopicPartition("kept", 0)])
    record = await consumer.getone()
    await consumer.stop()
    return row, record.value


async def test_data_is_kept_over_a_clean_stop(data_dir: Path) -> None:
    with EmbeddedServers(data_dir) as servers:
        await write(servers.start())
    with EmbeddedServers(data_dir) as servers:
        assert await read(servers.start()) == (42, b"42")


async def test_data_is_kept_when_both_servers_are_killed(data_dir: Path) -> None:
    first = EmbeddedServers(data_dir)
    started = first.start()
    await write(started)
    for pid in (started.postgres_pid, started.kafka_pid):
        os.kill(pid, signal.SIGKILL)
    first.stop()
    second = EmbeddedServers(data_dir)
    assert await read(second.start()) == (42, b"42")
    second.stop()


def test_the_servers_die_with_their_parent_and_start_again(data_dir: Path) -> None:
    program = (
        "import sys, time; from pathlib import Path; from app.embedded import EmbeddedServers; "
        "s = EmbeddedServers(Path(sys.argv[1])).start(); "
        "print(s.postgres_pid, s.kafka_pid, flush=True); time.sleep(600)"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", program, data_dir], stdout=subprocess.PIPE, text=True
    )
    assert parent.stdout is not None
    pids = [int(pid) for pid in parent.stdout.readline().split()]
    assert len(pids) == 2
    parent.kill()
    parent.wait()
    parent.stdout.close()
    deadline = time.monotonic() + GONE_SECONDS_MAX
    while any(running(pid) for pid in pids) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not any(running(pid) for pid in pids)
    again = EmbeddedServers(data_dir)
    again.start()
    again.stop()


def running(pid: int) -> bool:
    """A zombie has ended; only its parent has not looked yet."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False
