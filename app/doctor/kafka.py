"""Checks of Kafka: who answers, and whether the topic is as it has to be."""

from typing import Any

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from app.doctor.findings import Finding
from app.kafka_access import FAULTS, REQUEST_MILLISECONDS_MAX, security_of
from app.settings import Settings
from consumers.topics import TIMESTAMP_TYPE
from ledger.event_store.port import EVENT_BYTES_MAX

TIMESTAMPS, BYTES_MAX = "message.timestamp.type", "max.message.bytes"


async def examine_kafka(settings: Settings) -> list[Finding]:
    """Everything about the Kafka the settings name. Creates nothing."""
    servers = settings.kafka_bootstrap_servers
    admin = AIOKafkaAdminClient(
        bootstrap_servers=servers,
        request_timeout_ms=REQUEST_MILLISECONDS_MAX,
        **security_of(settings),
    )
    try:
        await admin.start()
        brokers = len((await admin.describe_cluster())["brokers"])
        found = [Finding("Kafka", brokers > 0, f"{brokers} broker(s) at {servers}")]
        return found + await _topic(admin, settings)
    except FAULTS as error:
        detail = f"{servers} does not answer: {str(error) or type(error).__name__}"
        remedy = (
            "Start it, or correct LEDGER_KAFKA_BOOTSTRAP_SERVERS and the LEDGER_KAFKA_ settings of"
            " the login. Commands are accepted without Kafka; reading lists and other systems lag."
        )
        return [Finding("Kafka", False, detail, remedy)]
    finally:
        await admin.close()


async def _topic(admin: Any, settings: Settings) -> list[Finding]:
    name = settings.events_topic
    if name not in await admin.list_topics():
        return [Finding("Topic", True, f"{name} is not there yet; the relay creates it")]
    (described,) = await admin.describe_topics([name])
    partitions = len(described["partitions"])
    topic = await _settings_of(admin, name)
    bytes_max = int(topic.get(BYTES_MAX, 0))
    return [
        Finding(
            "Partitions",
            partitions == settings.partitions,
            f"{name} has {partitions}, configured are {settings.partitions}",
            f"Set LEDGER_PARTITIONS={partitions}, or publish to a new topic: with another number"
            " profiles would change their partition and lose their order.",
        ),
        Finding(
            "Timestamps",
            topic.get(TIMESTAMPS) == TIMESTAMP_TYPE,
            f"{TIMESTAMPS}={topic.get(TIMESTAMPS)}",
            f"Set the topic's {TIMESTAMPS} to {TIMESTAMP_TYPE}.",
        ),
        Finding(
            "Record size",
            bytes_max > EVENT_BYTES_MAX,
            f"{BYTES_MAX}={bytes_max}",
            f"Set the topic's {BYTES_MAX} above {EVENT_BYTES_MAX}: a larger event blocks the relay",
        ),
    ]


async def _settings_of(admin: Any, name: str) -> dict[str, str]:
    wanted = {TIMESTAMPS: None, BYTES_MAX: None}
    found: dict[str, str] = {}
    resource = ConfigResource(ConfigResourceType.TOPIC, name, wanted)
    for response in await admin.describe_configs([resource]):
        for _code, _message, _kind, _name, settings in response.resources:
            found |= {setting[0]: setting[1] for setting in settings}
    return found
