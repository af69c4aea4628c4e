"""What the ledger asks of an event store. Two adapters keep this promise: PostgreSQL and memory."""

from collections.abc import Mapping, Sequence
from dataclasses import field
from datetime import datetime
from typing import Final, NamedTuple, Protocol
from uuid import UUID

from schemas.envelope import Recorded
from schemas.immutable import immutable

EVENT_BYTES_MAX = 512 * 1024
"""Below Kafka's default record limit: an event the relay can't publish would block it for ever."""

APPEND_EVENTS_MAX = 2_000
"""The largest group one append may carry."""

APPEND_BYTES_MAX = 16 * 1024 * 1024
"""The most bytes the payloads and outcomes of one append may have together."""

NEW_IDS_MAX = 2_000
"""The most identifiers one call hands out."""


@immutable
class NewEvent:
    """An event about to be appended; the store adds position, `recorded_at` and chain."""

    stream_id: str
    stream_version: int
    type: str
    schema_version: int
    payload: bytes
    occurred_at: datetime


RELEASABLE: Final = "identity"
"""The kind of names that a stream may let go of all at once, without saying which."""


@immutable
class Claim:
    """A name that must be unique across streams: (kind, key) belongs to `stream_id` for ever, or
    until a unit releases it.

    `fingerprint` tells a repeat of the same request from another request with the same name. The
    stream may claim the name again: that changes nothing, its first claim stands.
    """

    kind: str
    key: str
    stream_id: str
    fingerprint: bytes | None = None


@immutable
class CommandRecord:
    """The permanent idempotency record of one command, accepted or refused.

    `outcome` is JSON written by the committer (status, code, ids). `first_position` and
    `event_count` say which events the command wrote; where it wrote none, the first says where
    the log stood when it was decided.
    """

    client: str
    key: str
    fingerprint: bytes
    outcome: bytes
    first_position: int = 0
    event_count: int = 0


@immutable
class Unit:
    """What one command wants written: all of it or nothing."""

    command_id: UUID
    actor: str
    events: tuple[NewEvent, ...] = ()
    claims: tuple[Claim, ...] = ()
    record: CommandRecord | None = None
    correlation_id: UUID | None = None
    causation_id: UUID | None = None
    releases: tuple[tuple[str, str], ...] = ()
    """(kind, key) names that are free from now on. Only names are ever removed from the store."""
    forgets: tuple[str, ...] = ()
    """Streams of which every `RELEASABLE` name is free from now on, whatever it is."""


@immutable
class StreamHead:
    """The last event of a stream. Both numbers are compared: versions alone can coincide."""

    version: int = 0
    position: int = 0


@immutable
class Append:
    """One group. `append_id` makes a resubmission after an unknown outcome recognisable."""

    append_id: UUID
    units: tuple[Unit, ...]
    expected: Mapping[str, StreamHead]
    """Every stream the group read or writes, as it was when the group was decided."""


@immutable
class Committed:
    """The group is durable. Its events stand at `first_position`, +1, +2 …, in order."""

    first_position: int
    event_count: int
    recorded_at: datetime


@immutable
class Conflicted:
    """Nothing was written. All that stood in the way, so that the rest can go again."""

    streams: Mapping[str, StreamHead] = field(default_factory=dict)
    """Streams whose head is not the expected one → their actual head."""
    records: Mapping[tuple[str, str], CommandRecord] = field(default_factory=dict)
    """(client, key) already recorded → the stored record."""
    claims: Mapping[tuple[str, str], Claim] = field(default_factory=dict)
    """(kind, key) already claimed by another stream → the standing claim."""


class Payload(NamedTuple):
    """As much of an event as a fold needs: a third of what it costs to read all of `Recorded`."""

    stream_id: str
    stream_version: int
    position: int
    type: str
    schema_version: int
    payload: bytes


class EventStoreUnavailable(Exception):
    """The store can't be reached or gave no answer; after an append its outcome is unknown."""


class EventStoreBroken(Exception):
    """The store refuses and will go on refusing until somebody mends it; the message says how.

    Nothing was written.
    """


class EventStore(Protocol):
    """The port. All reads see everything committed before they were called.

    Any method may raise EventStoreUnavailable or EventStoreBroken.
    """

    async def append(self, group: Append) -> Committed | Conflicted:
        """Write the whole group or nothing. The same `append_id` again returns the first answer.

        Raises:
            EventStoreUnavailable: no answer; submit the SAME group again.
            EventStoreBroken: nothing was written; trying again is of no use.
            ValueError: the group or an event of it is too large, or the group is malformed.
        """
        ...

    async def read_streams(self, stream_ids: Sequence[str]) -> Mapping[str, Sequence[Recorded]]:
        """All events of each stream, in order. One that is not there is an empty sequence."""
        ...

    async def payloads(self, after: Mapping[str, int]) -> Mapping[str, Sequence[Payload]]:
        """What comes after a version of each stream, in order; after 0 is all of it."""
        ...

    async def read_stream(
        self, stream_id: str, *, after_version: int = 0, limit: int = 1_000
    ) -> Sequence[Recorded]:
        """A page of one stream after a version."""
        ...

    async def last_events(self, stream_ids: Sequence[str]) -> Mapping[str, Recorded]:
        """The last event of each stream that has one."""
        ...

    async def read_log(self, *, after_position: int, limit: int) -> Sequence[Recorded]:
        """A page of the log. Dense positions: a reader that stores the last one misses nothing."""
        ...

    async def head(self) -> int:
        """The position of the last event, 0 for an empty log."""
        ...

    async def incarnation(self) -> UUID:
        """The log's identity; another one means positions were used again for other events."""
        ...

    async def claims(self, names: Sequence[tuple[str, str]]) -> Mapping[tuple[str, str], Claim]:
        """The standing claims among (kind, key) names."""
        ...

    async def records(
        self, keys: Sequence[tuple[str, str]]
    ) -> Mapping[tuple[str, str], CommandRecord]:
        """The stored records among (client, key) pairs."""
        ...

    async def records_of(self, first_positions: Sequence[int]) -> Mapping[int, CommandRecord]:
        """The records of the commands whose first events stand at these positions.

        A command that came without a key has none.
        """
        ...

    async def new_ids(self, count: int) -> range:
        """A block of at most NEW_IDS_MAX fresh integer identifiers, never handed out before."""
        ...
