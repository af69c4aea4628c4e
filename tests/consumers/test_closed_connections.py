"""A Kafka client on the event loop that the service runs on, when a broker has hung up."""

import asyncio

import pytest
import uvloop
from aiokafka.client import AIOKafkaClient
from aiokafka.conn import AIOKafkaConnection

from consumers.closed_connections import told_as_kafka_errors

SECONDS_MAX = 10.0


async def closed_writer(address: str) -> asyncio.StreamWriter:
    host, _, port = address.partition(":")
    _, writer = await asyncio.open_connection(host, int(port))
    writer.close()
    await writer.wait_closed()
    return writer


async def hung_up(address: str) -> bool:
    """Whether a client finds its broker after a write to a connection that was closed."""
    client = AIOKafkaClient(bootstrap_servers=address)
    await client.bootstrap()
    try:
        assert await client.force_metadata_update()
        (connection,) = client._conns.values()
        # As it is between the closing and the moment in which the client's reader is told.
        writer, connection._writer = connection._writer, await closed_writer(address)
        await asyncio.wait_for(client.force_metadata_update(), SECONDS_MAX)
        found = await asyncio.wait_for(client.force_metadata_update(), SECONDS_MAX)
        writer.close()
        return bool(found)
    finally:
        await client.close()


def test_a_client_outlives_a_write_to_a_closed_connection(
    kafka: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(AIOKafkaConnection, "send", AIOKafkaConnection.send)
    told_as_kafka_errors()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        assert runner.run(hung_up(kafka))
