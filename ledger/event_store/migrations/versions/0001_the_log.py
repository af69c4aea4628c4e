"""The log, its chain, the one way to append to it, and who may do what."""

from pathlib import Path
from typing import Any

from alembic import op

revision = "0001"
down_revision = None

SQL = Path(__file__).parents[2] / "sql"
OBJECTS = ("tables", "chain", "append_batch", "privileges")


def upgrade() -> None:
    """Create everything. The driver's own call takes several statements at once."""
    driver: Any = op.get_bind().connection.dbapi_connection
    for name in OBJECTS:
        statements = (SQL / f"{name}.sql").read_text()
        driver.run_async(lambda raw, sql=statements: raw.execute(sql))
