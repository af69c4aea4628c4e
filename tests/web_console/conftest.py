"""The console over an API of its own, asked without a browser."""

from collections.abc import AsyncIterator

import httpx
import pytest
from http_api.conftest import api, settings
from http_api.ledger_client import Api
from web_console.client import URL, Person

from api.app import create_app
from console.app import WithConsole, create_console
from console.services import ConsoleServices

__all__ = ["api", "settings"]


@pytest.fixture
async def services(api: Api) -> ConsoleServices:
    """What the console works with."""
    return ConsoleServices(create_app(api.services), api.services)


@pytest.fixture
async def stranger(services: ConsoleServices) -> AsyncIterator[httpx.AsyncClient]:
    """Somebody at this machine who is not signed in; nothing but an answer comes of a fault."""
    application = WithConsole(services.api, create_console(services))
    transport = httpx.ASGITransport(
        application, client=("127.0.0.1", 50_000), raise_app_exceptions=False
    )
    async with httpx.AsyncClient(transport=transport, base_url=URL) as client:
        yield client


@pytest.fixture
async def admin(api: Api, stranger: httpx.AsyncClient) -> Person:
    """Somebody who may do everything."""
    person = Person(stranger)
    await person.sign_in(token=api.token)
    return person
