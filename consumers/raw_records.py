"""Raw records for a FastStream subscriber: handed over as they are, whatever is in them.

The library decodes before the handler, and commits past what it can't decode: a record lost
without a word. Its parser also fails on headers without a value.
"""

from typing import Any

from aiokafka import ConsumerRecord
from faststream.kafka.message import FAKE_CONSUMER, KafkaMessage


async def as_they_are(records: tuple[ConsumerRecord, ...]) -> KafkaMessage:
    """`parser=` of a batch subscriber."""
    return KafkaMessage(raw_message=records, body=records, consumer=FAKE_CONSUMER)


async def body_of(message: KafkaMessage) -> Any:
    """`decoder=` of a batch subscriber."""
    return message.body
