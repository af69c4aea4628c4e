"""Alembic's entry: the connection is handed in by `app.database.migrate`."""

from alembic import context

connection = context.config.attributes["connection"]
context.configure(connection=connection, version_table="ledger_migrations")
with context.begin_transaction():
    context.run_migrations()
