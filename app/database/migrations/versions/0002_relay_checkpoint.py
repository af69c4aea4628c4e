"""How far each relay has published."""

from importlib.resources import files

from app.database.objects import create

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Create the table."""
    create(files("consumers") / "sql" / "relay_checkpoint.sql")
