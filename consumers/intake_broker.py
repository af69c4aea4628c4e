"""The intake's subscription with FastStream: all topics of commands, raw records, in batches."""

import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from aiokafka import ConsumerRecord
from faststream import AckPolicy
from faststream.kafka import KafkaBroker

from consumers.raw_records import as_they_are, body_of

GROUP: Final = "ledger.command-intake"
DEAD_LETTER: Final = "dead-letter"
GRACEFUL_SECONDS_MAX: Final = 5.0
METADATA_MS_MAX: Final = 10_000
"""A new source's topic is noticed within this time."""

Handle = Callable[[Sequence[ConsumerRecord]], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Subscription:
    """A broker with one subscriber."""

    broker: KafkaBroker
    subscriber: Any

    @property
    def consumer(self) -> Any:
        """The client's consumer, once started."""
        return self.subscriber.consumer


def dead_letter_topic(topic: str) -> str:
    """Where records go that nobody could read."""
    return f"{topic}.{DEAD_LETTER}"


def topics_pattern(topic: str) -> str:
    """The default source's topic, and one for each other source."""
    return rf"^{re.escape(topic)}(\.(?!{DEAD_LETTER}$)[A-Za-z0-9_-]+)?$"


def subscribe_to_commands(
    bootstrap_servers: str, topic: str, handle: Handle, **limits: Any
) -> Subscription:
    """A subscription that is not started yet.

    `limits`: `batch_records_max`, `poll_seconds`, and `security` (FastStream's, or None).
    """
    broker = KafkaBroker(
        bootstrap_servers,
        consumer_only=True,
        allow_auto_create_topics=False,
        apply_types=False,
        security=limits.get("security"),
        graceful_timeout=GRACEFUL_SECONDS_MAX,
        metadata_max_age_ms=METADATA_MS_MAX,
        logger=None,
    )
    subscriber = broker.subscriber(
        pattern=topics_pattern(topic),
        group_id=GROUP,
        batch=True,
        max_records=limits.get("batch_records_max"),
        batch_timeout_ms=int(limits.get("poll_seconds", 0.05) * 1000),
        ack_policy=AckPolicy.MANUAL,
        auto_offset_reset="earliest",
        parser=as_they_are,
        decoder=body_of,
        no_reply=True,
    )
    subscriber(handle)
    return Subscription(broker, subscriber)
