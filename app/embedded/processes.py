"""Server processes as their starter sees them: started, watched, stopped, or left over."""

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.embedded.errors import EmbeddedServerError, last_lines

SUPERVISOR = Path(__file__).with_name("supervisor.py")
SPAWN_SECONDS_MAX = 20.0
STOP_MARGIN_SECONDS = 5.0
LOG_BYTES_MAX = 10_000_000
POLL_SECONDS = 0.05


@dataclass(frozen=True)
class Order:
    """What to run, as whom, and how it is ended; the supervisor's first line of input."""

    name: str
    command: Sequence[str]
    folder: Path
    environment: Mapping[str, str]
    log: Path
    stop_signal: signal.Signals
    stop_seconds_max: float
    user_id: int | None = None
    group_id: int | None = None

    def line(self) -> bytes:
        """The order as the supervisor reads it."""
        order = {
            "command": [str(part) for part in self.command],
            "folder": str(self.folder),
            "environment": dict(self.environment),
            "log": str(self.log),
            "stop_signal": int(self.stop_signal),
            "stop_seconds_max": self.stop_seconds_max,
            "user_id": self.user_id,
            "group_id": self.group_id,
            "parent_pid": os.getpid(),
        }
        return json.dumps(order).encode() + b"\n"


class Supervised:
    """One server under its supervisor, which dies with this process and takes the server along."""

    def __init__(self, order: Order, hold: int, record: Path) -> None:
        """Start it. `hold` is the descriptor of the directory's lock; `record` remembers the pid"""
        self.order = order
        _turn_log(order.log)
        self._supervisor = subprocess.Popen(  # noqa: S603 -- our own script, our own arguments
            [sys.executable, "-I", "-S", str(SUPERVISOR)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # the terminal's Ctrl-C must not reach the server before us
            pass_fds=(hold,),
        )
        assert self._supervisor.stdin is not None
        with contextlib.suppress(OSError):  # a supervisor that died at once is seen just below
            self._supervisor.stdin.write(order.line())
            self._supervisor.stdin.flush()
        self.pid = self._read_pid()
        self._identity = {"pid": self.pid, "started": started_at(self.pid)}
        record.write_text(json.dumps(self._identity))

    def alive(self) -> bool:
        """Whether the server itself still runs; its supervisor notices the end a little later."""
        return self._supervisor.poll() is None and is_running(self._identity)

    def wait_until(self, ready: Callable[[], bool], seconds_max: float) -> None:
        """Return when `ready` says so; raise with the log's end when it dies or is too slow."""
        deadline = time.monotonic() + seconds_max
        while not ready():
            if not self.alive():
                self.stop()
                raise self.failed("exited", "stopped while it was starting.")
            if time.monotonic() > deadline:
                self.stop()
                raise self.failed(
                    "not_ready",
                    f"was not ready within {seconds_max:.0f} s. Look at its log, see whether the"
                    " machine is overloaded, and start again.",
                )
            time.sleep(POLL_SECONDS)

    def failed(self, code: str, what: str) -> EmbeddedServerError:
        """The error for this server, with what its log says last."""
        name = self.order.name
        return EmbeddedServerError(f"{name}_{code}", f"{name} {what}{last_lines(self.order.log)}")

    def stop(self) -> None:
        """End the server in order, in bounded time; harmless when it has ended already."""
        if self._supervisor.stdin is not None and not self._supervisor.stdin.closed:
            with contextlib.suppress(OSError):
                self._supervisor.stdin.write(b"stop\n")
                self._supervisor.stdin.flush()
            with contextlib.suppress(OSError):
                self._supervisor.stdin.close()
        try:
            self._supervisor.wait(self.order.stop_seconds_max + STOP_MARGIN_SECONDS)
        except subprocess.TimeoutExpired:
            if self.pid:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(self.pid, signal.SIGKILL)
            self._supervisor.kill()
            self._supervisor.wait()
        if self._supervisor.stdout is not None:
            self._supervisor.stdout.close()

    def _read_pid(self) -> int:
        assert self._supervisor.stdout is not None
        readable, _, _ = select.select([self._supervisor.stdout], [], [], SPAWN_SECONDS_MAX)
        line = self._supervisor.stdout.readline() if readable else b""
        report: dict[str, Any] = json.loads(line) if line else {}
        if "pid" in report:
            return int(report["pid"])
        self.pid = 0
        self._supervisor.kill()
        self.stop()
        raise self.failed(
            "not_started",
            f"could not be started ({report.get('refused', 'no answer from its supervisor')})."
            f" Check that {self.order.command[0]} can be run by this user.",
        )


def started_at(pid: int) -> str | None:
    """What tells a process from a later one with the same pid; None when it is gone or a zombie."""
    try:
        # The name in parentheses may hold anything, so count from its end: state is field 3,
        # start time in clock ticks is field 22.
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        if Path("/proc/self/stat").exists():
            return None
        listing = subprocess.run(  # noqa: S603 -- a number is all we add
            ["ps", "-o", "lstart=", "-p", str(pid)],  # noqa: S607 -- wherever this system has it
            capture_output=True,
            text=True,
            check=False,
        )
        return listing.stdout.strip() or None
    return None if fields[0] in "ZX" else fields[19]


def is_running(record: Mapping[str, Any]) -> bool:
    """Whether the process of a `{pid, started}` record is the very one that was recorded."""
    pid, started = record.get("pid"), record.get("started")
    return isinstance(pid, int) and started is not None and started_at(pid) == started


def end_leftover(record_path: Path, seconds_max: float) -> None:
    """End a server that outlived its supervisor (which takes a kill -9 of the supervisor alone)."""
    try:
        record = json.loads(record_path.read_text())
    except (OSError, ValueError):
        return
    if not isinstance(record, dict):
        return
    for attempt in (signal.SIGTERM, signal.SIGINT, signal.SIGKILL):
        deadline = time.monotonic() + seconds_max
        while is_running(record) and time.monotonic() < deadline:
            with contextlib.suppress(ProcessLookupError):
                os.kill(record["pid"], attempt)
            time.sleep(POLL_SECONDS * 4)


def end_orphans(name: str, folder: Path, seconds_max: float) -> None:
    """End processes called `name` that work in `folder`, whose parent was killed.

    A busy PostgreSQL backend notices the death of its server only when its query ends, and until
    then no new server may start on the data. (Where there is no /proc, that wait remains.)
    """
    deadline = time.monotonic() + seconds_max
    while orphans := _working_in(name, folder):
        late = time.monotonic() > deadline
        for pid in orphans:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL if late else signal.SIGQUIT)
        if time.monotonic() > deadline + seconds_max:
            return
        time.sleep(POLL_SECONDS)


def _working_in(name: str, folder: Path) -> list[int]:
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if (entry / "comm").read_text().strip() == name and (entry / "cwd").samefile(folder):
                found.append(int(entry.name))
    return found


def _turn_log(log: Path) -> None:
    if log.exists() and log.stat().st_size > LOG_BYTES_MAX:
        log.replace(log.with_suffix(".log.1"))
