"""The keys of personal data, and what profiles are found by."""

from importlib.resources import files

from app.database.objects import create

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Create everything."""
    create(files("ledger.personal") / "sql" / "personal_data.sql")
