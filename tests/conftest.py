"""Servers and databases for all tests."""

from collections.abc import AsyncIterator, Iterator
from uuid import uuid4

import asyncpg
import pytest
from servers import kafka_server, postgres_server

from app.prepare import prepare

TEMPLATE = "ledger_template"


@pytest.fixture(scope="session")
def server_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A superuser's URL of a real PostgreSQL."""
    with postgres_server(tmp_path_factory.mktemp("postgres")) as url:
        yield url


@pytest.fixture(scope="session")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The bootstrap address of a real Kafka."""
    with kafka_server(tmp_path_factory.mktemp("kafka")) as address:
        yield address


@pytest.fixture(scope="session")
def template() -> dict[str, str]:
    """The name of the migrated database that each test's own is cloned from, once it exists."""
    return {}


@pytest.fixture
async def database_url(server_url: str, template: dict[str, str]) -> AsyncIterator[str]:
    """A migrated database of the test's own."""
    root = server_url.rsplit("/", 1)[0]
    admin = await asyncpg.connect(server_url)
    try:
        if not template:
            name = f"{TEMPLATE}_{uuid4().hex[:8]}"
            await admin.execute(f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8'")
            await prepare(f"{root}/{name}")
            template["name"] = name
        name = f"test_{uuid4().hex[:12]}"
        await admin.execute(f"CREATE DATABASE {name} TEMPLATE {template['name']}")
        yield f"{root}/{name}"
        await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
    finally:
        await admin.close()
