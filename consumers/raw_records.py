"""Subscriptions with FastStream that hand over raw records in batches and acknowledge nothing.

The library decodes before the handler, and commits past what it can't decode: a record lost without
a word. Its parser also fails on headers without a value, and it would create topics. So our own
parser and decoder hand the records over as they are, and it only consumes.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from aiokafka import ConsumerRecord
from faststream import AckPolicy
from faststream.kafka import KafkaBroker
from faststream.kafka.message import FAKE_CONSUMER, KafkaMessage

Handle = Callable[[Sequence[ConsumerRecord]], Awaitable[None]]

GRACEFUL_SECONDS_MAX = 5.0
"""How long a stop waits for the batch in hand."""
METADATA_MS_MAX = 10_000
"""A new topic of a pattern is noticed within this time."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How a subscription reads; `security` is FastStream's, or None."""

    batch_records_max: int
    poll_seconds: float
    security: Any = None


@dataclass(frozen=True, slots=True)
class Subscription:
    """A broker with one subscriber, not started yet."""

    broker: KafkaBroker
    subscriber: Any

    @property
    def consumer(self) -> Any:
        """The client's consumer, once started."""
        return self.subscriber.consumer


def subscribed(
    bootstrap_servers: str, handle: Handle, limits: Limits, *topics: str, **options: Any
) -> Subscription:
    """A subscription to topics, or to the `pattern` among the subscriber's options."""
    broker = KafkaBroker(
        bootstrap_servers,
        consumer_only=True,
        allow_auto_create_topics=False,
        apply_types=False,
        security=limits.security,
        graceful_timeout=GRACEFUL_SECONDS_MAX,
        metadata_max_age_ms=METADATA_MS_MAX,
        # Its logging listener leaves a task behind after a stop; errors are noted by the handler.
        logger=None,
    )
    subscriber = broker.subscriber(
        *topics,
        batch=True,
        max_records=limits.batch_records_max,
        batch_timeout_ms=int(limits.poll_seconds * 1000),
        ack_policy=AckPolicy.MANUAL,
        auto_offset_reset="earliest",
        parser=_as_they_are,
        decoder=_body_of,
        no_reply=True,
        **options,
    )
    subscriber(handle)
    return Subscription(broker, subscriber)


async def _as_they_are(records: tuple[ConsumerRecord, ...]) -> KafkaMessage:
    return KafkaMessage(raw_message=records, body=records, consumer=FAKE_CONSUMER)


async def _body_of(message: KafkaMessage) -> Any:
    return message.body
