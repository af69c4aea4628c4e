"""A real Kafka for the tests that need one."""

import os
from collections.abc import Callable, Iterator
from uuid import uuid4

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
def topic_name() -> Callable[[], str]:
    """Names nobody used: tests share the broker, never a topic."""
    return lambda: f"test.ledger.events.{uuid4().hex}"
