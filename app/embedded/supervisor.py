"""Keeps one server exactly as long as its starter lives.

Run as a plain script (`python -I -S supervisor.py`), so it starts in milliseconds and imports
nothing of ours. The first line on stdin is the order (JSON); afterwards stdin only says one thing:
the starter is gone (end of file) or wants a stop (any byte). A starter killed with -9 closes the
pipe as well, and a copy of the pipe kept open by some fork is caught by asking for our parent.
The starter's lock on the data directory is inherited on purpose: it ends only when the server has.
"""

import contextlib
import ctypes
import json
import os
import select
import signal
import subprocess
import sys
from typing import Any

POLL_SECONDS = 0.1
PR_SET_PDEATHSIG = 1


def main() -> int:
    """Run the ordered server to its end; its exit code is ours."""
    with open(0, "rb", buffering=0, closefd=False) as commands:
        order: dict[str, Any] = json.loads(commands.readline())
    stop_asked = _catch_signals()
    try:
        server = _start(order)
    except OSError as refused:
        _report({"refused": f"{refused.strerror}: {refused.filename}"})
        return 1
    _report({"pid": server.pid})
    while server.poll() is None:
        readable, _, _ = select.select([0], [], [], POLL_SECONDS)
        if readable or stop_asked or os.getppid() != order["parent_pid"]:
            _end(server, order["stop_signal"], order["stop_seconds_max"])
    _report({"exit_code": server.returncode})
    return 0


def _catch_signals() -> list[int]:
    """Ctrl-C and a closed terminal are the starter's business; a plain kill means an orderly stop.

    Handlers instead of SIG_IGN: an ignored signal would stay ignored in the server.
    """
    stop_asked: list[int] = []
    signal.signal(signal.SIGINT, lambda *_: None)
    signal.signal(signal.SIGHUP, lambda *_: None)
    signal.signal(signal.SIGTERM, lambda number, _: stop_asked.append(number))
    return stop_asked


def _start(order: dict[str, Any]) -> "subprocess.Popen[bytes]":
    library = ctypes.CDLL(None) if sys.platform == "linux" else None

    def die_with_the_supervisor() -> None:
        # After the change of user, which would clear it. This process has one thread, so the
        # signal, which is bound to the forking thread, comes when the process itself ends.
        if library is not None:
            library.prctl(PR_SET_PDEATHSIG, int(order["stop_signal"]), 0, 0, 0)

    account: dict[str, Any] = {}
    if order["user_id"] is not None:
        account = {"user": order["user_id"], "group": order["group_id"], "extra_groups": []}
    with open(order["log"], "ab") as log:
        return subprocess.Popen(  # noqa: S603 -- the order comes from our own starter
            order["command"],
            cwd=order["folder"],
            env=order["environment"],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            preexec_fn=die_with_the_supervisor,  # noqa: PLW1509 -- one thread, no lock to inherit
            **account,
        )


def _end(server: "subprocess.Popen[bytes]", stop_signal: int, seconds_max: float) -> None:
    server.send_signal(stop_signal)
    try:
        server.wait(seconds_max)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()


def _report(fact: dict[str, Any]) -> None:
    with contextlib.suppress(OSError):  # a dead starter reads nothing any more
        os.write(1, json.dumps(fact).encode() + b"\n")


if __name__ == "__main__":
    sys.exit(main())
