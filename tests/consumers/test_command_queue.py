"""The queue on a real Kafka: what is answered is there for any reader."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime

import confluent_kafka

from consumers.command_queue import KafkaCommandQueue
from consumers.command_records import Place, Received, read_record
from consumers.topics import EventsTopic, ensure_topic

READ_SECONDS_MAX = 15.0
MANY = 20


def read(servers: str, topic: str, count: int) -> list[confluent_kafka.Message]:
    """The first records of a topic."""
    consumer = confluent_kafka.Consumer(
        {"bootstrap.servers": servers, "group.id": topic, "auto.offset.reset": "earliest"}
    )
    consumer.subscribe([topic])
    found = consumer.consume(count, READ_SECONDS_MAX)
    consumer.close()
    return found


async def test_what_is_queued_at_once_is_on_the_topic_in_order_of_its_key(
    kafka: str, topic_name: Callable[[], str]
) -> None:
    topic = topic_name()
    await ensure_topic(kafka, EventsTopic(topic, partitions=1))
    queue = KafkaCommandQueue(kafka, topic)
    await asyncio.gather(
        *(
            queue.put(
                key="t-1",
                id=f"k-{number}",
                source="/ledger/queue/till",
                type="UpsertTransaction",
                time=datetime(2031, 3, 10, tzinfo=UTC),
                content=b'{"external_id":"t-1"}',
            )
            for number in range(MANY)
        )
    )
    await queue.close()
    records = await asyncio.to_thread(read, kafka, topic, MANY)
    received = [
        read_record(Place(topic, 0, 0), r.key(), r.value(), r.headers() or (), topic)
        for r in records
    ]
    assert all(isinstance(each, Received) for each in received)
    assert [each.id for each in received if isinstance(each, Received)] == [
        f"k-{number}" for number in range(MANY)
    ]
