"""A real Apache Kafka: one process that is broker and controller (KRaft), started from its jars."""

import asyncio
import base64
import contextlib
import os
import re
import shutil
import signal
import socket
import subprocess
import uuid
from pathlib import Path

from aiokafka.admin import (
    AIOKafkaAdminClient,
)
from aiokafka.errors import KafkaError

from app.embedded.errors import EmbeddedServerError
from app.embedded.java import java
from app.embedded.kafka_jars import jars_in
from app.embedded.processes import Order, Supervised

START_SECONDS_MAX = 120.0
FORMAT_SECONDS_MAX = 120.0
STOP_SECONDS_MAX = 20.0
REQUEST_MILLISECONDS_MAX = 5_000

JVM_FLAGS = (
    *("-Xms64m", "-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto"),
    *("-XX:+ExitOnOutOfMemoryError", "-XX:-UsePerfData", "-Djava.awt.headless=true"),
    "-Dlog4j2.configurationFile=log4j2.properties",
)

# A single node: whatever would be replicated is kept once. The cleaner's buffer is 128 MB by
# default, half of this heap. All paths are relative to the working folder, because a property file
# and the comma-separated log.dirs take not every character that a folder's name may have.
PROPERTIES = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller_port}
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT
log.dirs={log_folder}
auto.create.topics.enable=false
default.replication.factor=1
min.insync.replicas=1
offsets.topic.replication.factor=1
offsets.topic.num.partitions=8
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
share.coordinator.state.topic.num.partitions=4
group.initial.rebalance.delay.ms=0
broker.session.timeout.ms=3000
broker.heartbeat.interval.ms=500
log.cleaner.dedupe.buffer.size=16777216
num.network.threads=2
num.io.threads=4
"""

LOGGING = """\
rootLogger.level=WARN
rootLogger.appenderRef.console.ref=CONSOLE
appender.console.type=Console
appender.console.name=CONSOLE
appender.console.layout.type=PatternLayout
appender.console.layout.pattern=[%d] %p %m (%c)%n
"""


class Kafka:
    """Kafka on one data directory."""

    def __init__(self, folder: Path, jars: Path) -> None:
        self._folder = folder
        self._home = folder / "kafka"
        self._java = java()
        self._class_path = _class_path(jars)

    def start(self, port: int, controller_port: int, hold: int) -> Supervised:
        """Start it; return when it answers a client's real request."""
        self._home.mkdir(exist_ok=True)
        (self._home / "log4j2.properties").write_text(LOGGING)
        if not (self._home / "log" / "meta.properties").exists():
            self._format(port, controller_port)
        self._write_properties("server.properties", port, controller_port, "log")
        server = Supervised(self._order(), hold, self._folder / "run" / "kafka")
        try:
            server.wait_until(lambda: is_ready(f"127.0.0.1:{port}"), START_SECONDS_MAX)
        except EmbeddedServerError as failure:
            raise _explained(failure, port) from failure
        return server

    def _format(self, port: int, controller_port: int) -> None:
        """Make the log folder beside its place and move it there: never a half-made one."""
        if (self._home / "log").exists():
            raise EmbeddedServerError(
                "kafka_data_damaged",
                f"{self._home / 'log'} has lost its file meta.properties. Restore it from a backup;"
                f" or delete {self._home}: topics are filled again from the event store.",
            )
        unfinished = self._home / "log.new"
        shutil.rmtree(unfinished, ignore_errors=True)
        self._write_properties("format.properties", port, controller_port, unfinished.name)
        cluster_id = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        tool = ["kafka.tools.StorageTool", "format", f"--cluster-id={cluster_id}"]
        try:
            outcome = subprocess.run(  # noqa: S603 -- our own Java and jars
                [*self._java_command(), *tool, "--config", "format.properties"],
                cwd=self._home,
                env=_environment(),
                capture_output=True,
                text=True,
                errors="replace",
                check=False,
                timeout=FORMAT_SECONDS_MAX,
            )
        except (OSError, subprocess.SubprocessError) as cause:
            raise _not_initialised(unfinished, str(cause)) from cause
        if outcome.returncode != 0 or not (unfinished / "meta.properties").exists():
            raise _not_initialised(unfinished, outcome.stdout[-2000:] + outcome.stderr[-2000:])
        unfinished.rename(self._home / "log")

    def _write_properties(self, name: str, port: int, controller: int, log_folder: str) -> None:
        text = PROPERTIES.format(port=port, controller_port=controller, log_folder=log_folder)
        (self._home / name).write_text(text)

    def _java_command(self) -> list[str]:
        return [str(self._java), *JVM_FLAGS, "-cp", self._class_path]

    def _order(self) -> Order:
        return Order(
            name="kafka",
            command=[*self._java_command(), "kafka.Kafka", "server.properties"],
            folder=self._home,
            environment=_environment(),
            log=self._folder / "logs" / "kafka.log",
            stop_signal=signal.SIGTERM,
            stop_seconds_max=STOP_SECONDS_MAX,
        )


def is_ready(address: str) -> bool:
    """Whether the broker answers a client: an open port alone says nothing."""
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host, int(port)), timeout=1).close()
    except OSError:
        return False
    return asyncio.run(answers(address))


async def answers(address: str) -> bool:
    """Whether the broker names itself as a live member of its cluster."""
    admin = AIOKafkaAdminClient(
        bootstrap_servers=address, request_timeout_ms=REQUEST_MILLISECONDS_MAX
    )
    try:
        await admin.start()
        return bool((await admin.describe_cluster())["brokers"])
    except (KafkaError, OSError, TimeoutError):
        return False
    finally:
        with contextlib.suppress(KafkaError, OSError):
            await admin.close()


def _class_path(jars: Path) -> str:
    files = [str(jars / name) for name in jars_in()]
    if any(os.pathsep in file for file in files):
        raise EmbeddedServerError(
            "jars_unreachable",
            f"Java cannot use jars from {jars}: the path has a {os.pathsep!r} in it. Choose a cache"
            " directory without it.",
        )
    return os.pathsep.join(files)


def _environment() -> dict[str, str]:
    """UTF-8 for file names: under the plain C locale Java cannot open a folder named in Cyrillic"""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ}
    return {**kept, "LC_ALL": "C.UTF-8"}


def _not_initialised(folder: Path, said: str) -> EmbeddedServerError:
    return EmbeddedServerError(
        "kafka_not_initialised",
        f"Kafka could not make its log folder {folder}. Check the free disk space and what it"
        f" says:\n{said}",
    )


def _explained(failure: EmbeddedServerError, port: int) -> EmbeddedServerError:
    if re.search(r"Address already in use|BindException|failed to bind", failure.message):
        return EmbeddedServerError(
            "port_taken", f"Port {port} was taken while Kafka started. {failure.message}"
        )
    return failure
