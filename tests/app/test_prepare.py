"""Preparing a database: everything is there afterwards, and the application gets in, no further."""

from uuid import uuid4

import asyncpg
import pytest

from app.prepare import NotPrepared, prepare
from ledger.event_store.postgres import PostgresEventStore
from projections.read_models import ALL

UNREACHABLE = "postgresql://user:topsecret@127.0.0.1:1/ledger"


async def test_an_empty_database_becomes_usable(empty_url: str, login_url: str) -> None:
    role = login_url.partition("//")[2].partition(":")[0]
    application_url = f"{login_url.rpartition('/')[0]}/{empty_url.rpartition('/')[2]}"
    await prepare(empty_url, application_url)
    store = await PostgresEventStore.connect(application_url)
    assert await store.head() == 0
    await store.close()
    connection = await asyncpg.connect(application_url)
    assert await connection.fetchval("SELECT current_user") == role
    for projection in ALL:
        await connection.fetch(f"SELECT * FROM {projection.table.fullname}")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await connection.execute("INSERT INTO ledger.log DEFAULT VALUES")
    await connection.close()


async def test_preparing_again_changes_nothing(database_url: str, application_url: str) -> None:
    await prepare(database_url, application_url)
    await prepare(database_url, application_url)


async def test_a_missing_role_is_named(database_url: str) -> None:
    nobody = f"postgresql://nobody_here:word@{database_url.rpartition('@')[2]}"
    with pytest.raises(NotPrepared, match="no role 'nobody_here'"):
        await prepare(database_url, nobody)


async def test_an_owner_who_may_not_grant_learns_what_to_do(
    empty_url: str, login_url: str, superuser: "asyncpg.Connection[asyncpg.Record]"
) -> None:
    owner = f"owner_{uuid4().hex[:8]}"
    name = empty_url.rpartition("/")[2]
    await superuser.execute(f"CREATE ROLE {owner} LOGIN CREATEROLE PASSWORD 'word'")
    await superuser.execute(f"ALTER DATABASE {name} OWNER TO {owner}")
    try:
        with pytest.raises(NotPrepared, match="As a superuser: GRANT ledger_application TO"):
            await prepare(f"postgresql://{owner}:word@{empty_url.rpartition('@')[2]}", login_url)
    finally:
        await superuser.execute(f"ALTER DATABASE {name} OWNER TO CURRENT_USER")
        inside = await asyncpg.connect(empty_url)
        await inside.execute(f"REASSIGN OWNED BY {owner} TO CURRENT_USER; DROP OWNED BY {owner}")
        await inside.close()
        await superuser.execute(f"DROP ROLE {owner}")


async def test_an_unreachable_database_is_said_without_its_password() -> None:
    with pytest.raises(NotPrepared, match=r"user@127\.0\.0\.1:1/ledger could not") as refused:
        await prepare(UNREACHABLE)
    assert "topsecret" not in str(refused.value)


async def test_a_wrong_password_is_said_without_it(login_url: str) -> None:
    with pytest.raises(NotPrepared, match="password authentication failed") as refused:
        await prepare(login_url.replace("topsecret", "topsecrets"))
    assert "topsecret" not in str(refused.value)
