"""The relay's hand on Kafka: batches of one partition, acknowledged before the next is sent."""

from collections.abc import Sequence
from typing import Any, Protocol

from aiokafka import AIOKafkaProducer

from consumers.cloudevents import KafkaRecord

BATCH_BYTES_MAX = 512 * 1024
"""Below the broker's 1 MiB: a batch holds a first record of any size, others only up to this."""

REQUEST_SECONDS_MAX = 5.0


class EventProducer(Protocol):
    """What the relay asks of a producer. One that failed once is never used again."""

    async def start(self) -> None:
        """Connect; raises when Kafka can't be reached."""
        ...

    async def stop(self) -> None:
        """Disconnect. May hang while the broker does; the caller bounds it."""
        ...

    async def publish(self, partition: int, records: Sequence[KafkaRecord]) -> None:
        """Return when every record is acknowledged; records of one partition keep their order."""
        ...


class KafkaEventProducer:
    """Idempotent, acks=all, and never two batches of one partition in flight.

    Idempotence keeps batch k+1 from overtaking k in the client's own retries. Stop-and-wait adds
    what it can't: a batch left behind in an abandoned producer, or in a fenced relay that was
    only asleep, may still arrive at any time; everything before it was acknowledged by then, so
    it is a repeat or the next in order, never a gap.
    """

    def __init__(self, bootstrap_servers: str, topic: str, **security: Any) -> None:
        """For one topic. `security` goes to the client as it is."""
        self._topic = topic
        self._producer = AIOKafkaProducer(
            bootstrap_servers=bootstrap_servers,
            enable_idempotence=True,
            acks="all",
            max_batch_size=BATCH_BYTES_MAX,
            request_timeout_ms=int(REQUEST_SECONDS_MAX * 1000),
            **security,
        )

    async def start(self) -> None:
        """Connect and get a producer id."""
        await self._producer.start()

    async def stop(self) -> None:
        """Flush and disconnect."""
        await self._producer.stop()

    async def publish(self, partition: int, records: Sequence[KafkaRecord]) -> None:
        """Send the records in as few batches as fit, each acknowledged before the next."""
        batch = self._producer.create_batch()
        for record in records:
            if not _added(batch, record):
                await self._send(batch, partition)
                batch = self._producer.create_batch()
                if not _added(batch, record):
                    raise ValueError("an empty batch refused a record")
        await self._send(batch, partition)

    async def _send(self, batch: Any, partition: int) -> None:
        if batch.record_count():
            batch.close()
            acknowledged = await self._producer.send_batch(batch, self._topic, partition=partition)
            await acknowledged


def _added(batch: Any, record: KafkaRecord) -> bool:
    return (
        batch.append(timestamp=None, key=record.key, value=record.value, headers=record.headers)
        is not None
    )
