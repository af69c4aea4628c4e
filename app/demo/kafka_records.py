"""The Kafka records behind a profile, read as any consumer would read them."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition

from app.kafka_access import FAULTS, security_of
from app.settings import Settings
from consumers.cloudevents import Published, from_record
from consumers.partitions import partition_of

READ_SECONDS_MAX = 30.0
POLL_MILLISECONDS = 200


@dataclass(frozen=True, slots=True)
class Found:
    """A record with its place in the topic."""

    partition: int
    offset: int
    event: Published


class RecordsMissing(Exception):
    """Not all records came in time."""


async def records_of(
    settings: Settings, profile_id: str, since: datetime, count: int
) -> Sequence[Found]:
    """The first `count` different records of a profile since a moment; repeats are left out.

    Raises:
        RecordsMissing: Kafka did not give them within the time.
    """
    place = TopicPartition(settings.events_topic, partition_of(profile_id, settings.partitions))
    consumer = AIOKafkaConsumer(
        bootstrap_servers=settings.kafka_bootstrap_servers,
        enable_auto_commit=False,
        **security_of(settings),
    )
    found: dict[int, Found] = {}
    try:
        async with asyncio.timeout(READ_SECONDS_MAX):
            await consumer.start()
            consumer.assign([place])
            await _seek(consumer, place, since)
            while len(found) < count:
                batches: Mapping[Any, Sequence[Any]] = await consumer.getmany(
                    place, timeout_ms=POLL_MILLISECONDS
                )
                for record in (record for batch in batches.values() for record in batch):
                    if record.key != profile_id.encode():
                        continue
                    event = from_record(record.key, record.value, record.headers)
                    found.setdefault(
                        event.stream_version, Found(place.partition, record.offset, event)
                    )
    except FAULTS as error:
        raise RecordsMissing(
            f"{len(found)} of {count} records of {profile_id} came from Kafka"
            f" ({str(error) or type(error).__name__})"
        ) from error
    finally:
        await consumer.stop()
    return sorted(found.values(), key=lambda each: each.offset)


async def _seek(consumer: Any, place: TopicPartition, since: datetime) -> None:
    """The broker's clock stamps the records, so a moment finds the first of them."""
    milliseconds = int(since.timestamp() * 1000)
    offsets = await consumer.offsets_for_times({place: milliseconds})
    at = offsets.get(place)
    if at is None:
        await consumer.seek_to_end(place)
    else:
        consumer.seek(place, at.offset)
