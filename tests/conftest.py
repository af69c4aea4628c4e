"""Servers and databases for all tests."""

import os
from collections.abc import AsyncIterator, Iterator
from uuid import uuid4

import asyncpg
import pytest

from app.embedded import EmbeddedServers
from app.embedded.passwords import passwords
from app.prepare import prepare

TEMPLATE = "ledger_template"


@pytest.fixture(scope="session")
def server_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A superuser's URL: from LEDGER_TEST_DATABASE_URL, or a server of our own."""
    given = os.environ.get("LEDGER_TEST_DATABASE_URL")
    if given:
        yield given
        return
    folder = tmp_path_factory.mktemp("postgres")
    with EmbeddedServers(folder, kafka=False) as servers:
        address = servers.start().owner_database_url.rpartition("@")[2].split("/")[0]
        word = passwords(folder, first_start=False).superuser
        yield f"postgresql://postgres:{word}@{address}/postgres"


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
