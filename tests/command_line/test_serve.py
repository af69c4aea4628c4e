"""`ledger serve`: roles as processes of their own, beside each other."""

import json
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from queue import Queue
from typing import Any

import httpx
import pytest
from command_line.ledger_command import LEDGER, Up, environment, run_ledger

SECONDS_MAX = 30


class Role:
    """A `ledger serve` and what it logs."""

    def __init__(self, *arguments: str, **variables: str) -> None:
        self.process = subprocess.Popen(
            [LEDGER, "serve", *arguments],
            env=environment(**variables),
            stderr=subprocess.PIPE,
            text=True,
        )
        self.logged: Queue[dict[str, Any]] = Queue()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stderr is not None
        with self.process.stderr as lines:
            for line in lines:
                self.logged.put(json.loads(line) if line.startswith("{") else {"event": line})

    def wait_for(self, event: str) -> dict[str, Any]:
        deadline = time.monotonic() + SECONDS_MAX
        while True:
            entry = self.logged.get(timeout=max(0.1, deadline - time.monotonic()))
            if entry["event"].startswith(event):
                return entry

    def stop(self, number: int = signal.SIGTERM) -> int:
        if self.process.poll() is None:
            self.process.send_signal(number)
        status = self.process.wait(SECONDS_MAX)
        self._reader.join()
        return status


@pytest.fixture
def own_database(up: Up) -> dict[str, str]:
    return {
        "LEDGER_DATABASE_URL": up.ready["database_url"],
        "LEDGER_KAFKA_BOOTSTRAP_SERVERS": up.ready["kafka_bootstrap_servers"],
        # Where the master key is that this database was set up with.
        "LEDGER_DATA_DIR": str(up.data_dir),
    }


@pytest.fixture
def second_api(own_database: dict[str, str]) -> Iterator[tuple[Role, str]]:
    role = Role("api", "--port", "0", **own_database)
    yield role, role.wait_for("started")["url"]
    role.stop()


def test_two_apis_share_one_balance(up: Up, second_api: tuple[Role, str]) -> None:
    up.issue("p-shared")
    urls = [up.ready["url"], second_api[1]]

    def redeem(number: int) -> int:
        answer = httpx.post(
            f"{urls[number % 2]}/api/v3/profiles/p-shared/redeem",
            json={"amount": 1},
            headers={"Authorization": f"Bearer {up.ready['token']}"},
            timeout=20,
        )
        return answer.status_code

    with ThreadPoolExecutor(16) as pool:
        statuses = list(pool.map(redeem, range(30)))
    assert statuses.count(201) == 10
    assert set(statuses) == {201, 422}
    assert up.balance("p-shared") == 0


def test_a_command_here_is_seen_there_at_once(up: Up, second_api: tuple[Role, str]) -> None:
    up.issue("p-elsewhere")
    answer = httpx.get(
        f"{second_api[1]}/api/v3/profiles/p-elsewhere/balances",
        headers={"Authorization": f"Bearer {up.ready['token']}"},
    )
    assert answer.json()["data"]["reward_balance"] == 10


@pytest.mark.parametrize(
    ("role", "number"),
    [
        *((role, signal.SIGTERM) for role in ("api", "relay", "projector", "expiry")),
        ("all", signal.SIGINT),
    ],
)
def test_each_role_starts_and_stops_cleanly(
    role: str, number: int, own_database: dict[str, str]
) -> None:
    running = Role(role, "--port", "0", **own_database)
    running.wait_for("started")
    time.sleep(0.5)
    assert running.stop(number) == 0


def test_it_waits_for_a_database_that_is_down_and_can_be_stopped_meanwhile() -> None:
    role = Role("expiry", LEDGER_DATABASE_URL="postgresql://u:topsecret@127.0.0.1:1/ledger")
    said = role.wait_for("waiting for PostgreSQL")["event"]
    assert "127.0.0.1:1" in said
    assert "topsecret" not in said
    assert role.stop() == 0


def test_a_relay_waits_for_a_kafka_that_is_down(own_database: dict[str, str]) -> None:
    role = Role("relay", **own_database | {"LEDGER_KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1"})
    assert role.wait_for("waiting_for_kafka")["servers"] == "127.0.0.1:1"
    assert role.stop() == 0


def test_a_role_that_can_never_work_ends_with_the_reason(own_database: dict[str, str]) -> None:
    outcome = run_ledger("serve", "relay", **own_database, LEDGER_PARTITIONS="5")
    assert outcome.returncode == 1
    assert "has 12 partitions, configured are 5" in outcome.stderr.splitlines()[-1]
    assert "Traceback" not in outcome.stderr
