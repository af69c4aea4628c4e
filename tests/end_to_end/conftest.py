"""A running ledger of the module's own, started as a user starts it."""

from collections.abc import Iterator

import pytest
from command_line.ledger_command import Up, running


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    """One for the module. A test that stops it starts it again."""
    with running(tmp_path_factory.mktemp("end_to_end")) as found:
        yield found
