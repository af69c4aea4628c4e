"""Servers for the tests that need them: an address in the environment, else embedded ones."""

import asyncio
import importlib
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import asyncpg
import pytest


@dataclass(frozen=True, slots=True)
class Servers:
    """Where PostgreSQL and Kafka answer."""

    database_url: str
    kafka_bootstrap_servers: str


@pytest.fixture(scope="session")
def relay_servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    """Both servers, started once; under CI a missing server fails instead of skipping."""
    database_url = os.environ.get("LEDGER_TEST_DATABASE_URL")
    bootstrap_servers = os.environ.get("LEDGER_TEST_KAFKA_BOOTSTRAP_SERVERS")
    if database_url and bootstrap_servers:
        yield Servers(database_url, bootstrap_servers)
        return
    try:
        embedded: Any = importlib.import_module("app.embedded").EmbeddedServers
    except (ImportError, AttributeError):
        if os.environ.get("CI"):
            raise
        pytest.skip("no Kafka: set LEDGER_TEST_DATABASE_URL and …_KAFKA_BOOTSTRAP_SERVERS")
    servers = embedded(tmp_path_factory.mktemp("servers"))
    started = servers.start() or servers
    try:
        yield Servers(
            database_url or started.owner_database_url,
            bootstrap_servers or started.kafka_bootstrap_servers,
        )
    finally:
        servers.stop()


@pytest.fixture
def database_url(relay_servers: Servers) -> Iterator[str]:
    """A fresh, empty database."""
    base, _, query = relay_servers.database_url.partition("?")
    base = base.replace("postgresql+asyncpg://", "postgresql://", 1)
    name = f"relay_{uuid4().hex}"

    async def execute(statement: str) -> None:
        connection = await asyncpg.connect(relay_servers.database_url.replace("+asyncpg", "", 1))
        try:
            await connection.execute(statement)
        finally:
            await connection.close()

    asyncio.run(execute(f"CREATE DATABASE {name}"))
    yield f"{base.rpartition('/')[0]}/{name}" + (f"?{query}" if query else "")
    asyncio.run(execute(f"DROP DATABASE {name} WITH (FORCE)"))


@pytest.fixture
def kafka(relay_servers: Servers) -> str:
    """The bootstrap address of a real Kafka."""
    return relay_servers.kafka_bootstrap_servers


@pytest.fixture
def topic_name() -> Callable[[], str]:
    """Names nobody used: tests share the broker, never a topic."""
    return lambda: f"test.ledger.events.{uuid4().hex}"
