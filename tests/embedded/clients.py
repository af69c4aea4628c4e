"""What the tests do with the servers, through the clients that users have."""

import asyncio
import os
import signal
import subprocess
import time
from dataclasses import dataclass
from typing import Any

import asyncpg
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from app.embedded import Servers
from app.embedded.processes import started_at

DEATH_SECONDS_MAX = 20.0
TOPIC = "kept"


@dataclass
class Starter:
    """A process that started servers (or attached) and keeps them until it is told to stop."""

    process: "subprocess.Popen[str]"
    answer: dict[str, Any]

    @property
    def servers(self) -> Servers:
        return Servers(**self.answer)

    def stop(self) -> None:
        self.process.communicate("stop\n", timeout=40)


def wait_for_death(*pids: int) -> float:
    """How many seconds until none of them runs; fails when that takes too long."""
    began = time.monotonic()
    while any(started_at(pid) for pid in pids):
        assert time.monotonic() - began < DEATH_SECONDS_MAX, f"still alive: {pids}"
        time.sleep(0.05)
    return time.monotonic() - began


def kill(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)


async def write_row(servers: Servers, text: str) -> None:
    connection = await asyncpg.connect(servers.owner_database_url)
    await connection.execute("CREATE TABLE IF NOT EXISTS kept (text text)")
    await connection.execute("GRANT SELECT ON kept TO ledger_app")
    await connection.execute("INSERT INTO kept VALUES ($1)", text)
    await connection.close()


async def read_rows(servers: Servers) -> list[str]:
    connection = await asyncpg.connect(servers.database_url)
    rows = await connection.fetch("SELECT text FROM kept")
    await connection.close()
    return [row["text"] for row in rows]


async def write_record(servers: Servers, text: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=servers.kafka_bootstrap_servers)
    await admin.start()
    if TOPIC not in await admin.list_topics():
        await admin.create_topics([NewTopic(TOPIC, num_partitions=1, replication_factor=1)])
    await admin.close()
    producer = AIOKafkaProducer(bootstrap_servers=servers.kafka_bootstrap_servers, acks="all")
    await producer.start()
    await producer.send_and_wait(TOPIC, text.encode())
    await producer.stop()


async def read_records(servers: Servers) -> list[str]:
    consumer = AIOKafkaConsumer(bootstrap_servers=servers.kafka_bootstrap_servers)
    await consumer.start()
    partition = TopicPartition(TOPIC, 0)
    consumer.assign([partition])
    await consumer.seek_to_beginning(partition)
    end = (await consumer.end_offsets([partition]))[partition]
    records = []
    while await consumer.position(partition) < end:
        records.append((await asyncio.wait_for(consumer.getone(), 10)).value.decode())
    await consumer.stop()
    return records


async def write_everywhere(servers: Servers, text: str) -> None:
    await write_row(servers, text)
    await write_record(servers, text)


async def read_everywhere(servers: Servers) -> tuple[list[str], list[str]]:
    return await read_rows(servers), await read_records(servers)
