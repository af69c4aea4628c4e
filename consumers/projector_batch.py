"""One call of Kafka, read once for all the projections that follow it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

import structlog
from aiokafka import ConsumerRecord

from consumers.cloudevents import NotALedgerEvent, Published, from_record
from consumers.projector_checkpoints import DeadLetter
from consumers.published_position import AnotherIncarnation

log = structlog.get_logger(__name__)


class Placed(NamedTuple):
    """An event and where it lies in the topic."""

    partition: int
    offset: int
    event: Published


@dataclass(frozen=True, slots=True)
class Batch:
    """What Kafka brought, in its order."""

    ends: Mapping[int, int]
    """Partition → the offset after its last record."""
    events: Sequence[Placed]
    letters: Sequence[DeadLetter]


def read_batch(records: Sequence[ConsumerRecord], incarnation: UUID | None) -> Batch:
    """Read the records' headers; what is no event of ours becomes a dead letter.

    Raises:
        AnotherIncarnation: a record is of another log than `incarnation`.
    """
    events: list[Placed] = []
    letters: list[DeadLetter] = []
    for record in records:
        try:
            event = from_record(record.key, record.value, record.headers)
        except NotALedgerEvent as wrong:
            letters.append(DeadLetter(record.partition, record.offset, str(wrong)))
            continue
        if event.incarnation != incarnation:
            raise AnotherIncarnation(
                f"{event.event_id} at offset {record.offset} of partition {record.partition} "
                f"is not of the log {incarnation}. Publish this log to a new topic."
            )
        events.append(Placed(record.partition, record.offset, event))
    for letter in letters:
        log.error("not_a_ledger_event", **letter._asdict())
    return Batch({record.partition: record.offset + 1 for record in records}, events, letters)
