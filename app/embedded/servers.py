"""Both servers on one data directory: started by the first who asks, shared by the others."""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from types import TracebackType
from typing import Self

from app.embedded import kafka as kafka_server
from app.embedded import postgres as postgres_server
from app.embedded.errors import EmbeddedServerError, unwritable
from app.embedded.holding import Hold, Holder, Running
from app.embedded.kafka import Kafka
from app.embedded.kafka_jars import fetch_kafka
from app.embedded.ports import Ports
from app.embedded.postgres import Postgres
from app.embedded.processes import Supervised, end_leftover

HOLDER_SECONDS_MAX = 60.0
LEFTOVER_SECONDS_MAX = 10.0
POLL_SECONDS = 0.2
# A port can be taken between the look at it and the server's own try.
PORT_ATTEMPTS_MAX = 3


@dataclass(frozen=True)
class Servers:
    """Where the servers are. Of a server that was not asked for, the address is empty, the pid 0"""

    database_url: str
    owner_database_url: str
    kafka_bootstrap_servers: str
    postgres_pid: int
    kafka_pid: int


class EmbeddedServers:
    """Starts both servers on one data directory, or attaches to those that run there already.

    They live as long as this process: it stops them in order, and if it is killed, they stop too.
    Data, passwords and ports stay in the directory; the next start finds them.
    """

    def __init__(  # noqa: PLR0913 -- each names one choice of whoever starts the servers
        self,
        data_dir: Path,
        *,
        progress: Callable[[str], None] = lambda _: None,
        postgres: bool = True,
        kafka: bool = True,
        postgres_port: int | None = None,
        kafka_port: int | None = None,
        postgres_bin: Path | None = None,
        cache_dir: Path | None = None,
        maven_mirror: str | None = None,
        holder_seconds_max: float = HOLDER_SECONDS_MAX,
    ) -> None:
        """Choose; nothing is touched before `start`.

        `postgres_bin` is a folder with PostgreSQL's programs (default: the installed wheel's),
        `cache_dir` is where Kafka's jars are kept, `maven_mirror` where they come from, and
        `holder_seconds_max` how long to wait for another process that is starting the servers.
        """
        self._folder = data_dir.absolute()
        self._progress = progress
        self._postgres, self._kafka = postgres, kafka
        self._postgres_port, self._kafka_port = postgres_port, kafka_port
        self._postgres_bin, self._cache_dir = postgres_bin, cache_dir
        self._maven_mirror = maven_mirror
        self._holder_seconds_max = holder_seconds_max
        self._hold = Hold(self._folder)
        self._given_up = Event()
        self._started: dict[str, Supervised] = {}
        self._servers: Servers | None = None

    def start(self) -> Servers:
        """Return when both servers answer; raise EmbeddedServerError with what to do if not."""
        if self._servers and self._started and all(one.alive() for one in self._started.values()):
            return self._servers
        self.stop()
        self._make_folders()
        attached = self._take_or_attach()
        if attached is not None:
            self._servers = self._described(attached)
            return self._servers
        try:
            running = self._start_both()
            self._hold.record(running)
            self._servers = self._described(running)
        except OSError as cause:
            self.stop()
            raise unwritable(self._folder, cause) from cause
        except BaseException:
            self.stop()
            raise
        return self._servers

    def stop(self) -> None:
        """Stop what this object started, both at once and in bounded time; attached ones stay."""
        started, self._started, self._servers = self._started, {}, None
        if started:
            self._progress("Stopping the servers")
            with ThreadPoolExecutor(len(started)) as pool:
                list(pool.map(Supervised.stop, started.values()))
        self._hold.release()

    def mend(self) -> list[str]:
        """Start again, at the same address, what has ended by itself; the names of what was.

        Attached servers are their holder's to mend. Not to be called beside `start` or `stop`.
        """
        ended = [name for name, server in self._started.items() if not server.alive()]
        ports = Ports(self._folder / "ports.json")
        for name in ended:
            self._started[name].stop()
            if name == "postgres":
                self._postgres_port = ports.remembered(name)
                self._start_postgres(ports)
            else:
                self._kafka_port = ports.remembered(name)
                self._start_kafka(ports)
        if ended:
            running = self._running(ports)
            self._hold.record(running)
            self._servers = self._described(running)
        return ended

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def servers(self) -> Servers:
        """The started servers, for `with EmbeddedServers(...) as embedded`."""
        if self._servers is None:
            raise EmbeddedServerError("not_started", "Call start() first.")
        return self._servers

    def _make_folders(self) -> None:
        try:
            for folder in (self._folder, self._folder / "run", self._folder / "logs"):
                folder.mkdir(parents=True, exist_ok=True)
        except OSError as cause:
            raise unwritable(self._folder, cause) from cause

    def _take_or_attach(self) -> Running | None:
        """None: the directory is ours to start. Else: what its holder has running, and healthy."""
        deadline = time.monotonic() + self._holder_seconds_max
        while not self._hold.take():
            holder = self._hold.holder()
            if holder and holder.alive and holder.running and self._healthy(holder.running):
                return holder.running
            if time.monotonic() > deadline:
                raise self._held(holder)
            time.sleep(POLL_SECONDS)
        return None

    def _held(self, holder: Holder | None) -> EmbeddedServerError:
        if holder is None or not holder.alive:
            return EmbeddedServerError(
                "held",
                f"The servers of a process that has ended still hold {self._folder}, and did not"
                f" stop within {self._holder_seconds_max:.0f} s. The pids are in"
                f" {self._folder / 'run'}: end them and start again.",
            )
        state = "is still starting its servers" if holder.running is None else "has servers there"
        return EmbeddedServerError(
            "held",
            f"{self._folder} is held by process {holder.pid}, which {state}, but they did not"
            f" answer within {self._holder_seconds_max:.0f} s. Wait for that process or end it"
            f" (kill {holder.pid}), or choose another data directory.",
        )

    def _healthy(self, running: Running) -> bool:
        missing = [
            name
            for name, wanted, port in (
                ("PostgreSQL", self._postgres, running.postgres_port),
                ("Kafka", self._kafka, running.kafka_port),
            )
            if wanted and not port
        ]
        if missing:
            raise EmbeddedServerError(
                "held_without",
                f"The process that holds {self._folder} runs no {' and no '.join(missing)} there."
                " Stop it first, or choose another data directory.",
            )
        described = self._described(running)
        with ThreadPoolExecutor(1) as pool:  # a thread of its own: the caller may run a loop
            return pool.submit(_answer, described).result()

    def _start_both(self) -> Running:
        for name, wanted in (("postgres", self._postgres), ("kafka", self._kafka)):
            if wanted:
                end_leftover(self._folder / "run" / name, LEFTOVER_SECONDS_MAX)
        ports = Ports(self._folder / "ports.json")
        self._given_up.clear()
        with ThreadPoolExecutor(2) as pool:
            postgres = pool.submit(self._start_postgres, ports) if self._postgres else None
            kafka = pool.submit(self._start_kafka, ports) if self._kafka else None
            try:
                # Both to their end, so that a failure of one never leaves the other unseen.
                failures = [one.exception() for one in (postgres, kafka) if one]
            except BaseException:  # Ctrl-C: leaving this block waits for both, so end them soon
                self._given_up.set()
                raise
        for failure in failures:
            if failure is not None:
                raise failure
        return self._running(ports)

    def _running(self, ports: Ports) -> Running:
        def port(name: str) -> int:
            return (ports.remembered(name) or 0) if name in self._started else 0

        pids = {name: server.pid for name, server in self._started.items()}
        return Running(
            postgres_port=port("postgres"),
            postgres_pid=pids.get("postgres", 0),
            kafka_port=port("kafka"),
            kafka_pid=pids.get("kafka", 0),
        )

    def _start_postgres(self, ports: Ports) -> None:
        self._tell("PostgreSQL: starting")
        server = Postgres(self._folder, self._postgres_bin)

        def start_at() -> None:
            port = ports.choose("postgres", self._postgres_port)
            self._started["postgres"] = server.start(port, self._descriptor())

        _on_a_free_port(start_at, wanted=self._postgres_port)
        self._tell("PostgreSQL: ready")

    def _start_kafka(self, ports: Ports) -> None:
        jars = fetch_kafka(self._tell, cache_dir=self._cache_dir, maven_mirror=self._maven_mirror)
        self._tell("Apache Kafka: starting")
        server = Kafka(self._folder, jars)

        def start_at() -> None:
            port = ports.choose("kafka", self._kafka_port)
            controller_port = ports.choose("kafka_controller", None)
            self._started["kafka"] = server.start(port, controller_port, self._descriptor())

        _on_a_free_port(start_at, wanted=self._kafka_port)
        self._tell("Apache Kafka: ready")

    def _tell(self, step: str) -> None:
        """Every step and every fetched megabyte passes here, so here an interrupted start ends."""
        if self._given_up.is_set():
            raise EmbeddedServerError("interrupted", "The start was interrupted; start again.")
        self._progress(step)

    def _descriptor(self) -> int:
        assert self._hold.descriptor is not None
        return self._hold.descriptor

    def _described(self, running: Running) -> Servers:
        has_postgres = self._postgres and running.postgres_port
        has_kafka = self._kafka and running.kafka_port
        database = Postgres(self._folder, self._postgres_bin) if has_postgres else None
        return Servers(
            database_url=database.url(running.postgres_port) if database else "",
            owner_database_url=database.owner_url(running.postgres_port) if database else "",
            kafka_bootstrap_servers=f"127.0.0.1:{running.kafka_port}" if has_kafka else "",
            postgres_pid=running.postgres_pid if has_postgres else 0,
            kafka_pid=running.kafka_pid if has_kafka else 0,
        )


def _answer(servers: Servers) -> bool:
    database, broker = servers.database_url, servers.kafka_bootstrap_servers
    return (not database or asyncio.run(postgres_server.answers(database))) and (
        not broker or kafka_server.is_ready(broker)
    )


def _on_a_free_port(start: Callable[[], None], *, wanted: int | None) -> None:
    for attempt in range(1, PORT_ATTEMPTS_MAX + 1):
        try:
            start()
        except EmbeddedServerError as failure:
            if failure.code != "port_taken" or wanted or attempt == PORT_ATTEMPTS_MAX:
                raise
        else:
            return
