"""A running ledger that the tests of a module share."""

from collections.abc import Iterator

import pytest
from command_line.ledger_command import Up, running


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    """One that the tests of a module share. Each leaves it running."""
    with running(tmp_path_factory.mktemp("up")) as found:
        yield found
