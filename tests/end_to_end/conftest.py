"""A running ledger of the module's own, started as a user starts it."""

from collections.abc import Iterator

import pytest
from command_line.ledger_command import Up


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    """One for the module. A test that stops it starts it again."""
    folder = tmp_path_factory.mktemp("end_to_end")
    running = Up(folder / "data", folder / "ready.json")
    try:
        running.start()
        yield running
    finally:
        running.stop()
