"""Which commands may come over Kafka: all that HTTP takes, and the facts of elsewhere.

A fact is in the past tense: it has happened there, at its `time`, and is imported by the command
of the same content. The ledger may refuse it all the same; it never overdraws.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from pydantic import ValidationError

from consumers.command_records import Received
from ledger.commands import HANDLERS
from schemas.commands import Command
from schemas.personal_data import ErasePersonalData
from schemas.programme import ChangeProgrammeSettings
from schemas.redemptions import MakeRedemption
from schemas.rewards import IssueReward, RecordDueFacts
from schemas.sentences import sentences
from schemas.transactions import LinkRedemption

FACTS: Final[Mapping[str, type[Command]]] = {
    "RewardIssued": IssueReward,
    "RedemptionMade": MakeRedemption,
    "TransactionLinked": LinkRedemption,
}
NOT_HERE: Final = frozenset({RecordDueFacts, ErasePersonalData, ChangeProgrammeSettings})
"""What only the ledger says to itself; what asks for a scope of its own: an erasure, new rules."""
COMMANDS: Final[Mapping[str, type[Command]]] = {
    command.__name__: command for command in HANDLERS if command not in NOT_HERE
}
AHEAD_MAX: Final = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Read:
    """A command, and when it happened if it is a fact; None is now."""

    command: Command
    occurred_at: datetime | None = None


class NotUnderstood(Exception):
    """The record is a CloudEvent, and what it says is no command: its sender must mend it."""

    def __init__(self, code: str, detail: str, errors: dict[str, list[str]] | None = None) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.errors = errors or {}


def understood(received: Received, now: datetime) -> Read:
    """The command a record holds.

    Raises:
        NotUnderstood: no such type, or the data don't fit it.
    """
    fact = FACTS.get(received.type)
    command = fact or COMMANDS.get(received.type)
    if command is None:
        raise NotUnderstood(
            "unknown_command",
            f"There is no command {received.type!r}; docs/kafka.md lists them.",
        )
    try:
        read = command.model_validate(dict(received.data))
    except ValidationError as error:
        found: list[Any] = [each | {"loc": ("data", *each["loc"])} for each in error.errors()]
        detail = "The data are not those of such a command; `errors` says which fields."
        raise NotUnderstood("validation_failed", detail, sentences(found)) from None
    if fact is None:
        return Read(read)
    if received.time is None:
        raise NotUnderstood("validation_failed", "A fact needs its `time`: when it happened.")
    if received.time > now + AHEAD_MAX:
        raise NotUnderstood("validation_failed", "A fact can't have happened in the future.")
    return Read(read, min(received.time, now))
