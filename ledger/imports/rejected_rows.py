"""The rejected rows as a file that can be corrected and imported again."""

import csv
import io
from collections.abc import Sequence
from typing import Final

from ledger.imports.csv_lines import Line, escaped, unescaped
from ledger.imports.reward_rows import SAID_OF_THE_ROW

MEDIA_TYPE: Final = "text/csv; charset=utf-8"


def names_of(columns: Sequence[str]) -> list[str]:
    """The columns of a file that a rejected row has; before what is said of it."""
    return [name for name in columns if name not in SAID_OF_THE_ROW]


class RejectedRows:
    """Makes its lines: the columns of the file, then what is wrong and in which line it was."""

    def __init__(self, columns: Sequence[str]) -> None:
        self._places = [place for place, name in enumerate(columns) if name not in SAID_OF_THE_ROW]
        self.header = _row([*(columns[place] for place in self._places), *SAID_OF_THE_ROW])

    def row(self, line: Line, why: str) -> str:
        """One rejected row. What couldn't be taken apart stands whole in its first cell."""
        cells = list(line.cells) or [line.text]
        kept = [cells[place] if place < len(cells) else "" for place in self._places]
        return _row([*(escaped(unescaped(cell)) for cell in kept), str(line.number), escaped(why)])


def _row(cells: Sequence[str]) -> str:
    made = io.StringIO()
    csv.writer(made, lineterminator="\r\n").writerow(cells)
    return made.getvalue()
