"""One round of the committer: what is known before deciding, and what each command leads to."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ledger.commands import HANDLERS, Reference
from ledger.event_store.port import Claim, CommandRecord, NewEvent, StreamHead, Unit
from ledger.repeats import external_name
from ledger.submission import Answer, Pending, Submission
from schemas.events import Event, encode


@dataclass(frozen=True, slots=True)
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
    stream_id: str | None = None


@dataclass(slots=True)
class Group:
    """One round: what is known before deciding, and what the decisions built on top of it."""

    base: dict[str, Versioned]
    names: dict[tuple[str, str], Claim]
    overlay: dict[str, Versioned] = field(default_factory=dict)
    decided: list[Decided] = field(default_factory=list)
    event_count: int = 0

    def state(self, stream_id: str) -> Versioned:
        """The state a decision sees: with everything decided earlier in the group."""
        return self.overlay.get(stream_id) or self.base[stream_id]


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
    outcome: bytes,
) -> Unit:
    """What one command wants written, its idempotency record included."""
    record = None
    if submission.key is not None:
        record = CommandRecord(submission.client, submission.key, submission.fingerprint, outcome)
    return Unit(submission.command_id, submission.actor, events, claims, record)


def target_of(submission: Submission, names: Mapping[tuple[str, str], Claim]) -> str | None:
    """The stream a command writes to; None where it names something that does not exist."""
    target = HANDLERS[type(submission.command)].target(submission.command)
    if isinstance(target, str):
        return target
    claim = names.get((target.kind, target.key))
    return None if claim is None else claim.stream_id


def looked_up(submission: Submission) -> list[tuple[str, str]]:
    """The names a decision must resolve in the store first."""
    target = HANDLERS[type(submission.command)].target(submission.command)
    names = [(target.kind, target.key)] if isinstance(target, Reference) else []
    taken = external_name(submission)
    return names if taken is None else [*names, taken]


def standing_claim(submission: Submission, names: Mapping[tuple[str, str], Claim]) -> Claim | None:
    """The earlier claim on this command's external_id."""
    name = external_name(submission)
    return None if name is None else names.get(name)


def names_of(submission: Submission) -> list[tuple[str, str]]:
    """What two commands of one group must not share: the key, and the external_id."""
    names = [] if submission.key is None else [(f"key of {submission.client}", submission.key)]
    taken = external_name(submission)
    return names if taken is None else [*names, taken]
