"""Imports that came over HTTP."""

from importlib.resources import files

from app.database.objects import create

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Create everything."""
    create(files("ledger.imports") / "sql" / "imports.sql")
