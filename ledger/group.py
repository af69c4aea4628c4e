"""One round of the committer: what is known before deciding, and what each command leads to."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ledger.event_store.port import Claim, CommandRecord, NewEvent, StreamHead, Unit
from ledger.rejections import Rejection
from ledger.repeats import external_name, outcome_bytes
from ledger.streams import initial_state
from ledger.submission import Answer, Pending, Submission
from schemas.events import Event, encode
from schemas.immutable import immutable
from schemas.redemptions import MakeRedemption
from schemas.transaction_changes import TransactionChanges

Name = tuple[str, str]


@immutable
class Versioned:
    """A stream's state and the head it was folded up to."""

    state: Any
    head: StreamHead


@dataclass(slots=True)
class Decided:
    """A submission whose answer stands ready and is given only after the commit."""

    pending: Pending
    answer: Answer | BaseException
    unit: Unit | None = None
    """What to write. A refusal writes no event, but the state it rests on is checked as well."""
    read: frozenset[str] = frozenset()
    """The streams the decision looked at."""

    @property
    def written(self) -> set[str]:
        """The streams it writes to."""
        return set() if self.unit is None else {event.stream_id for event in self.unit.events}


class NotLoaded(Exception):
    """A decision looked at what is not in memory yet: load it and decide again."""


@dataclass(slots=True)
class Group:
    """One round: what is known before deciding, and what the decisions built on top of it."""

    base: dict[str, Versioned] = field(default_factory=dict)
    names: dict[Name, Claim | None] = field(default_factory=dict)
    """Names looked up so far; None where nobody holds one."""
    overlay: dict[str, Versioned] = field(default_factory=dict)
    decided: list[Decided] = field(default_factory=list)
    event_count: int = 0
    event_bytes: int = 0
    missing_streams: set[str] = field(default_factory=set)
    missing_names: set[Name] = field(default_factory=set)

    def state(self, stream_id: str) -> Versioned:
        """The state a decision sees: with everything decided earlier in the group."""
        found = self.overlay.get(stream_id) or self.base.get(stream_id)
        if found is None:
            self.missing_streams.add(stream_id)
            raise NotLoaded(stream_id)
        return found

    def claim(self, name: Name) -> Claim | None:
        """The standing claim on a name."""
        if name not in self.names:
            self.missing_names.add(name)
            raise NotLoaded(name)
        return self.names[name]

    def head(self, stream_id: str) -> StreamHead:
        """The head the store has to have; a stream nobody looked at is one not yet begun."""
        base = self.base.get(stream_id)
        return StreamHead() if base is None else base.head

    def start_over(self) -> None:
        """Forget the decisions, keep what was loaded."""
        self.overlay.clear()
        self.decided.clear()
        self.missing_streams.clear()
        self.missing_names.clear()
        self.event_count = self.event_bytes = 0


class GroupView:
    """A decision's view of the group; it remembers what was looked at."""

    def __init__(self, group: Group) -> None:
        self._group = group
        self._seen: dict[str, Versioned] = {}

    @property
    def read(self) -> frozenset[str]:
        """The streams looked at."""
        return frozenset(self._seen)

    def state(self, stream_id: str) -> Any:
        """See `View`."""
        seen = self._seen.get(stream_id)
        if seen is None:
            seen = self._seen[stream_id] = self._group.state(stream_id)
        return seen.state

    def stream_named(self, kind: str, key: str) -> str | None:
        """See `View`."""
        claim = self._group.claim((kind, key))
        return None if claim is None else claim.stream_id

    def before(self, stream_id: str) -> Versioned:
        """The stream as the decision found it, which may be before its first event."""
        seen = self._seen.get(stream_id)
        return Versioned(initial_state(stream_id), StreamHead()) if seen is None else seen


def new_event(event: Event, stream_id: str, stream_version: int, now: datetime) -> NewEvent:
    """An event as the store takes it."""
    return NewEvent(
        stream_id=stream_id,
        stream_version=stream_version,
        type=type(event).__name__,
        schema_version=event.SCHEMA_VERSION,
        payload=encode(event),
        occurred_at=now,
    )


def unit_of(
    submission: Submission,
    events: tuple[NewEvent, ...],
    claims: tuple[Claim, ...],
    answer: Answer | Rejection,
) -> Unit:
    """What one command wants written, with the record of its answer where it has a key."""
    record = None
    if submission.key is not None:
        kept = outcome_bytes(answer)
        record = CommandRecord(submission.client, submission.key, submission.fingerprint, kept)
    return Unit(submission.command_id, submission.actor, events, claims, record)


def names_of(submission: Submission) -> list[Name]:
    """What two commands of one group must not share: the second has to see the first's claim."""
    names = [] if submission.key is None else [(f"key of {submission.client}", submission.key)]
    taken = external_name(submission)
    if taken is not None:
        names.append(taken)
    told = (submission.identity, *submission.identities.values())
    names.extend(("identity", name) for name in told if name is not None)
    command = submission.command
    if isinstance(command, MakeRedemption) and command.transaction_external_id is not None:
        names.append(("transaction.external_id", command.transaction_external_id))
    if isinstance(command, TransactionChanges) and command.external_id is not None:
        names.append(("transaction.external_id", command.external_id))
    return names
