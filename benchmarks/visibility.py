"""From commit to visible: how long after its answer a redemption stands in the read model."""

import asyncio
import time
from collections import deque
from urllib.parse import urlsplit

import asyncpg

from benchmarks.deployment import Deployment, caught_up, issue_rewards, until
from benchmarks.load import exchange, header, post
from benchmarks.results import Result

COMMANDS_PER_SECOND = 200
PROFILES = 50
LOOK_SECONDS = 0.005
SECONDS_MIN = 15.0
WARM_UP_SECONDS = 2.0
"""Not counted: the first events meet processes that have never seen one."""
CONNECTIONS = 16
WAIT_SECONDS_MAX = 60.0

Line = tuple[asyncio.StreamReader, asyncio.StreamWriter]

_SEEN = """
SELECT stream_id, position FROM projections.balances_v1_streams WHERE stream_id = ANY($1)"""


def run(at: Deployment, seconds: float) -> list[Result]:
    """200 commands a second, while every look at the read model notes what has arrived."""
    with at.serving("api") as url, at.serving("relay", "projector"):
        names = asyncio.run(issue_rewards(url, at.token, PROFILES, "visible"))
        until(lambda: caught_up(at), "the read models", WAIT_SECONDS_MAX)
        lags, answers = asyncio.run(_watch(at, url, names, max(seconds, SECONDS_MIN)))
    lags.sort()
    answers.sort()
    return [
        Result(
            f"commit to visible at {COMMANDS_PER_SECOND} commands/s",
            f"p50 {_ms(lags, 0.5)}, p99 {_ms(lags, 0.99)}",
            f"answer p50 {_ms(answers, 0.5)}, p99 {_ms(answers, 0.99)}",
            goal="p99 ≤ 100 ms",
        )
    ]


async def _watch(
    at: Deployment, url: str, names: list[str], seconds: float
) -> tuple[list[float], list[float]]:
    waiting: dict[str, deque[tuple[int, float]]] = {f"account-{name}": deque() for name in names}
    lags: list[float] = []
    answers: list[float] = []
    connection = await asyncpg.connect(at.database_url)
    looking = asyncio.create_task(_look(connection, waiting, lags))
    lines: asyncio.Queue[Line] = asyncio.Queue()
    host, port = urlsplit(url).hostname, urlsplit(url).port
    for _ in range(CONNECTIONS):
        lines.put_nowait(await asyncio.open_connection(host, port))

    async def redeem(name: str) -> None:
        line = await lines.get()
        start = time.perf_counter()
        path = f"/api/v3/profiles/{name}/redeem"
        head = await exchange(*line, post(path, at.token, b'{"amount": "0.01"}'))
        now = time.perf_counter()
        lines.put_nowait(line)
        if start < counted_from:
            return
        answers.append(now - start)
        position = int(header(head, b"ledger-position"))
        waiting[f"account-{name}"].append((position, now))

    start = time.perf_counter()
    counted_from = start + WARM_UP_SECONDS
    tasks = []
    for number in range(int((WARM_UP_SECONDS + seconds) * COMMANDS_PER_SECOND)):
        due = start + number / COMMANDS_PER_SECOND
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        tasks.append(asyncio.create_task(redeem(names[number % len(names)])))
    await asyncio.gather(*tasks)
    while lines.qsize():
        lines.get_nowait()[1].close()
    async with asyncio.timeout(WAIT_SECONDS_MAX):
        while any(waiting.values()):
            await asyncio.sleep(LOOK_SECONDS)
    looking.cancel()
    await asyncio.gather(looking, return_exceptions=True)
    await connection.close()
    return lags, answers


async def _look(
    connection: "asyncpg.Connection[asyncpg.Record]",
    waiting: dict[str, deque[tuple[int, float]]],
    lags: list[float],
) -> None:
    while True:
        rows = await connection.fetch(_SEEN, list(waiting))
        now = time.perf_counter()
        for stream_id, position in rows:
            line = waiting[stream_id]
            while line and line[0][0] <= position:
                lags.append(max(0.0, now - line.popleft()[1]))
        await asyncio.sleep(LOOK_SECONDS)


def _ms(sorted_values: list[float], share: float) -> str:
    index = min(len(sorted_values) - 1, int(len(sorted_values) * share))
    return f"{sorted_values[index] * 1000:.0f} ms"
