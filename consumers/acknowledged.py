"""A producer for records that count as sent only when all replicas have them."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from consumers.outcomes import Message

REQUEST_SECONDS_MAX = 5.0
STOP_SECONDS_MAX = 2.0


class AcknowledgedProducer:
    """Connects when it is first needed. A producer that has failed is never used again."""

    def __init__(self, bootstrap_servers: str, **security: Any) -> None:
        """`security` goes to the client as it is."""
        self._bootstrap_servers = bootstrap_servers
        self._security = security
        self._producer: AIOKafkaProducer | None = None
        self._one_by_one = asyncio.Lock()
        """Who waits for the connection must not be overtaken by who finds it there."""

    async def send(self, messages: Sequence[tuple[str, Message]]) -> None:
        """Return when each is acknowledged under its topic. What fails may be sent again later."""
        try:
            async with self._one_by_one:
                producer = await self._started()
                acknowledged = [
                    await producer.send(
                        topic, value=message.value, key=message.key, headers=message.headers
                    )
                    for topic, message in messages
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
            self._producer = await self._connected()
        return self._producer

    async def _connected(self) -> AIOKafkaProducer:
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
        return producer
