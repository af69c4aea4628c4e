"""Migrations of the event store, by Alembic."""
