"""The log, its chain, the one way to append to it, and who may do what."""

from importlib.resources import files

from app.database.objects import create

revision = "0001"
down_revision = None

SQL = files("ledger.event_store") / "sql"
OBJECTS = ("tables", "chain", "append_batch", "end_stale_writer", "privileges", "snapshots")


def upgrade() -> None:
    """Create everything."""
    for name in OBJECTS:
        create(SQL / f"{name}.sql")
