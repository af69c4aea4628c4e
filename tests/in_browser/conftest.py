"""A ledger with everything running, as `ledger up` starts it, and a browser to see it in."""

from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio
from command_line.ledger_command import Up, running
from in_browser.browsing import Visitor, browsing
from playwright.async_api import Browser


@pytest.fixture(scope="session")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    """One for all tests of the console; each uses profiles of its own."""
    with running(tmp_path_factory.mktemp("console")) as found:
        yield found


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    """One for a module."""
    async with browsing() as found:
        yield found


@pytest_asyncio.fixture(loop_scope="module")
async def admin(browser: Browser, up: Up) -> AsyncIterator[Visitor]:
    """Someone with the token that may do everything. Nothing goes wrong in their browser."""
    visitor = await Visitor.arrive(browser, up.ready["url"])
    await visitor.sign_in(up.ready["token"])
    yield visitor
    await visitor.context.close()
    assert visitor.faults == []
