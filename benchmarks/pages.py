"""The console's page of a profile with 10,000 events."""

import asyncio
import time
from http.cookies import SimpleCookie
from statistics import median

import httpx

from benchmarks.deployment import Deployment
from benchmarks.loading import PROFILE, written
from benchmarks.results import Result

REPEATS = 9


def run(at: Deployment, _: float) -> list[Result]:
    """The whole page over HTTP, beside its history alone."""
    asyncio.run(written(at.database_url))
    with (
        at.serving("api") as url,
        httpx.Client(base_url=url, trust_env=False, timeout=60) as client,
    ):
        signed = client.post("/console/sign-in", data={"token": at.token})
        cookie = SimpleCookie(signed.headers["set-cookie"])
        named = "; ".join(f"{name}={morsel.value}" for name, morsel in cookie.items())
        page = _milliseconds(client, f"/console/profiles/{PROFILE}", {"Cookie": named})
        history = _milliseconds(
            client,
            f"/api/v3/profiles/{PROFILE}/history?newest=true",
            {"Authorization": f"Bearer {at.token}"},
        )
    return [
        Result(
            "a profile's page, 10,000 events",
            f"{page:.0f} ms",
            f"its history alone {history:.0f} ms",
            goal="≤ 500 ms",
        )
    ]


def _milliseconds(client: httpx.Client, path: str, headers: dict[str, str]) -> float:
    took: list[float] = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        client.get(path, headers=headers).raise_for_status()
        took.append((time.perf_counter() - start) * 1000)
    return median(took)
