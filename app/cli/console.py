"""What a person at the terminal sees: progress on stderr, results on stdout."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

from rich.console import Console
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
def telling() -> Iterator[Teller]:
    """A teller that ends with the block, whatever happens in it."""
    teller = Teller()
    try:
        yield teller
    finally:
        teller.end()


def say(text: str = "") -> None:
    """A line of the result, exactly as it is."""
    print(text, flush=True)  # noqa: T201 -- the command line's output


def fail(message: str, status: int = FAILED) -> NoReturn:
    """End with one clear line on stderr."""
    print(f"ledger: {message}", file=sys.stderr, flush=True)  # noqa: T201
    sys.exit(status)
