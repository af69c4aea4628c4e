"""Publishes outcomes and dead letters, each acknowledged by all replicas."""

from collections.abc import Sequence
from typing import Any

from consumers.acknowledged import AcknowledgedProducer
from consumers.outcomes import Message


class OutcomePublisher:
    """Connects when it is first needed."""

    def __init__(
        self, bootstrap_servers: str, outcomes: str, dead_letters: str, **security: Any
    ) -> None:
        """For two topics. `security` goes to the client as it is."""
        self._outcomes = outcomes
        self._dead_letters = dead_letters
        self._producer = AcknowledgedProducer(bootstrap_servers, **security)

    async def publish(self, outcomes: Sequence[Message], dead_letters: Sequence[Message]) -> None:
        """Return when all of it is acknowledged. What fails may be published again later."""
        await self._producer.send(
            [
                *((self._outcomes, message) for message in outcomes),
                *((self._dead_letters, message) for message in dead_letters),
            ]
        )

    async def close(self) -> None:
        """Give up the connection, without waiting long for a broker that is away."""
        await self._producer.close()
