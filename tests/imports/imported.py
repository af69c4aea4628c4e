"""A ledger in memory that files are imported into."""

import asyncio
import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from ledger.committer import Committer
from ledger.decider import ProgrammeSettings
from ledger.event_store.memory import MemoryEventStore
from ledger.imports.checking import Check, Rules
from ledger.imports.csv_lines import CsvLines, Line, digest_of
from ledger.imports.rejected_rows import RejectedRows
from ledger.imports.reward_rows import RewardRows
from ledger.imports.run import FileOfRows, Tally
from ledger.imports.writing import Sender, Writing
from ledger.submission import Submission
from schemas.commands import Command
from schemas.reward_definitions import AddRewardDefinition

NOW = datetime(2031, 1, 1, tzinfo=UTC)
HEAD = "PROFILE_ID,REWARD_DEFINITION_HANDLE"
DEFINITION: dict[str, Any] = {
    "name": "B", "handle": "birthday", "value": 10, "type": "birthday", "period": 30,
}  # fmt: skip


def csv(*rows: str, head: str = HEAD) -> bytes:
    return "\n".join((head, *rows, "")).encode()


@dataclass
class Rejects:
    """What was rejected, and the file it makes."""

    columns: tuple[str, ...]
    lines: dict[int, str] = field(default_factory=dict)
    text: str = ""

    def __call__(self, line: Line, why: str) -> None:
        rejected = RejectedRows(self.columns)
        self.text = (self.text or rejected.header) + rejected.row(line, why)
        self.lines[line.number] = why


class Ledger:
    """With one definition to issue under."""

    def __init__(self) -> None:
        self.store = MemoryEventStore(clock=lambda: NOW)
        self.committer = Committer(self.store, clock=lambda: NOW)
        self.task = asyncio.create_task(self.committer.run())
        self.known: dict[tuple[str, str], str] = {}

    async def define(self, **fields: Any) -> None:
        await self.do(AddRewardDefinition.model_validate(DEFINITION | fields))

    async def do(self, command: Command) -> None:
        await self.committer.submit(Submission(command, "till", "till"))

    async def events(self, profile_id: str) -> list[str]:
        found = await self.store.read_streams([f"account-{profile_id}"])
        return [each.type for each in found[f"account-{profile_id}"]]

    async def profiles(self, identities: Any) -> Mapping[tuple[str, str], str]:
        return {each: self.known[each] for each in identities if each in self.known}

    def file(self, content: bytes) -> FileOfRows:
        opened = io.BytesIO(content)
        return FileOfRows(digest_of(opened), RewardRows(CsvLines(opened)))

    async def check(self, content: bytes, **rules: Any) -> "tuple[Check, Rejects]":
        file = self.file(content)
        rejects = Rejects(file.rows.lines.columns)
        rules = {"create_profiles": True, **rules}
        check = Check(
            self.store, self.profiles, Rules(lambda: NOW, ProgrammeSettings(), **rules), rejects
        )
        await check.run(file)
        return check, rejects

    async def bring_in(self, content: bytes, **rules: Any) -> "tuple[Tally, Rejects]":
        """Both phases."""
        check, rejects = await self.check(content, **rules)
        lanes = [self.committer.submit_all] * 2
        writing = Writing(self.store, self.profiles, lanes, Sender("import", b"key"), rejects)
        await writing.run(self.file(content), check.spoilt)
        return writing.tally, rejects
