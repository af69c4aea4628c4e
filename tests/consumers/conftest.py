"""A real Kafka and an empty database for the tests that need them."""

import asyncio
import os
from collections.abc import Callable, Iterator
from uuid import uuid4

import asyncpg
import pytest

from app.embedded import EmbeddedServers


@pytest.fixture(scope="session")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The bootstrap address of a real Kafka: from the environment, or one of our own."""
    given = os.environ.get("LEDGER_TEST_KAFKA_BOOTSTRAP_SERVERS")
    if given:
        yield given
        return
    with EmbeddedServers(tmp_path_factory.mktemp("kafka"), postgres=False) as servers:
        yield servers.start().kafka_bootstrap_servers


@pytest.fixture
def database_url(server_url: str) -> Iterator[str]:
    """A fresh, empty database."""
    name = f"relay_{uuid4().hex}"

    async def execute(statement: str) -> None:
        connection = await asyncpg.connect(server_url)
        try:
            await connection.execute(statement)
        finally:
            await connection.close()

    asyncio.run(execute(f"CREATE DATABASE {name}"))
    yield f"{server_url.rpartition('/')[0]}/{name}"
    asyncio.run(execute(f"DROP DATABASE {name} WITH (FORCE)"))


@pytest.fixture
def topic_name() -> Callable[[], str]:
    """Names nobody used: tests share the broker, never a topic."""
    return lambda: f"test.ledger.events.{uuid4().hex}"
