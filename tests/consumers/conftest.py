"""Topics of their own on the broker all tests share."""

from collections.abc import Callable
from uuid import uuid4

import pytest


@pytest.fixture
def topic_name() -> Callable[[], str]:
    """Names nobody used: tests share the broker, never a topic."""
    return lambda: f"test.ledger.events.{uuid4().hex}"
