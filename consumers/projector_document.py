"""The topic of events as the AsyncAPI document describes it."""

from typing import Any, Union

from faststream import FastStream
from faststream.kafka import KafkaBroker

import projections.read_models  # noqa: F401  (all events are known then)
from consumers.topics import EVENTS_TOPIC
from schemas.events import known_events

DESCRIPTION = (
    "Every event of the ledger, in order per profile, as CloudEvents 1.0 in binary mode: "
    "the attributes are ce_ headers, the value is the stored payload."
)


def projector_app(
    bootstrap_servers: str = "localhost:9092", topic: str = EVENTS_TOPIC
) -> FastStream:
    """An application that reads the topic, for its document alone: it is never started."""
    broker = KafkaBroker(bootstrap_servers, description="The rewards ledger's events")
    subscriber = broker.subscriber(topic, title=topic, description=DESCRIPTION)

    async def read_event(event: Any) -> None:
        """Any of the ledger's events."""

    read_event.__annotations__["event"] = Union[known_events()]  # noqa: UP007
    subscriber(read_event)
    return FastStream(broker)
