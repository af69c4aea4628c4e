"""Who may call the API."""

from importlib.resources import files

from app.database.objects import create

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Create everything."""
    create(files("api") / "sql" / "access.sql")
