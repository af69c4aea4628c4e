"""A store in memory, and two processes that share it."""

from collections.abc import AsyncIterator

import pytest
from committer.processes import FaultyStore, Process


@pytest.fixture
async def store() -> FaultyStore:
    return FaultyStore()


@pytest.fixture
async def process(store: FaultyStore) -> AsyncIterator[Process]:
    process = Process(store)
    yield process
    process.task.cancel()


@pytest.fixture
async def other_process(store: FaultyStore) -> AsyncIterator[Process]:
    process = Process(store)
    yield process
    process.task.cancel()
