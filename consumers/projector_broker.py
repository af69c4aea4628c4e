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


FETCH_MS_MAX = 20
"""The broker answers as soon as there is something, for the relay has gathered already. Without
anything it waits so long, and no longer: the client asks for all partitions but those that have
just brought something, and for these only when that answer is there."""


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
        fetch_min_bytes=1,
        fetch_max_wait_ms=FETCH_MS_MAX,
        listener=assignments,
    )
