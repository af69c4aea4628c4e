"""The reader that docs/kafka.md shows, on a real Kafka."""

import asyncio
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from uuid import uuid4

import confluent_kafka

from consumers.cloudevents import to_record
from consumers.partitions import partition_of
from consumers.topics import EventsTopic, ensure_topic
from schemas.envelope import Recorded
from schemas.events import Event, encode
from schemas.movements import Book, moved
from tests.consumers.fakes import recorded

PAGE = Path(__file__).parents[2] / "docs" / "kafka.md"
PARTITIONS = 3
READ_SECONDS_MAX = 60.0


def moving(source: Book, target: Book) -> bytes:
    """The payload of any event that moves 1000."""
    return encode(Event(movements=moved(17, source, target, 1_000)))


def publish(servers: str, topic: str, log: Sequence[Recorded]) -> None:
    producer = confluent_kafka.Producer({"bootstrap.servers": servers})
    incarnation = uuid4()
    for each in log:
        record = to_record(each, source="/test", incarnation=incarnation, cell="main")
        partition = partition_of(record.key.decode(), PARTITIONS)
        producer.produce(topic, record.value, record.key, partition, headers=record.headers)
    assert producer.flush(READ_SECONDS_MAX) == 0


async def test_it_keeps_the_balances_and_passes_over_repeats(
    kafka: str, topic_name: Callable[[], str]
) -> None:
    topic = topic_name()
    page: dict[str, Any] = {}
    (source,) = re.findall(
        r"^```python\n(.*?)^```$", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL
    )
    exec(compile(source, str(PAGE), "exec"), page)
    issued = moving(Book.ISSUED, Book.AVAILABLE)
    redeemed = moving(Book.AVAILABLE, Book.REDEEMED)
    log = [
        recorded(1, "programme", 1),
        recorded(2, "account-p-1", 1, issued),
        recorded(2, "account-p-1", 1, issued),
        recorded(3, "account-p-2", 1, issued),
        recorded(4, "account-p-1", 2, redeemed),
    ]
    await ensure_topic(kafka, EventsTopic(topic, PARTITIONS))
    await asyncio.to_thread(publish, kafka, topic, log)
    expected = {"p-1": 0, "p-2": 1_000}
    async with asyncio.timeout(READ_SECONDS_MAX):
        found = await asyncio.to_thread(
            page["follow"],
            kafka,
            topic,
            f"test-{uuid4().hex}",
            lambda balances: balances == expected,
        )
    assert found == expected
