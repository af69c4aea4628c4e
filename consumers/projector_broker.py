"""The projector's subscription: one topic, and word of which partitions come and go."""

from collections.abc import Callable, Iterable
from hashlib import sha256

from aiokafka import ConsumerRebalanceListener, TopicPartition

from consumers.raw_records import Handle, Limits, Subscription, subscribed
from projections.projection import Projection

OnPartitions = Callable[[Iterable[int]], None]


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


def group_of(projections: Iterable[Projection]) -> str:
    """One consumer group per set of projections and versions.

    A program that brings a new one reads for itself: in a group with programs that don't know it,
    the new read model would lack their partitions.
    """
    names = sorted(f"{each.name}.v{each.version}" for each in projections)
    return f"ledger.projectors.{sha256(','.join(names).encode()).hexdigest()[:12]}"


def subscribe(  # noqa: PLR0913 - each is one thing a subscription needs
    bootstrap_servers: str,
    topic: str,
    projections: Iterable[Projection],
    handle: Handle,
    assignments: Assignments,
    *,
    limits: Limits,
) -> Subscription:
    """A subscription that is not started yet."""
    return subscribed(
        bootstrap_servers,
        handle,
        limits,
        topic,
        group_id=group_of(projections),
        fetch_min_bytes=GATHERED_BYTES,
        fetch_max_wait_ms=GATHERED_MS_MAX,
        listener=assignments,
    )
