"""Killed, frozen and crowded: what was answered holds, and nothing happens twice."""

import asyncio
import contextlib
import json
import os
import signal
import time
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import httpx
import pytest
from command_line.ledger_command import Up
from end_to_end.steps import defined, issued, read

SECONDS_MAX = 60


def eventually(holds: Callable[[], bool]) -> None:
    """Wait for what has to come."""
    deadline = time.monotonic() + SECONDS_MAX
    while not holds():
        assert time.monotonic() < deadline, "it did not come to hold in time"
        time.sleep(0.1)


def server_pid(up: Up, name: str) -> int:
    """The process of an embedded server."""
    return int(json.loads((up.data_dir / "run" / name).read_text())["pid"])


def client(up: Up) -> httpx.AsyncClient:
    """Many connections at once, with the token."""
    return httpx.AsyncClient(
        base_url=up.ready["url"],
        headers={"Authorization": f"Bearer {up.ready['token']}"},
        timeout=30,
        limits=httpx.Limits(max_connections=100),
        trust_env=False,
    )


async def redeem(http: httpx.AsyncClient, profile: str, amount: str, key: str) -> int | None:
    """The status, or None where no answer came."""
    path = f"/api/v3/profiles/{profile}/redeem"
    headers = {"Idempotency-Key": key}
    try:
        return (await http.post(path, json={"amount": amount}, headers=headers)).status_code
    except httpx.HTTPError:
        return None


async def test_of_200_simultaneous_redemptions_of_a_balance_good_for_one_one_succeeds(
    up: Up,
) -> None:
    profile = f"p-{uuid4()}"
    issued(up, defined(up), profile)
    async with client(up) as http:
        statuses = await asyncio.gather(
            *(redeem(http, profile, "10", uuid4().hex) for _ in range(200))
        )
    assert sorted(set(statuses), key=str) == [201, 422]
    assert statuses.count(201) == 1
    assert up.balance(profile) == 0


async def test_a_kill_in_the_middle_of_a_burst_loses_and_doubles_nothing(up: Up) -> None:
    profiles = [f"p-{uuid4()}" for _ in range(4)]
    definition = defined(up)
    for profile in profiles:
        issued(up, definition, profile, "1000")
    keys = {uuid4().hex: profiles[number % 4] for number in range(1_200)}
    async with client(up) as http:
        burst = [
            asyncio.create_task(redeem(http, profile, "0.01", key)) for key, profile in keys.items()
        ]
        while sum(task.done() for task in burst) < 300:
            await asyncio.sleep(0.001)
        up.process.send_signal(signal.SIGKILL)
        answered = await asyncio.gather(*burst)
    up.process.wait()
    up.start()
    assert answered.count(None) > 0, "the kill came too late to test anything"
    made = sum(redemptions(up, profile) for profile in profiles)
    assert made >= answered.count(201)
    async with client(up) as http:
        again = await asyncio.gather(
            *(redeem(http, profile, "0.01", key) for key, profile in keys.items())
        )
    assert set(again) == {201}
    assert sum(redemptions(up, profile) for profile in profiles) == len(keys)
    assert sum(up.balance(profile) for profile in profiles) == 4 * 1000 - len(keys) / 100


def redemptions(up: Up, profile: str) -> int:
    """How many there are."""
    answer = up.request("GET", f"/api/v3/profiles/{profile}/redemptions")
    return int(answer.json()["meta"]["total"])


def test_a_frozen_kafka_degrades_and_nothing_is_stale(up: Up) -> None:
    profile = f"p-{uuid4()}"
    definition = defined(up)
    kafka = server_pid(up, "kafka")
    os.kill(kafka, signal.SIGSTOP)
    try:
        reward = issued(up, definition, profile)
        assert up.balance(profile) == 10
        assert (
            up.request("POST", f"/api/v3/profiles/{profile}/redeem", {"amount": "4"}).status_code
            == 201
        )
        assert up.balance(profile) == 6
        assert read(up, f"/rewards/{reward['id']}")["value_remaining"] == 6
        assert [each["total"] for each in read(up, f"/profiles/{profile}/redemptions")] == [4]
        assert read(up, f"/profiles/{profile}/rewards/expiry-order")[0]["value_available"] == 6
        assert read(up, f"/profiles/{profile}/ledgers")[0]["balance"] == 6
        eventually(lambda: _readiness(up)["status"] == "degraded")
        assert _readiness(up)["causes"]
    finally:
        os.kill(kafka, signal.SIGCONT)
    eventually(lambda: _readiness(up)["status"] == "ok" and _readiness(up)["lag"]["events"] == 0)


def _caught_up(up: Up) -> bool:
    return bool(_readiness(up)["status"] == "ok" and _readiness(up)["lag"]["events"] == 0)


def test_a_killed_read_side_comes_back_and_catches_up(up: Up) -> None:
    eventually(lambda: _caught_up(up))
    profile, definition, killed = f"p-{uuid4()}", defined(up), server_pid(up, "read_side")
    os.kill(killed, signal.SIGKILL)
    reward = issued(up, definition, profile)
    eventually(lambda: server_pid(up, "read_side") != killed)
    eventually(lambda: _caught_up(up))
    assert reward["id"] in [each["id"] for each in read(up, "/rewards")]


def test_a_frozen_read_side_is_told_and_lists_say_no_more_than_they_have(up: Up) -> None:
    eventually(lambda: _caught_up(up))
    profile, definition, frozen = f"p-{uuid4()}", defined(up), server_pid(up, "read_side")
    os.kill(frozen, signal.SIGSTOP)
    try:
        reward = issued(up, definition, profile)
        balances = up.request("GET", f"/api/v3/profiles/{profile}/balances")
        position = balances.headers["ledger-position"]
        listed = up.request("GET", "/api/v3/rewards")
        assert int(listed.headers["ledger-position"]) < int(position)
        assert reward["id"] not in [each["id"] for each in listed.json()["data"]]
        waited = up.request("GET", "/api/v3/rewards", **{"Ledger-Wait-For": position})
        assert reward["id"] in [each["id"] for each in waited.json()["data"]]
        assert _readiness(up)["lag"]["events"] > 0
    finally:
        with_pid(frozen)
    eventually(lambda: _caught_up(up))
    assert int(up.request("GET", "/api/v3/rewards").headers["ledger-position"]) >= int(position)


def test_a_frozen_postgresql_refuses_and_comes_back(up: Up) -> None:
    profile = f"p-{uuid4()}"
    issued(up, defined(up), profile)
    postgres = server_pid(up, "postgres")
    children = _children(postgres)
    for pid in (postgres, *children):
        os.kill(pid, signal.SIGSTOP)
    try:
        key = {"Idempotency-Key": uuid4().hex}
        path = f"/api/v3/profiles/{profile}/redeem"
        answer = up.request("POST", path, {"amount": "10"}, **key)
        assert answer.status_code == 503
        assert answer.json()["code"] in ("unavailable", "outcome_unknown")
        assert "Retry-After" in answer.headers
    finally:
        for pid in (*children, postgres):
            with_pid(pid)
    eventually(lambda: _readiness(up)["status"] == "ok")
    again = up.request("POST", path, {"amount": "10"}, **key)
    assert again.status_code == 201
    assert up.balance(profile) == 0


def with_pid(pid: int) -> None:
    """Let a process go on, if it is still there."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGCONT)


def _children(pid: int) -> list[int]:
    listed = f"/proc/{pid}/task/{pid}/children"
    if not os.path.exists(listed):
        pytest.fail("this kernel does not list a process's children")
    with open(listed) as file:
        return [int(child) for child in file.read().split()]


def _readiness(up: Up) -> Any:
    return up.request("GET", "/readyz").json()
