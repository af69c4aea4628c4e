"""What a person at the terminal sees: progress on stderr, results on stdout."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn, Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    TaskProgressColumn,
    TextColumn,
    TimeRemainingColumn,
)
from rich.status import Status

progress = Console(stderr=True, highlight=False, soft_wrap=True)
output = Console(highlight=False, soft_wrap=True)

FAILED = 1
MISUSED = 2
INTERRUPTED = 130
SERVERS = ("PostgreSQL", "Apache Kafka")


class Teller:
    """Tells what is waited for: a spinner on a terminal, a line at every change elsewhere."""

    def __init__(self, *, spinner: bool = True) -> None:
        self._last = ""
        self._starting: dict[str, str] = {}
        self._status: Status | None = None
        if spinner and progress.is_terminal:
            self._status = progress.status("Starting", spinner="dots")
            self._status.start()

    def __call__(self, text: str) -> None:
        """The step that runs now."""
        if text == self._last:
            return
        self._last = text
        if self._status is None:
            print(text, file=sys.stderr, flush=True)  # noqa: T201 -- progress for scripts
        else:
            self._spin(text)

    def _spin(self, text: str) -> None:
        """The servers start at the same time: one that is ready must not hide the other."""
        name, _, state = text.partition(": ")
        if name not in SERVERS:
            self._starting = {"": text}
        elif state == "ready":
            self._starting.pop(name, None)
            progress.print(f"✓ {text}", style="green")
        else:
            self._starting[name] = text
        if self._status is not None and self._starting:
            self._status.update(" · ".join(self._starting.values()))

    def end(self) -> None:
        """Nothing is waited for any more; again is fine."""
        if self._status is not None:
            self._status.stop()

    @contextmanager
    def aside(self) -> Iterator[None]:
        """Room for something else that moves on the terminal."""
        self.end()
        yield
        if self._status is not None:
            self._status.start()


@contextmanager
def telling() -> Iterator[Teller]:
    """A teller that ends with the block, whatever happens in it."""
    teller = Teller()
    try:
        yield teller
    finally:
        teller.end()


class Bar:
    """A progress bar on a terminal, with so many `units` a second; nothing elsewhere."""

    def __init__(self, what: str, total: float, units: str) -> None:
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TaskProgressColumn(),
            TextColumn(f"{{task.fields[count]:,}} {units}, {{task.fields[rate]:,.0f}}/s"),
            TimeRemainingColumn(),
            console=progress,
            disable=not progress.is_terminal,
        )
        self._task = self._progress.add_task(what, total=total, count=0, rate=0.0)

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def moved(self, completed: float, count: int, what: str | None = None) -> None:
        """So much of the total, and so many units, are done; `what` runs now."""
        elapsed = self._progress.tasks[0].elapsed or 0
        self._progress.update(
            self._task,
            completed=completed,
            description=what,
            count=count,
            rate=count / elapsed if elapsed else 0.0,
        )


def say(text: str = "") -> None:
    """A line of the result, exactly as it is."""
    print(text, flush=True)  # noqa: T201 -- the command line's output


def fail(message: str, status: int = FAILED) -> NoReturn:
    """End with one clear line on stderr."""
    print(f"ledger: {message}", file=sys.stderr, flush=True)  # noqa: T201
    sys.exit(status)
