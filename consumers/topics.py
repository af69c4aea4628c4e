"""The topic of the events: created once with a fixed number of partitions, checked ever after.

More partitions would send a profile's later events to another partition than its earlier ones,
and the order per profile would be lost. Growth is a new topic filled from the store.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from aiokafka.admin import (
    AIOKafkaAdminClient,
    NewTopic,
)
from aiokafka.admin.config_resource import (
    ConfigResource,
    ConfigResourceType,
)
from aiokafka.errors import for_code
from tenacity import retry, retry_if_result, stop_after_delay, wait_fixed

EVENTS_TOPIC = "ledger.events"
TIMESTAMP_TYPE = "LogAppendTime"
REQUEST_SECONDS_MAX = 15.0

_TIMESTAMP_SETTING = "message.timestamp.type"
_TOPIC_ALREADY_EXISTS = 36


@dataclass(frozen=True, slots=True)
class EventsTopic:
    """How the topic has to be."""

    name: str = EVENTS_TOPIC
    partitions: int = 12
    replication_factor: int = 1


class TopicRefused(Exception):
    """The topic isn't as configured, and publishing to it would break the order per profile."""


async def ensure_topic(bootstrap_servers: str, topic: EventsTopic, **security: Any) -> None:
    """Create the topic, or check the one that is there. `security` goes to the client as it is.

    Raises:
        TopicRefused: another number of partitions, or records stamped by their producers.
    """
    admin = AIOKafkaAdminClient(
        bootstrap_servers=bootstrap_servers,
        request_timeout_ms=int(REQUEST_SECONDS_MAX * 1000),
        **security,
    )
    try:
        await admin.start()
        await _create(admin, topic)
        await _check_partitions(admin, topic)
        await _check_timestamps(admin, topic)
    finally:
        await admin.close()


async def create_missing(
    bootstrap_servers: str, topics: Sequence[EventsTopic], **security: Any
) -> None:
    """Create topics as a broker keeps any; those that are there stay as they are.

    Raises:
        TopicRefused: Kafka did not create one.
    """
    admin = AIOKafkaAdminClient(
        bootstrap_servers=bootstrap_servers,
        request_timeout_ms=int(REQUEST_SECONDS_MAX * 1000),
        **security,
    )
    try:
        await admin.start()
        for topic in topics:
            await _create_as(
                admin, NewTopic(topic.name, topic.partitions, topic.replication_factor)
            )
    finally:
        await admin.close()


async def _create(admin: Any, topic: EventsTopic) -> None:
    wanted = NewTopic(
        topic.name,
        topic.partitions,
        topic.replication_factor,
        topic_configs={
            # The broker's clock: a producer's clock could run ahead and keep segments for ever.
            _TIMESTAMP_SETTING: TIMESTAMP_TYPE,
            # Facts have no age: whoever starts to read in a year reads them all.
            "retention.ms": "-1",
        },
    )
    await _create_as(admin, wanted)


async def _create_as(admin: Any, wanted: NewTopic) -> None:
    response = await admin.create_topics([wanted])
    for name, code, *detail in response.topic_errors:
        if code not in (0, _TOPIC_ALREADY_EXISTS):
            reason = detail[0] if detail and detail[0] else for_code(code).__name__
            raise TopicRefused(f"Kafka did not create the topic {name!r}: {reason}")


async def _check_partitions(admin: Any, topic: EventsTopic) -> None:
    actual = await _number_of_partitions(admin, topic.name)
    if actual != topic.partitions:
        raise TopicRefused(
            f"the topic {topic.name!r} has {actual} partitions, configured are "
            f"{topic.partitions}: profiles would change their partition. Configure {actual}, "
            "or publish the log to a new topic."
        )


@retry(
    # A broker may not have heard of a topic that another has just created.
    retry=retry_if_result(lambda actual: actual == 0),
    stop=stop_after_delay(REQUEST_SECONDS_MAX),
    wait=wait_fixed(0.1),
)
async def _number_of_partitions(admin: Any, name: str) -> int:
    (described,) = await admin.describe_topics([name])
    return len(described["partitions"])


async def _check_timestamps(admin: Any, topic: EventsTopic) -> None:
    responses = await admin.describe_configs(
        [ConfigResource(ConfigResourceType.TOPIC, topic.name, {_TIMESTAMP_SETTING: None})]
    )
    for response in responses:
        for code, message, _kind, name, settings in response.resources:
            if code != 0:
                raise TopicRefused(f"Kafka did not describe the topic {name!r}: {message}")
            actual = {setting[0]: setting[1] for setting in settings}.get(_TIMESTAMP_SETTING)
            if actual != TIMESTAMP_TYPE:
                raise TopicRefused(
                    f"the topic {name!r} has {_TIMESTAMP_SETTING}={actual}: "
                    f"set it to {TIMESTAMP_TYPE}, then start again."
                )
