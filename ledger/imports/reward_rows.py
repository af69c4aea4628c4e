"""From a line of the file to the command that issues a reward, or to what is wrong with it."""

import re
from collections.abc import Iterator, Sequence
from typing import Any, Final

from pydantic import ValidationError

from ledger.imports.csv_lines import CsvLines, Line, UnreadableFile, shown, unescaped
from ledger.personal.identified import Identity
from ledger.personal.tokens import EMAIL as EMAIL_HANDLE
from schemas.immutable import immutable
from schemas.rewards import IssueReward
from schemas.sentences import sentences

EMAIL: Final = "EMAIL"
PROFILE_ID: Final = "PROFILE_ID"
PROFILE_ID_HANDLE: Final = "PROFILE_ID_HANDLE"
DEFINITIONS: Final = ("REWARD_DEFINITION_ID", "REWARD_DEFINITION_HANDLE")
_OF_THE_COMMAND: Final = (
    *DEFINITIONS,
    "VALUE_INITIAL",
    "VALUE_REMAINING",
    "TIMEZONE",
    "ISSUED_AT",
    "EXPIRES_AT",
    "EXTERNAL_ID",
    "HAS_NOTIFIED_ISSUE",
    "HAS_NOTIFIED_EXPIRY",
)
COLUMNS: Final = (EMAIL, PROFILE_ID, PROFILE_ID_HANDLE, *_OF_THE_COMMAND)
SAID_OF_THE_ROW: Final = ("LINE", "ERROR")
"""What the file of rejected rows has beside them; it means nothing on the way in."""
IDENTIFIER_MAX: Final = 255

_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_DAY_TIMES: Final = {"issued_at": "00:00:00", "expires_at": "23:59:59"}
_NEVER: Final = "never"
_EMAIL: Final = re.compile(r"[^@\s]+@[^@\s]+")


@immutable
class RewardRow:
    """A row that can be read: what to issue, to a profile that may have to be looked up first."""

    line: Line
    fields: dict[str, Any]
    """The command's fields, as text."""
    identity: Identity | None = None
    profile_id: str | None = None
    """One of the two is there; both are when the file names the profile in both ways."""

    def command(self, profile_id: str) -> IssueReward:
        """The command for the profile that was found.

        Raises:
            RowRefused: a field is not what it should be; the message names its column.
        """
        try:
            return IssueReward.model_validate({"profile_id": profile_id, **self.fields})
        except ValidationError as error:
            raise RowRefused(_columns_at_fault(error)) from None


class RowRefused(Exception):
    """A row can't be imported; the message says how to mend it, and quotes nothing personal."""


class RewardRows:
    """The rows of one file."""

    def __init__(self, lines: CsvLines) -> None:
        """Look at the header.

        Raises:
            UnreadableFile: a column is unknown, or one is missing.
        """
        self.lines = lines
        _check_columns(lines.columns)
        self._names = [
            name.lower() if name not in SAID_OF_THE_ROW else "" for name in lines.columns
        ]

    def __iter__(self) -> "Iterator[RewardRow | tuple[Line, RowRefused]]":
        """Each row, or its line and what is wrong with it."""
        for line in self.lines:
            try:
                yield self._row(line)
            except RowRefused as refused:
                yield line, refused

    def _row(self, line: Line) -> RewardRow:
        if line.wrong is not None:
            raise RowRefused(line.wrong)
        if len(line.cells) != len(self._names):
            raise RowRefused(
                f"The row has {len(line.cells)} columns, the first line {len(self._names)}."
            )
        fields: dict[str, Any] = {
            name: cell
            for name, raw in zip(self._names, line.cells, strict=True)
            if name and (cell := unescaped(raw))
        }
        for name, time in _DAY_TIMES.items():
            if (day := fields.get(name)) is not None and _DAY.fullmatch(day):
                fields[name] = f"{day} {time}"
        if fields.get("expires_at", "").lower() == _NEVER:
            fields["expires_at"] = None
        email = fields.pop("email", None)
        handle, profile_id = fields.pop("profile_id_handle", None), fields.pop("profile_id", None)
        return _addressed(RewardRow(line, fields), email, handle, profile_id)


def _addressed(
    row: RewardRow, email: str | None, handle: str | None, profile_id: str | None
) -> RewardRow:
    if email is None and profile_id is None:
        raise RowRefused("EMAIL or PROFILE_ID: one of them has to name the profile.")
    if email is not None and (len(email) > IDENTIFIER_MAX or not _EMAIL.fullmatch(email)):
        raise RowRefused("EMAIL: Give an e-mail address.")
    if handle is not None:
        if profile_id is None or email is not None:
            raise RowRefused(
                "PROFILE_ID_HANDLE: Give the identifier in PROFILE_ID, and leave EMAIL empty."
            )
        if max(len(handle), len(profile_id)) > IDENTIFIER_MAX:
            raise RowRefused(f"PROFILE_ID: Give at most {IDENTIFIER_MAX} characters.")
        return RewardRow(row.line, row.fields, (handle, profile_id))
    identity = None if email is None else (EMAIL_HANDLE, email)
    return RewardRow(row.line, row.fields, identity, profile_id)


def _check_columns(columns: Sequence[str]) -> None:
    unknown = [name for name in columns if name not in {*COLUMNS, *SAID_OF_THE_ROW}]
    if unknown:
        raise UnreadableFile(
            f"These columns are not known here: {shown(unknown)}. There are"
            f" {', '.join(COLUMNS)}; commas stand between them."
        )
    if not {EMAIL, PROFILE_ID}.intersection(columns):
        raise UnreadableFile("A column is missing: EMAIL or PROFILE_ID.")
    if not set(DEFINITIONS).intersection(columns):
        raise UnreadableFile(f"A column is missing: {' or '.join(DEFINITIONS)}.")


def _columns_at_fault(error: ValidationError) -> str:
    """Field names as the file has them; what was sent is not repeated."""
    found = sentences([{**each, "loc": ("row", *each["loc"])} for each in error.errors()])
    said = []
    for name, texts in found.items():
        column = "" if name == "row" else f"{name.upper()}: "
        said.append(f"{column}{' '.join(texts)}")
    return " ".join(said)
