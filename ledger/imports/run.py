"""What the two phases of an import have in common: the file's rows, piece by piece, and a tally."""

import hashlib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice
from typing import Final

import orjson

from ledger.event_store.port import CommandRecord, EventStore
from ledger.imports.csv_lines import Line
from ledger.imports.reward_rows import RewardRow, RewardRows, RowRefused
from ledger.personal.identified import ProfilesByIdentity
from ledger.rejections import Rejection
from schemas.immutable import immutable
from schemas.rewards import IssueReward, RewardIssued

CLIENT: Final = "import"
"""Whose names for commands the keys of rows are: the same file is the same, however it comes."""
PIECE_ROWS: Final = 1_000

Rejected = Callable[[Line, str], None]
"""Learns of each row that can't be imported, and why."""


@dataclass(frozen=True)
class FileOfRows:
    """One file, known by what it says and not by its name."""

    digest: str
    rows: RewardRows

    def key(self, line: int) -> str:
        """The key of a line for ever: run again, a row is the command it was."""
        return f"{self.digest}:{line}"

    @cached_property
    def fingerprint(self) -> bytes:
        """What stands behind a key is always the same row."""
        return hashlib.sha256(self.digest.encode()).digest()


@dataclass
class Tally:
    """What came of the rows so far."""

    rows: int = 0
    good: int = 0
    """Checked: could be written. Written: were."""
    done_before: int = 0
    """Written by an earlier run of the same file."""
    rejected: int = 0
    definitions: dict[int, "OfDefinition"] = field(default_factory=dict)

    def count(self, issued: RewardIssued) -> None:
        """A row that issues this reward."""
        self.good += 1
        of = self.definitions.setdefault(issued.definition_id, OfDefinition())
        of.rewards += 1
        of.value_minor += issued.value_remaining_minor


@dataclass
class OfDefinition:
    """What is issued under one definition."""

    rewards: int = 0
    value_minor: int = 0
    """What remains of them to spend."""


@immutable
class Addressed:
    """A row whose profile is found."""

    line: Line
    command: IssueReward


def pieces(
    rows: "Iterable[RewardRow | tuple[Line, RowRefused]]", size: int
) -> "Iterator[list[RewardRow | tuple[Line, RowRefused]]]":
    """The rows, so many at once."""
    following = iter(rows)
    while piece := list(islice(following, size)):
        yield piece


async def addressed(
    rows: Sequence[RewardRow], profiles: ProfilesByIdentity, rejected: Rejected
) -> list[Addressed]:
    """Rows with their profiles, all looked up at once. The unknown ones are rejected."""
    identities = {row.identity for row in rows if row.identity is not None}
    found = await profiles(identities) if identities else {}
    ready: list[Addressed] = []
    for row in rows:
        try:
            ready.append(Addressed(row.line, row.command(_profile_of(row, found))))
        except RowRefused as refused:
            rejected(row.line, str(refused))
    return ready


def _profile_of(row: RewardRow, found: Mapping[tuple[str, str], str]) -> str:
    by_identity = None if row.identity is None else found.get(row.identity)
    if row.profile_id is None:
        if by_identity is None:
            column = "EMAIL" if row.identity and row.identity[0] == "email" else "PROFILE_ID"
            raise RowRefused(f"{column}: No profile is known by it, or more than one.")
        return by_identity
    if by_identity not in (None, row.profile_id):
        raise RowRefused("EMAIL: It belongs to another profile than PROFILE_ID names.")
    return row.profile_id


async def done_before(
    file: FileOfRows, lines: Collection[int], store: EventStore
) -> dict[int, str | None]:
    """Lines an earlier run has carried out: None where it wrote a reward, else why it was refused.

    Looked at, and not decided again: going over what is done costs one look for many rows.
    """
    keys = {(CLIENT, file.key(line)): line for line in lines}
    records = await store.records(list(keys))
    return {keys[key]: _refusal(record) for key, record in records.items()}


def _refusal(record: CommandRecord) -> str | None:
    outcome = orjson.loads(record.outcome)
    return f"{outcome['detail']} ({outcome['code']})" if "code" in outcome else None


def told(refusal: Rejection) -> str:
    """A refusal of the ledger's in a row of the file."""
    column = "" if refusal.field is None else f"{refusal.field.upper()}: "
    detail = refusal.detail.removeprefix(f"{refusal.field}: ")
    return f"{column}{detail} ({refusal.code})"
