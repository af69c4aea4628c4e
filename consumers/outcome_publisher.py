"""Publishes outcomes and dead letters, each acknowledged by all replicas."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from consumers.outcomes import Message

REQUEST_SECONDS_MAX = 5.0
STOP_SECONDS_MAX = 2.0


class OutcomePublisher:
    """Connects when it is first needed. A producer that has failed is never used again."""

    def __init__(
        self, bootstrap_servers: str, outcomes: str, dead_letters: str, **security: Any
    ) -> None:
        """For two topics. `security` goes to the client as it is."""
        self._bootstrap_servers = bootstrap_servers
        self._outcomes = outcomes
        self._dead_letters = dead_letters
        self._security = security
        self._producer: AIOKafkaProducer | None = None

    async def publish(self, outcomes: Sequence[Message], dead_letters: Sequence[Message]) -> None:
        """Return when all of it is acknowledged. What fails may be published again later."""
        to_send = [(self._outcomes, message) for message in outcomes]
        to_send += [(self._dead_letters, message) for message in dead_letters]
        try:
            producer = await self._started()
            acknowledged = [
                await producer.send(
                    topic, value=message.value, key=message.key, headers=message.headers
                )
                for topic, message in to_send
            ]
            await asyncio.gather(*acknowledged)
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        """Give up the connection, without waiting long for a broker that is away."""
        producer, self._producer = self._producer, None
        if producer is not None:
            with suppress(KafkaError, OSError, TimeoutError):
                await asyncio.wait_for(producer.stop(), STOP_SECONDS_MAX)

    async def _started(self) -> AIOKafkaProducer:
        if self._producer is None:
            producer = AIOKafkaProducer(
                bootstrap_servers=self._bootstrap_servers,
                enable_idempotence=True,
                acks="all",
                request_timeout_ms=int(REQUEST_SECONDS_MAX * 1000),
                **self._security,
            )
            try:
                await producer.start()
            except BaseException:
                with suppress(KafkaError, OSError, TimeoutError):
                    await producer.stop()
                raise
            self._producer = producer
        return self._producer
