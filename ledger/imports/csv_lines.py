"""A CSV file line by line, within bounds, whoever made it.

One line is one row: none of our columns holds a line break, so a quote that is never closed spoils
its own line and no other.
"""

import csv
import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import IO, Final

from schemas.immutable import immutable

LINE_BYTES_MAX: Final = 16 * 1024
COLUMNS_MAX: Final = 64
NAME_SHOWN_MAX: Final = 40
READ_AHEAD: Final = 1024 * 1024
_BOM: Final = b"\xef\xbb\xbf"
_UNKEPT: Final = re.compile("[\x00\r]")
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
ESCAPE: Final = "'"


class UnreadableFile(Exception):
    """The file as a whole can't be imported; the message says why."""


@immutable
class Line:
    """One line with something in it. `text` is as it stood, without its end."""

    number: int
    """From 1, the header's."""
    cells: Sequence[str] = ()
    wrong: str | None = None
    """Why it can't be read."""
    text: str = ""


@dataclass
class CsvLines:
    """The lines after the header. `columns` are its names in capitals, as they stand there."""

    file: IO[bytes]
    columns: tuple[str, ...] = ()
    bytes_read: int = 0
    _number: int = 0
    _header: bytes = field(default=b"", repr=False)

    def __post_init__(self) -> None:
        """Read the header.

        Raises:
            UnreadableFile: there is none, or not in the form of one.
        """
        while not self._header.strip():
            raw = self._next_raw()
            if raw is None:
                raise UnreadableFile("The file is empty: its first line has to name the columns.")
            self._header = raw.removeprefix(_BOM)
        line = self._line(self._header)
        if line.wrong is not None:
            raise UnreadableFile(f"Line {line.number}, the names of the columns: {line.wrong}")
        self.columns = tuple(cell.strip().upper() for cell in line.cells)
        twice = [name for name in dict.fromkeys(self.columns) if self.columns.count(name) > 1]
        if twice:
            raise UnreadableFile(f"These columns stand there twice: {shown(twice)}.")

    def __iter__(self) -> Iterator[Line]:
        """Every line that isn't blank."""
        while (raw := self._next_raw()) is not None:
            if raw.strip(b" \t\r\n,;"):
                yield self._line(raw)

    def _next_raw(self) -> bytes | None:
        """The next line's bytes; what goes beyond the bound is read over and not kept."""
        raw = self.file.readline(LINE_BYTES_MAX + 1)
        if not raw:
            return None
        self._number += 1
        self.bytes_read += len(raw)
        if len(raw) > LINE_BYTES_MAX:
            part = raw
            while part and not part.endswith(b"\n"):
                part = self.file.readline(READ_AHEAD)
                self.bytes_read += len(part)
        return raw

    def _line(self, raw: bytes) -> Line:
        text = raw[:LINE_BYTES_MAX].decode(errors="replace").rstrip("\r\n")
        try:
            return Line(self._number, _cells(raw, text), None, text)
        except ValueError as error:
            return Line(self._number, (), str(error), _UNKEPT.sub(" ", text))


def _cells(raw: bytes, text: str) -> Sequence[str]:
    """A line taken apart.

    Raises:
        ValueError: it can't be; the message says why.
    """
    if len(raw) > LINE_BYTES_MAX:
        raise ValueError(f"The line is longer than {LINE_BYTES_MAX} bytes.")
    if "\ufffd" in text:
        raise ValueError("The line is not UTF-8.")
    if _UNKEPT.search(text):
        raise ValueError(
            "The line has a NUL or a carriage return in it; end lines with a line feed."
        )
    try:
        (cells,) = csv.reader((text,), strict=True)
    except (csv.Error, ValueError):
        raise ValueError(
            "A quote is opened and not closed on this line, or closed and gone on after."
        ) from None
    if len(cells) > COLUMNS_MAX:
        raise ValueError(f"The line has more than {COLUMNS_MAX} columns.")
    return cells


def shown(names: Sequence[str]) -> str:
    """Names of a sender's for a message, each within bounds."""
    short = (name if len(name) <= NAME_SHOWN_MAX else f"{name[:NAME_SHOWN_MAX]}…" for name in names)
    return ", ".join(repr(name) for name in short)


def digest_of(file: IO[bytes]) -> str:
    """What the file is known by, whatever its name; reads it from its beginning and goes back."""
    file.seek(0)
    found = hashlib.sha256()
    while part := file.read(READ_AHEAD):
        found.update(part)
    file.seek(0)
    return found.hexdigest()


def escaped(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula."""
    return f"{ESCAPE}{cell}" if cell.startswith(_FORMULA) else cell


def unescaped(cell: str) -> str:
    """The cell as it was before `escaped`, without the blanks around it."""
    cell = cell.strip()
    return cell[1:] if cell.startswith(ESCAPE) and cell[1:].startswith(_FORMULA) else cell
