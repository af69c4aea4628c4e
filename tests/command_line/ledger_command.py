"""The command `ledger` in processes of its own, as a user runs it."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

LEDGER = Path(sys.executable).with_name("ledger")
START_SECONDS_MAX = 120
COMMAND_SECONDS_MAX = 120


def environment(**variables: str) -> dict[str, str]:
    """Ours without any setting but the given ones."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("LEDGER_")}
    return kept | variables


def run_ledger(*arguments: str, **variables: str) -> "subprocess.CompletedProcess[str]":
    """A command to its end."""
    return subprocess.run(
        [LEDGER, *arguments],
        env=environment(**variables),
        capture_output=True,
        text=True,
        check=False,
        timeout=COMMAND_SECONDS_MAX,
    )


@dataclass
class Up:
    """A running `ledger up`."""

    data_dir: Path
    ready_file: Path
    variables: dict[str, str] = field(default_factory=dict)
    process: Any = None
    ready: dict[str, Any] = field(default_factory=dict)

    def start(self) -> None:
        self.ready_file.unlink(missing_ok=True)
        arguments = ["--data-dir", self.data_dir, "--port", "0", "--ready-file", self.ready_file]
        log = self.data_dir.with_suffix(".log").open("ab")
        self.process = subprocess.Popen(
            [LEDGER, "up", *arguments], env=environment(**self.variables), stdout=log, stderr=log
        )
        log.close()
        deadline = time.monotonic() + START_SECONDS_MAX
        while not self.ready_file.exists():
            assert self.process.poll() is None, self.log()
            assert time.monotonic() < deadline, self.log()
            time.sleep(0.05)
        self.ready = json.loads(self.ready_file.read_text())

    def log(self) -> str:
        return self.data_dir.with_suffix(".log").read_text()

    def stop(self, number: int = signal.SIGTERM) -> int:
        if self.process is None:
            return 0
        if self.process.poll() is None:
            self.process.send_signal(number)
        return int(self.process.wait(60))

    def request(self, method: str, path: str, body: object = None, **headers: str) -> Any:
        authorization = {"Authorization": f"Bearer {self.ready['token']}"}
        return httpx.request(
            method,
            f"{self.ready['url']}{path}",
            json=body,
            headers=authorization | headers,
            timeout=20,
            trust_env=False,
        )

    def balance(self, profile: str) -> Any:
        answer = self.request("GET", f"/api/v3/profiles/{profile}/balances")
        return answer.json()["data"]["reward_balance"]

    def issue(self, profile: str) -> None:
        definition = {
            "name": "Birthday", "handle": "birthday", "value": 10, "type": "birthday", "period": 30,
        }  # fmt: skip
        self.request("POST", "/api/v3/reward-definitions", definition)
        body = {"profile_id": profile, "reward_definition_handle": "birthday"}
        answer = self.request("POST", "/api/v3/rewards", body)
        assert answer.status_code == 201, answer.text


@contextmanager
def running(folder: Path) -> Iterator[Up]:
    """A ledger that runs meanwhile, on what this folder has of it."""
    up = Up(folder / "data", folder / "ready.json")
    try:
        up.start()
        yield up
    finally:
        up.stop()
