from collections.abc import AsyncIterator

import pytest
from imports.imported import Ledger


@pytest.fixture
async def ledger() -> AsyncIterator[Ledger]:
    ledger = Ledger()
    await ledger.define()
    yield ledger
    ledger.task.cancel()
