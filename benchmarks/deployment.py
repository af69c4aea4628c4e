"""A deployment of its own for a run: servers, database, and the ledger's processes one by one."""

import asyncio
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg
import httpx

from app.embedded import EmbeddedServers
from projections.read_models import ALL

_BEHIND = """
SELECT EXISTS (
  SELECT FROM (SELECT stream_id, max(stream_version) AS version FROM ledger.events
    WHERE stream_id LIKE 'account-%' GROUP BY stream_id) head
  LEFT JOIN {streams} s USING (stream_id) WHERE s.stream_version IS DISTINCT FROM head.version)"""

START_SECONDS_MAX = 60.0
POLL_SECONDS = 0.1


@dataclass(frozen=True)
class Deployment:
    """Where everything is."""

    database_url: str
    owner_database_url: str
    kafka_bootstrap_servers: str
    token: str
    environment: dict[str, str] = field(repr=False)
    folder: Path

    @contextmanager
    def serving(self, *roles: str) -> Iterator[str]:
        """`ledger serve ROLES` as a process of its own, ready; gives the API's URL."""
        port = free_port()
        environment = self.environment | {"LEDGER_PORT": str(port)}
        with running([_ledger(), "serve", *roles], environment, self.folder / f"{roles[0]}.log"):
            url = f"http://127.0.0.1:{port}"
            if "api" in roles:
                until(lambda: _answers(f"{url}/healthz"), "the API")
            yield url


@contextmanager
def deployment() -> Iterator[Deployment]:
    """Start the servers in a temporary folder, migrate, make a token."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="ledger-bench-")))
        servers = stack.enter_context(EmbeddedServers(folder / "data")).servers
        environment = os.environ | {
            "LEDGER_DATABASE_URL": servers.database_url,
            "LEDGER_OWNER_DATABASE_URL": servers.owner_database_url,
            "LEDGER_KAFKA_BOOTSTRAP_SERVERS": servers.kafka_bootstrap_servers,
            "LEDGER_DATA_DIR": str(folder / "data"),
            "LEDGER_LOG_LEVEL": "warning",
        }
        _command(["migrate"], environment)
        said = _command(["token", "create", "--client", "bench", "--scope", "*"], environment)
        token = next(word for word in said.split() if word.startswith("ledger_"))
        yield Deployment(
            servers.database_url,
            servers.owner_database_url,
            servers.kafka_bootstrap_servers,
            token,
            environment,
            folder,
        )


@contextmanager
def running(command: list[str], environment: dict[str, str], log: Path) -> Iterator[None]:
    """A process for the time of a measurement."""
    with log.open("wb") as output:
        process = subprocess.Popen(command, env=environment, stdout=output, stderr=output)
        try:
            yield
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()


def free_port() -> int:
    """A port nobody uses now."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def until(condition: Any, what: str, seconds_max: float = START_SECONDS_MAX) -> float:
    """Wait; how many seconds it took."""
    start = time.monotonic()
    while not condition():
        if time.monotonic() - start > seconds_max:
            raise TimeoutError(f"{what} did not get there within {seconds_max:.0f} s")
        time.sleep(POLL_SECONDS)
    return time.monotonic() - start


def caught_up(at: Deployment) -> bool:
    """Whether every read model of accounts holds every event."""
    return asyncio.run(_caught_up(at))


async def _caught_up(at: Deployment) -> bool:
    connection = await asyncpg.connect(at.owner_database_url)
    try:
        for projection in ALL:
            if projection.category == "account" and await connection.fetchval(
                _BEHIND.format(streams=projection.streams)
            ):
                return False
        return True
    finally:
        await connection.close()


async def issue_rewards(url: str, token: str, profiles: int, prefix: str) -> list[str]:
    """Profiles with a balance that no run exhausts."""
    headers = {"Authorization": f"Bearer {token}"}
    limits = httpx.Limits(max_connections=32)
    names = [f"{prefix}-{number}" for number in range(profiles)]
    async with httpx.AsyncClient(
        base_url=f"{url}/api/v3", headers=headers, timeout=60, limits=limits
    ) as client:
        definition = {"name": "Bench", "handle": prefix, "value": 10, "type": "bench", "period": 30}
        (await client.post("/rewards/definitions", json=definition)).raise_for_status()

        async def issue(name: str) -> None:
            body = {
                "profile_id": name,
                "reward_definition_handle": prefix,
                "value_initial": 10_000_000,
            }
            (await client.post("/rewards", json=body)).raise_for_status()

        await asyncio.gather(*map(issue, names))
    return names


def _command(arguments: list[str], environment: dict[str, str]) -> str:
    done = subprocess.run(
        [_ledger(), *arguments], env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(f"ledger {arguments[0]} failed: {done.stderr}")
    return done.stdout


def _ledger() -> str:
    return str(Path(sys.executable).with_name("ledger"))


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=2).status_code == 200
    except httpx.HTTPError:
        return False
