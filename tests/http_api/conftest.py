"""A whole API over a migrated database: real committer, real read models, no Kafka."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

import asyncpg
import httpx
import pytest
from http_api.ledger_client import Api, Clock, Operating, Queue
from sqlalchemy.ext.asyncio import create_async_engine

from api.app import create_app
from api.health import Component, HealthReport
from api.programme import CurrentSettings
from api.services import Services
from api.sessions import Sessions
from api.tokens import ALL, Tokens
from api.users import Users
from app.operations.kafka import Topics
from app.operations.look import Looking, Place
from ledger.committer import Committer
from ledger.decider import ProgrammeSettings
from ledger.event_store.postgres import PostgresEventStore
from ledger.imports.worker import ImportWorker
from ledger.personal.master import MasterKeys, from_text, new_master_key
from ledger.personal.postgres_keys import PostgresKeys
from ledger.personal.vault import Vault
from projections.reading import FreshReads
from projections.schema import create

NO_KAFKA = Place("events", "0.1.0", None, Topics("e", "c", "o"), {})
LAST = "test_every_code_is_provoked_by_a_test"


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What counts the codes seen by all other tests comes after them."""
    items.sort(key=lambda item: item.name == LAST)


async def healthy() -> HealthReport:
    return HealthReport((Component("postgresql", ok=True, detail="ok", required=True),), 0, 0.0)


@pytest.fixture
def settings() -> ProgrammeSettings:
    """The rules of the programme; a test may parametrise them."""
    return ProgrammeSettings()


@pytest.fixture
async def api(database_url: str, settings: ProgrammeSettings) -> AsyncIterator[Api]:
    """The API on a database of its own."""
    engine = create_async_engine(database_url.replace("postgresql://", "postgresql+asyncpg://"))
    async with engine.begin() as connection:
        await create(connection)
    await engine.dispose()
    store = await PostgresEventStore.connect(database_url)
    pool = await asyncpg.create_pool(database_url, min_size=1, max_size=4, command_timeout=10)
    clock = Clock()
    committer = Committer(store, clock=clock, settings=settings)
    running = asyncio.create_task(committer.run())
    tokens = Tokens(pool)
    queue = Queue()
    vault = await Vault.open(PostgresKeys(pool, MasterKeys(from_text(new_master_key()))))
    services = Services(
        committer=committer,
        store=store,
        reads=FreshReads(pool),
        pool=pool,
        tokens=tokens,
        users=Users(pool),
        sessions=Sessions(pool),
        health=healthy,
        clock=clock,
        programme=CurrentSettings(settings, pool),
        vault=vault,
        imports=ImportWorker(pool, store, vault, committer.submit_all, clock, lambda: settings),
        operations=Operating(Looking(pool, vault, NO_KAFKA, clock)),
        queue=queue,
    )
    transport = httpx.ASGITransport(create_app(services), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://ledger") as client:
        yield Api(client, services, clock, await tokens.create("till", [ALL]), queue)
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running
    await pool.close()
    await store.close()
