"""A starter in a process of its own, which tests may kill."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from embedded.clients import Starter

PROJECT = Path(__file__).parents[2]

STARTER = """
import dataclasses, json, pathlib, signal, sys
from app.embedded import EmbeddedServerError, EmbeddedServers
options = json.loads(sys.argv[2])
signal.signal(signal.SIGINT, lambda *_: print("interrupted", flush=True))
embedded = EmbeddedServers(pathlib.Path(sys.argv[1]), **options)
try:
    servers = embedded.start()
except EmbeddedServerError as error:
    print(json.dumps({"code": error.code, "message": error.message}), flush=True)
    sys.exit(1)
print(json.dumps(dataclasses.asdict(servers)), flush=True)
sys.stdin.readline()
embedded.stop()
print("stopped", flush=True)
"""


@pytest.fixture
def start_elsewhere() -> Iterator[Callable[..., Starter]]:
    """Start servers from another process; `before` is put in front of its command."""
    begun: list[subprocess.Popen[str]] = []

    def start(folder: Path, *, before: tuple[str, ...] = (), **options: Any) -> Starter:
        arguments = [sys.executable, "-c", STARTER, str(folder), json.dumps(options)]
        process = subprocess.Popen(
            [*before, *arguments],
            cwd=PROJECT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        begun.append(process)
        assert process.stdout is not None
        return Starter(process, json.loads(process.stdout.readline()))

    yield start
    for process in begun:
        if process.poll() is None:
            process.communicate("stop\n", timeout=40)
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()
