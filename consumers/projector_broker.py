"""The projector's subscription with FastStream: raw records in batches, nothing acknowledged.

The library decodes before the handler, and commits past what it can't decode; it also creates
topics. Our own parser and decoder hand the records over untouched, and it only consumes.
"""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from aiokafka import ConsumerRebalanceListener, ConsumerRecord, TopicPartition
from faststream import AckPolicy
from faststream.kafka import KafkaBroker
from faststream.kafka.message import FAKE_CONSUMER, KafkaMessage

from projections.projection import Projection

Handle = Callable[[Sequence[ConsumerRecord]], Awaitable[None]]
OnPartitions = Callable[[Iterable[int]], None]

GRACEFUL_SECONDS_MAX = 5.0
"""How long a stop waits for the batch in hand."""


class Assignments(ConsumerRebalanceListener):  # type: ignore[misc]
    """Hands on which partitions come and go. The callbacks return at once."""

    def __init__(self, assigned: OnPartitions, revoked: OnPartitions) -> None:
        """Both get partition numbers of the one topic."""
        self._assigned = assigned
        self._revoked = revoked

    async def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        """Before a rebalance."""
        self._revoked([place.partition for place in revoked])

    async def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        """After a rebalance."""
        self._assigned([place.partition for place in assigned])


GATHERED_BYTES = 256 * 1024
GATHERED_MS_MAX = 30
"""The broker gathers so much, but not for long: a transaction for a few records costs as much as
one for a thousand, and reads of one profile don't wait for us anyway."""


@dataclass(frozen=True, slots=True)
class Subscription:
    """A broker with one subscriber."""

    broker: KafkaBroker
    subscriber: Any

    @property
    def consumer(self) -> Any:
        """The client's consumer, once started."""
        return self.subscriber.consumer


def group_of(projections: Iterable[Projection]) -> str:
    """One consumer group per set of projections and versions.

    A program that brings a new one reads for itself: in a group with programs that don't know it,
    the new read model would lack their partitions.
    """
    names = sorted(f"{each.name}.v{each.version}" for each in projections)
    return f"ledger.projectors.{sha256(','.join(names).encode()).hexdigest()[:12]}"


def subscribe(
    bootstrap_servers: str,
    topic: str,
    projections: Iterable[Projection],
    handle: Handle,
    assignments: Assignments,
    **limits: Any,
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
        # Its logging listener leaves a task behind after a stop; errors are noted by the handler.
        logger=None,
    )
    subscriber = broker.subscriber(
        topic,
        group_id=group_of(projections),
        batch=True,
        max_records=limits.get("batch_records_max"),
        batch_timeout_ms=int(limits.get("poll_seconds", 0.05) * 1000),
        ack_policy=AckPolicy.MANUAL,
        auto_offset_reset="earliest",
        fetch_min_bytes=GATHERED_BYTES,
        fetch_max_wait_ms=GATHERED_MS_MAX,
        listener=assignments,
        parser=_as_it_is,
        decoder=_body_of,
        no_reply=True,
    )
    subscriber(handle)
    return Subscription(broker, subscriber)


async def _as_it_is(records: tuple[ConsumerRecord, ...]) -> KafkaMessage:
    """The raw records. Headers stay where they are: the library's parser fails on null ones."""
    return KafkaMessage(raw_message=records, body=records, consumer=FAKE_CONSUMER)


async def _body_of(message: KafkaMessage) -> Any:
    return message.body
