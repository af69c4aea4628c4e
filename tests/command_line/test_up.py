"""`ledger up` as a user meets it: it starts, serves, survives crashes, and stops cleanly."""

import json
import os
import signal
import stat
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from command_line.ledger_command import Up, run_ledger
from embedded.clients import wait_for_death

RECOVERY_SECONDS_MAX = 60


def eventually(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + RECOVERY_SECONDS_MAX
    while not holds():
        assert time.monotonic() < deadline, "it did not come to hold in time"
        time.sleep(0.1)


def server_pid(up: Up, name: str) -> int:
    return int(json.loads((up.data_dir / "run" / name).read_text())["pid"])


def status(up: Up) -> str:
    return str(up.request("GET", "/readyz").json()["status"])


def test_the_ready_file_has_what_a_script_needs(up: Up) -> None:
    assert set(up.ready) == {"url", "token", "database_url", "kafka_bootstrap_servers", "pid"}
    assert up.ready["pid"] == up.process.pid
    # Not at once: in random order, a test before this one may have killed a server.
    eventually(lambda: status(up) == "ok")


def test_its_secrets_are_readable_by_the_owner_only(up: Up) -> None:
    token = up.data_dir / "secrets" / "token"
    assert token.read_text().strip() == up.ready["token"]
    for file in (token, up.ready_file):
        assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_the_token_opens_everything_and_no_token_opens_nothing(up: Up) -> None:
    assert up.request("GET", "/api/v3/reward-definitions").status_code == 200
    assert httpx.get(f"{up.ready['url']}/api/v3/reward-definitions").status_code == 401


def test_the_interactive_pages_are_there(up: Up) -> None:
    assert "swagger" in httpx.get(f"{up.ready['url']}/docs").text


def test_the_application_may_not_write_the_log(up: Up) -> None:
    doctor = run_ledger("doctor", "--data-dir", str(up.data_dir), "--json")
    findings = {finding["name"]: finding for finding in json.loads(doctor.stdout)}
    assert findings["Append only"]["ok"]
    assert findings["Rights"]["ok"]
    assert findings["Partitions"]["ok"]
    assert doctor.returncode == 0


def test_replay_shows_the_profile_from_the_log(up: Up) -> None:
    up.issue("p-replayed")
    folder = str(up.data_dir)
    told = run_ledger("replay", "p-replayed", "--data-dir", folder)
    assert "Profile p-replayed registered" in told.stdout
    assert "10 AUD" in told.stdout
    as_json = json.loads(run_ledger("replay", "p-replayed", "--json", "--data-dir", folder).stdout)
    assert as_json["balance"] == "10"
    assert [entry["balance"] for entry in as_json["entries"]] == ["0", "10"]


def test_a_created_token_works_with_its_scopes_only(up: Up) -> None:
    created = run_ledger(
        *("token", "create", "--client", "till", "--scope", "read-rewards"),
        *("--data-dir", str(up.data_dir)),
    )
    headers = {"Authorization": f"Bearer {created.stdout.strip()}"}
    assert httpx.get(f"{up.ready['url']}/api/v3/rewards", headers=headers).status_code == 200
    other = httpx.get(f"{up.ready['url']}/api/v3/reward-definitions", headers=headers)
    assert other.status_code == 403


def test_kafka_may_die_commands_go_on_and_the_relay_catches_up(up: Up) -> None:
    os.kill(server_pid(up, "kafka"), signal.SIGKILL)
    up.issue("p-without-kafka")
    assert up.balance("p-without-kafka") == 10
    eventually(lambda: status(up) == "ok")
    eventually(lambda: up.request("GET", "/readyz").json()["lag"]["events"] == 0)


def test_postgresql_may_die_and_comes_back(up: Up) -> None:
    up.issue("p-through-a-crash")
    os.kill(server_pid(up, "postgres"), signal.SIGKILL)
    answer = up.request("GET", "/readyz")
    assert answer.status_code in (200, 503)
    eventually(lambda: status(up) == "ok")
    assert up.balance("p-through-a-crash") == 10


def test_no_password_stands_in_the_log(up: Up) -> None:
    word = up.ready["database_url"].partition("ledger_app:")[2].partition("@")[0]
    assert word
    assert word not in up.log()
    assert "Traceback" not in up.log()


@pytest.fixture
def own_up(tmp_path: Path) -> Iterator[Up]:
    running = Up(tmp_path / "data", tmp_path / "ready.json")
    yield running
    running.stop()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_stops_cleanly_and_a_new_start_finds_everything(own_up: Up, number: int) -> None:
    own_up.start()
    own_up.issue("p-kept")
    servers = [server_pid(own_up, name) for name in ("postgres", "kafka")]
    token = own_up.ready["token"]
    assert own_up.stop(number) == 0
    assert not own_up.ready_file.exists()
    wait_for_death(*servers)
    own_up.start()
    assert own_up.balance("p-kept") == 10
    assert own_up.ready["token"] == token


def test_a_kill_loses_nothing_that_was_answered(own_up: Up) -> None:
    own_up.start()
    own_up.issue("p-killed")
    servers = [server_pid(own_up, name) for name in ("postgres", "kafka")]
    own_up.process.kill()
    own_up.process.wait()
    wait_for_death(*servers)
    own_up.start()
    assert own_up.balance("p-killed") == 10
    eventually(lambda: own_up.request("GET", "/readyz").json()["lag"]["events"] == 0)
