"""A load generator: keep-alive connections that each send a request as soon as they are answered.

It runs in a process of its own and does as little as it can, so that what is measured is the
server. Answers are read only as far as their status and length.
"""

import asyncio
import json
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from urllib.parse import urlsplit

import uvloop

HEAD_END = b"\r\n\r\n"


@dataclass(frozen=True)
class Job:
    """What to send: `paths` round robin, the same body each time."""

    url: str
    paths: list[str]
    body: str
    token: str
    connections: int
    seconds: float


@dataclass(frozen=True)
class Measured:
    """What came back."""

    seconds: float
    statuses: dict[str, int]
    milliseconds_p50: float
    milliseconds_p99: float

    @property
    def per_second(self) -> float:
        """Answers of 2xx a second."""
        return sum(n for s, n in self.statuses.items() if s.startswith("2")) / self.seconds


async def measure(job: Job) -> Measured:
    """Load in another process; this one only waits."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "benchmarks.load",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    out, _ = await process.communicate(json.dumps(asdict(job)).encode())
    if process.returncode:
        raise RuntimeError("the load generator failed")
    return Measured(**json.loads(out))


def post(path: str, token: str, body: bytes) -> bytes:
    """A whole request, ready to be sent again and again."""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\n"
        f"Authorization: Bearer {token}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def exchange(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes
) -> bytes:
    """Send a request and read its answer to the end; gives the answer's head."""
    writer.write(request)
    head = await reader.readuntil(HEAD_END)
    await reader.readexactly(int(header(head, b"content-length")))
    return head


def header(head: bytes, name: bytes) -> bytes:
    """The value of a header that is there."""
    return head.lower().split(name + b":")[1].split(b"\r\n")[0].strip()


async def _run(job: Job) -> Measured:
    split = urlsplit(job.url)
    assert split.hostname is not None
    assert split.port is not None
    requests = _requests(job)
    statuses: Counter[str] = Counter()
    latencies: list[float] = []
    start = time.perf_counter()
    deadline = start + job.seconds
    await asyncio.gather(
        *(
            _connection(split.hostname, split.port, requests, deadline, statuses, latencies)
            for _ in range(job.connections)
        )
    )
    seconds = time.perf_counter() - start
    latencies.sort()
    return Measured(
        seconds,
        dict(statuses),
        _percentile(latencies, 0.5) * 1000,
        _percentile(latencies, 0.99) * 1000,
    )


def _requests(job: Job) -> Iterator[bytes]:
    body = job.body.encode()
    prepared = [post(path, job.token, body) for path in job.paths]
    while True:
        yield from prepared


async def _connection(  # noqa: PLR0913, PLR0917 - each is one thing a connection needs
    host: str,
    port: int,
    requests: Iterator[bytes],
    deadline: float,
    statuses: Counter[str],
    latencies: list[float],
) -> None:
    reader, writer = await asyncio.open_connection(host, port)
    while (sent := time.perf_counter()) < deadline:
        head = await exchange(reader, writer, next(requests))
        latencies.append(time.perf_counter() - sent)
        statuses[head[9:12].decode()] += 1
    writer.close()


def _percentile(sorted_values: list[float], share: float) -> float:
    return sorted_values[min(len(sorted_values) - 1, int(len(sorted_values) * share))]


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        found = runner.run(_run(Job(**json.load(sys.stdin))))
    json.dump(asdict(found), sys.stdout)
