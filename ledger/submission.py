"""What goes into the committer and what comes out of it."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from ledger.decider import ProgrammeSettings
from schemas.commands import Command
from schemas.events import Event
from schemas.immutable import immutable
from schemas.personal import is_clear


@immutable
class Submission:
    """One command with who sent it. `key` makes it repeatable; `fingerprint` tells its body.

    A `dry_run` is decided and answered like any other, and writes nothing. What is `patient` goes
    into a group only as far as there is room: the expiry of quiet accounts, imports.
    """

    command: Command
    client: str
    actor: str
    key: str | None = None
    fingerprint: bytes = b""
    dry_run: bool = False
    patient: bool = False
    personal: str | None = None
    """What of the command is personal, sealed; the command itself has none of it."""
    erasable: tuple[UUID, ...] = ()
    """The keys that an erasure is to destroy."""
    identity: str | None = None
    """The name under which the identity it tells is unique."""
    identities: Mapping[int, str | None] = field(default_factory=dict)
    """The same of the one it lets go of, by its id; None where nobody can read it."""
    limited: bool = False
    """The limits of staff hold."""
    occurred_at: datetime | None = None
    """When it happened, for a fact of elsewhere; None is now."""
    as_of: datetime | None = None
    """When it is decided, where a past is made up (demo data): its rules are those of that moment.

    Nothing that comes over HTTP or Kafka has it.
    """
    command_id: UUID = field(default_factory=uuid4)

    def __post_init__(self) -> None:
        """Nothing personal gets past the edge in clear, whoever forgot to strip it.

        Raises:
            ValueError: the command has personal fields; `ledger.personal.stripping` seals them.
        """
        if is_clear(self.command):
            raise ValueError(f"what is personal in {type(self.command).__name__} is not sealed")


@immutable
class Accepted:
    """The command is durable: its events, and the state of each stream right after them."""

    stream_id: str
    """The stream the answer is about."""
    written: tuple[tuple[str, Event], ...]
    """What it led to, each event with its stream."""
    states: Mapping[str, Any]
    at: datetime
    """When it was decided."""
    position: int = 0
    """Where the log stood after it; 0 for a dry run."""
    replayed: bool = False
    settings: ProgrammeSettings | None = None
    """The programme's settings right after it; None for a repeat."""
    dry_run: bool = False

    @property
    def events(self) -> tuple[Event, ...]:
        """The events in order, whatever their stream."""
        return tuple(event for _, event in self.written)

    @property
    def state(self) -> Any:
        """The state of the stream the answer is about."""
        return self.states[self.stream_id]


@immutable
class AlreadyThere:
    """A repeat under the same external_id: `stream_id` holds what the first request created."""

    stream_id: str
    kind: str
    external_id: str
    state: Any
    at: datetime
    """When it was found to be there."""
    position: int = 0
    """Where the log stood then; 0 for a dry run."""
    replayed: bool = False
    """The answer to this repeat stands under its own key, and this is it again."""


Answer = Accepted | AlreadyThere


@dataclass(eq=False, slots=True)
class Pending:
    """A submission waiting for its answer."""

    submission: Submission
    answered: asyncio.Future[Answer]
    conflicts: int = 0
    alone: bool = False
    """It has met too many conflicts, or may be what the store refuses: a group of its own."""

    def answer(self, answer: Answer | BaseException) -> None:
        """Answer once. A caller who has gone away must not stop the others."""
        if self.answered.done():
            return
        if isinstance(answer, BaseException):
            self.answered.set_exception(answer)
        else:
            self.answered.set_result(answer)


class Overloaded(Exception):
    """The queue is full: nothing was accepted, try again soon."""


class OutcomeUnknown(Exception):
    """No answer in time. The command may still be committed: repeat it under the same key."""


class Unavailable(Exception):
    """The event store can't be reached; nothing was written."""
