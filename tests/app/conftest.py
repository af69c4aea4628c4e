"""Databases in every state, and a real Kafka."""

from collections.abc import AsyncIterator
from uuid import uuid4

import asyncpg
import pytest

from app.prepare import prepare


@pytest.fixture
async def superuser(database_url: str) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
    connection = await asyncpg.connect(database_url)
    yield connection
    await connection.close()


@pytest.fixture
async def login_url(
    database_url: str, superuser: "asyncpg.Connection[asyncpg.Record]"
) -> AsyncIterator[str]:
    """A login without any right of its own."""
    role = f"app_{uuid4().hex[:8]}"
    await superuser.execute(f"CREATE ROLE {role} LOGIN PASSWORD 'topsecret'")
    yield f"postgresql://{role}:topsecret@{database_url.rpartition('@')[2]}"
    await superuser.execute(f"DROP OWNED BY {role}; DROP ROLE {role}")


@pytest.fixture
async def application_url(database_url: str, login_url: str) -> str:
    """The application's login on a database that is ready."""
    await prepare(database_url, login_url)
    return login_url


@pytest.fixture
async def empty_url(server_url: str) -> AsyncIterator[str]:
    """A database nobody has migrated."""
    name = f"empty_{uuid4().hex[:8]}"
    admin = await asyncpg.connect(server_url)
    await admin.execute(f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8'")
    yield f"{server_url.rsplit('/', 1)[0]}/{name}"
    await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
    await admin.close()
