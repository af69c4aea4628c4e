"""Redemptions over HTTP, 64 connections: spread over 1,000 profiles, and all on one."""

import asyncio
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

import asyncpg
import httpx

from benchmarks.deployment import Deployment, caught_up, free_port, issue_rewards, running, until
from benchmarks.load import Job, Measured, measure
from benchmarks.results import Result

CONNECTIONS = 64
PROFILES = 1_000
CATCH_UP_SECONDS_MAX = 600.0
BODY = '{"strategies": ["rewards"], "amount": "0.01"}'
REDEEM = "/api/v3/profiles/{}/redeem"


def run(at: Deployment, seconds: float) -> list[Result]:
    """Bare routes first, then the ledger with relay and projectors at work beside it."""
    with bare(at, "none") as url:
        limit = _load(url, "bench", ["p-1"], seconds)
    asyncio.run(_insert_table(at))
    with bare(at, "insert") as url:
        insert = _load(url, "bench", ["p-1"], seconds)
    with at.serving("api") as url, at.serving("relay", "projector"):
        names = asyncio.run(issue_rewards(url, at.token, PROFILES, "spread"))
        until(lambda: caught_up(at), "the read models", CATCH_UP_SECONDS_MAX)
        spread = _load(url, at.token, names, seconds)
        catching_up = until(lambda: caught_up(at), "the read models", CATCH_UP_SECONDS_MAX)
        one = _load(url, at.token, names[:1], seconds)
        until(lambda: caught_up(at), "the read models", CATCH_UP_SECONDS_MAX)
    return [
        _result("redemptions over HTTP, 1,000 profiles", spread, limit, "bare route", "≥ 60%"),
        _result("the same, beside a single-row insert", spread, insert, "bare insert", ""),
        _result("redemptions over HTTP, one profile", one, spread, "spread", "≥ 80%"),
        Result(
            "relay and projectors after the burst",
            f"caught up in {catching_up:.1f} s",
            f"burst of {seconds:.0f} s",
        ),
    ]


@contextmanager
def bare(at: Deployment, kind: Literal["none", "insert"]) -> Iterator[str]:
    """The bare route in a process of its own."""
    port = free_port()
    environment = os.environ | {
        "BENCH_KIND": kind,
        "BENCH_PORT": str(port),
        "BENCH_DATABASE_URL": at.owner_database_url,
    }
    url = f"http://127.0.0.1:{port}"
    with running([sys.executable, "-m", "benchmarks.bare"], environment, at.folder / "bare.log"):
        until(lambda: _listens(url), "the bare route")
        yield url


def _load(url: str, token: str, profiles: list[str], seconds: float) -> Measured:
    paths = [REDEEM.format(profile) for profile in profiles]
    warm_up = Job(url, paths, BODY, token, CONNECTIONS, 1.0)
    asyncio.run(measure(warm_up))
    found = asyncio.run(measure(Job(url, paths, BODY, token, CONNECTIONS, seconds)))
    refused = {status for status in found.statuses if not status.startswith("2")}
    if refused:
        raise RuntimeError(f"{url} answered {found.statuses}")
    return found


def _result(what: str, found: Measured, beside: Measured, name: str, goal: str) -> Result:
    return Result(
        what,
        f"{found.per_second:,.0f}/s, p99 {found.milliseconds_p99:.0f} ms",
        f"{name} {beside.per_second:,.0f}/s",
        found.per_second / beside.per_second,
        goal,
    )


def _listens(url: str) -> bool:
    try:
        httpx.get(url, timeout=2)
    except httpx.HTTPError:
        return False
    return True


async def _insert_table(at: Deployment) -> None:
    connection = await asyncpg.connect(at.owner_database_url)
    await connection.execute(
        "CREATE TABLE IF NOT EXISTS bench_redemptions (id bigserial PRIMARY KEY, "
        "profile_id text NOT NULL, client text NOT NULL, amount numeric NOT NULL)"
    )
    await connection.close()
