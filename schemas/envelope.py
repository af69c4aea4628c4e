"""The envelope around every event: where it stands in the log, who caused it, and when."""

from datetime import datetime
from uuid import UUID

from schemas.immutable import immutable


@immutable
class Recorded:
    """One event as the log holds it. `payload` is the exact bytes that were hashed.

    `position` is dense over the whole log (1, 2, 3, …); `stream_version` is dense within the
    stream. `occurred_at` is business time, `recorded_at` the store's own clock (never backwards).
    `batch_index`/`batch_size` tell which of the events of its command this event is: a command's
    events are written together, or none of them.
    """

    position: int
    stream_id: str
    stream_version: int
    type: str
    schema_version: int
    payload: bytes
    command_id: UUID
    correlation_id: UUID | None
    causation_id: UUID | None
    occurred_at: datetime
    recorded_at: datetime
    actor: str
    batch_index: int
    batch_size: int
    chain: bytes
