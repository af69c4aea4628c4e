"""A committer over a store in memory, and what an intake has published."""

from collections.abc import AsyncIterator

import pytest
from committer.processes import FaultyStore, Process
from intake.batches import Published


@pytest.fixture
async def process() -> AsyncIterator[Process]:
    process = Process(FaultyStore())
    yield process
    process.task.cancel()


@pytest.fixture
def published() -> Published:
    return Published()
