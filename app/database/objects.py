"""Database objects that stand in a file of their own, one file an object."""

from importlib.resources.abc import Traversable
from typing import Any

from alembic import op


def create(file: Traversable) -> None:
    """Run a file's statements in the migration. The driver's own call takes several at once."""
    statements = file.read_text()
    driver: Any = op.get_bind().connection.dbapi_connection
    driver.run_async(lambda raw: raw.execute(statements))
