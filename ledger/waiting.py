"""The queue before the committer: bounded, first in first out, with a lane for what can wait."""

from collections import deque
from collections.abc import Sequence

from ledger.group import names_of
from ledger.submission import Overloaded, Pending

GROUP_MAX = 500
PATIENT_MAX = 100
"""How many patient commands may ride in one group, and only where others leave room."""


class WaitingLine:
    """Submissions in order. Two under one name never share a group."""

    def __init__(self, queue_max: int) -> None:
        self._queue_max = queue_max
        self._lines: dict[bool, deque[Pending]] = {False: deque(), True: deque()}

    def __len__(self) -> int:
        return sum(map(len, self._lines.values()))

    def add(self, pending: Pending) -> None:
        """At the end of its line.

        Raises:
            Overloaded: the line is full; the patient ones can't shut the others out.
        """
        line = self._lines[pending.submission.patient]
        if len(line) >= self._queue_max:
            raise Overloaded
        line.append(pending)

    def add_again(self, pending: Sequence[Pending]) -> None:
        """Back to the front, in their order: they have waited before."""
        for one in reversed(pending):
            self._lines[one.submission.patient].appendleft(one)

    def next_group(self) -> list[Pending]:
        """Take the next group. A second command under one name waits for the first's outcome."""
        group: list[Pending] = []
        names: set[tuple[str, str]] = set()
        self._take(self._lines[False], GROUP_MAX, group, names)
        if not any(pending.alone for pending in group):
            room = min(PATIENT_MAX, GROUP_MAX - len(group))
            self._take(self._lines[True], len(group) + room, group, names)
        return group

    def take_all(self) -> list[Pending]:
        """Everything that waits, when nobody will commit it any more."""
        left = [pending for line in self._lines.values() for pending in line]
        for line in self._lines.values():
            line.clear()
        return left

    def _take(
        self,
        line: deque[Pending],
        group_max: int,
        group: list[Pending],
        names: set[tuple[str, str]],
    ) -> None:
        later: list[Pending] = []
        while line and len(group) < group_max:
            if line[0].alone and group:
                break
            pending = line.popleft()
            if pending.answered.done():  # with a fault, which was said to be the end of it
                continue
            mine = names_of(pending.submission)
            if names.isdisjoint(mine):
                group.append(pending)
            else:
                later.append(pending)
            names.update(mine)
            if pending.alone:
                break
        line.extendleft(reversed(later))
