"""The queue over HTTP: commands onto the topic the intake reads, as any publisher sends them."""

import asyncio
from datetime import datetime
from typing import Any

from aiokafka.errors import KafkaError

from consumers.acknowledged import AcknowledgedProducer
from consumers.cloudevents import CONTENT_TYPE, SPEC_VERSION, rfc3339
from consumers.command_records import PERSONAL_HEADER
from consumers.outcomes import Message

ANSWER_SECONDS_MAX = 10.0


class KafkaCommandQueue:
    """CloudEvents in binary mode; a command counts as queued when all replicas have it."""

    def __init__(self, bootstrap_servers: str, topic: str, **security: Any) -> None:
        """For the default source's topic. `security` goes to the client as it is."""
        self._topic = topic
        self._producer = AcknowledgedProducer(bootstrap_servers, **security)

    async def put(  # noqa: PLR0913 - the attributes of a CloudEvent
        self,
        *,
        key: str | None,
        id: str,  # noqa: A002 - as CloudEvents call it
        source: str,
        type: str,  # noqa: A002
        time: datetime,
        content: bytes,
        personal: str | None = None,
    ) -> None:
        """Return when it is acknowledged by all replicas.

        Raises:
            ConnectionError: Kafka can't be reached, or gave no answer; it may be queued.
        """
        headers = [
            ("ce_specversion", SPEC_VERSION),
            ("ce_id", id.encode()),
            ("ce_source", source.encode()),
            ("ce_type", type.encode()),
            ("ce_time", rfc3339(time).encode()),
            ("content-type", CONTENT_TYPE),
        ]
        if personal is not None:
            headers.append((PERSONAL_HEADER, personal.encode()))
        message = Message(None if key is None else key.encode(), content, headers)
        try:
            await asyncio.wait_for(
                self._producer.send([(self._topic, message)]), ANSWER_SECONDS_MAX
            )
        except (KafkaError, OSError, TimeoutError) as error:
            raise ConnectionError(str(error) or error.__class__.__name__) from error

    async def close(self) -> None:
        """Give up the connection."""
        await self._producer.close()
