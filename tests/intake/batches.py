"""Batches of Kafka for the intake, without Kafka; and what it publishes."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from consumers.command_intake import Reception
from consumers.command_records import Received, Unread
from consumers.known_commands import Read
from consumers.outcomes import Message
from ledger.rejections import Rejection
from ledger.submission import Submission


@dataclass(frozen=True)
class Record:
    """As much of a record as the intake looks at."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...]


class Topic:
    """Records in order, as a till publishes them."""

    def __init__(self, name: str = "ledger.commands") -> None:
        self.name = name
        self.records: list[Record] = []

    def add(
        self,
        kind: str,
        data: Any,
        *,
        id: str | None = None,  # noqa: A002 - CloudEvents calls it that
        key: str | None = "p",
        **attributes: str,
    ) -> Record:
        number = len(self.records)
        told = {
            "specversion": "1.0",
            "id": f"m-{number}" if id is None else id,
            "source": "/till",
            "type": kind,
        }
        headers = {f"ce_{name}": text for name, text in (told | attributes).items()}
        value = data if isinstance(data, bytes) else json.dumps(data).encode()
        record = Record(
            self.name,
            0,
            number,
            None if key is None else key.encode(),
            value,
            tuple((name, text.encode()) for name, text in headers.items()),
        )
        self.records.append(record)
        return record


class PlainReception(Reception):
    """Seals nothing."""

    async def whole(self, received: Received) -> Received:
        return received

    async def submissions(
        self, arrived: Sequence[tuple[Received, Read]]
    ) -> Sequence[Submission | Rejection]:
        return [
            Submission(
                read.command,
                client=f"kafka:{received.topic_source}",
                actor=received.topic_source,
                key=f"{received.source} {received.id}",
                fingerprint=read.command.model_dump_json().encode(),
                occurred_at=read.occurred_at,
            )
            for received, read in arrived
        ]

    async def sealed(self, unread: Unread) -> str:
        return f"sealed {len(unread.value)} bytes"


@dataclass
class Published:
    """A publisher that remembers, and fails as often as it is told to."""

    outcomes: list[dict[str, Any]] = field(default_factory=list)
    dead_letters: list[Message] = field(default_factory=list)
    faults: int = 0

    async def publish(self, outcomes: Sequence[Message], dead_letters: Sequence[Message]) -> None:
        if self.faults:
            self.faults -= 1
            raise ConnectionError("the broker is away")
        self.outcomes += [json.loads(message.value) for message in outcomes]
        self.dead_letters += dead_letters

    async def close(self) -> None:
        """Nothing to give up."""

    @property
    def said(self) -> list[str]:
        """Each outcome in one word: accepted, or the code that refused it."""
        return [each.get("code", each["outcome"]) for each in self.outcomes]
