"""A running ledger that the tests of a module share."""

from collections.abc import Iterator

import pytest
from command_line.ledger_command import Up


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    """One that the tests of a module share. Each leaves it running."""
    folder = tmp_path_factory.mktemp("up")
    running = Up(folder / "data", folder / "ready.json")
    try:
        running.start()
        yield running
    finally:
        running.stop()
