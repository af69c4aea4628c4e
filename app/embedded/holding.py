"""One starter per data directory: who holds it, and what it runs there.

The lock is the system's own (flock), so no crash leaves it behind. The supervisors inherit it: when
the starter is killed, the lock ends only after the last server has ended, and the next starter
never meets a server that is still shutting down.
"""

import contextlib
import fcntl
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from app.embedded.errors import unwritable
from app.embedded.processes import is_running, started_at


@dataclass(frozen=True)
class Running:
    """What a holder has running; a port is 0 for a server it was not asked to start."""

    postgres_port: int = 0
    postgres_pid: int = 0
    kafka_port: int = 0
    kafka_pid: int = 0


@dataclass(frozen=True)
class Holder:
    """The process that holds a directory, and what it runs once it is ready."""

    pid: int
    alive: bool
    running: Running | None


class Hold:
    """The lock on one data directory."""

    def __init__(self, folder: Path) -> None:
        self._lock_file = folder / "lock"
        self._record_file = folder / "run" / "holder"
        self.descriptor: int | None = None

    def take(self) -> bool:
        """Take the lock if it is free; never waits."""
        try:
            descriptor = os.open(self._lock_file, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as cause:
            raise unwritable(self._lock_file, cause) from cause
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(descriptor)
            return False
        self.descriptor = descriptor
        self.record(None)
        return True

    def record(self, running: Running | None) -> None:
        """Tell others who holds the directory and, once they are ready, where its servers are."""
        holder = {"pid": os.getpid(), "started": started_at(os.getpid())}
        servers = None if running is None else asdict(running)
        partial = self._record_file.with_suffix(".new")
        partial.write_text(json.dumps({**holder, "running": servers}))
        partial.replace(self._record_file)

    def holder(self) -> Holder | None:
        """Who holds the directory, as far as the record says."""
        try:
            record = json.loads(self._record_file.read_text())
            running = None if record["running"] is None else Running(**record["running"])
            return Holder(int(record["pid"]), is_running(record), running)
        except (OSError, ValueError, TypeError, KeyError):
            return None

    def release(self) -> None:
        """Give the directory back; called after the servers have ended."""
        if self.descriptor is None:
            return
        with contextlib.suppress(OSError):
            self._record_file.unlink(missing_ok=True)
        # Unlocked explicitly: a fork of this process may hold a copy of the descriptor.
        fcntl.flock(self.descriptor, fcntl.LOCK_UN)
        os.close(self.descriptor)
        self.descriptor = None
