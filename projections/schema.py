"""The tables of the read side: created where they are missing, never altered.

A read model whose shape changes gets a new version and so new tables, filled from the log.
"""

from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    DateTime,
    Integer,
    Table,
    Text,
    Uuid,
    func,
    text,
)

import projections.read_models  # noqa: F401  (its tables belong to the metadata)
from projections.projection import SCHEMA, metadata

APPLICATION_ROLE = "ledger_application"

CHECKPOINTS = Table(
    "checkpoints",
    metadata,
    Column("projection", Text, primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("incarnation", Uuid, primary_key=True),
    Column("topic", Text, primary_key=True),
    Column("partition", Integer, primary_key=True),
    Column("next_offset", BigInteger, nullable=False),
    Column("position", BigInteger, nullable=False, server_default="0"),
    Column("updated_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
)
"""The next offset to read, moved together with the rows it stands for.

`position` is the newest event of the log that came with the records before it.
"""

DEAD_LETTERS = Table(
    "dead_letters",
    metadata,
    Column("topic", Text, primary_key=True),
    Column("partition", Integer, primary_key=True),
    Column("offset", BigInteger, primary_key=True),
    Column("reason", Text, nullable=False),
    Column("recorded_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
)
"""Records of the topic that are no events of ours."""


FAILURES = Table(
    "failures",
    metadata,
    Column("projection", Text, primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("error", Text, nullable=False),
    Column("failed_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
)
"""Why the last attempt of each read model that ever failed did so."""


async def create(connection: Any) -> None:
    """Create what is missing and let the application use it. Run by the owner; repeats are fine.

    The connection is SQLAlchemy's asynchronous one, inside a transaction.
    """
    await connection.run_sync(create_now)


def create_now(connection: Connection) -> None:
    """The same on a synchronous connection, as a migration has it."""
    # Two at once: IF NOT EXISTS looks before it locks, and one of them would fail.
    connection.execute(text("SELECT pg_advisory_xact_lock(hashtextextended('projections', 0))"))
    connection.execute(text(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}"))
    metadata.create_all(connection)
    for index in (index for table in metadata.sorted_tables for index in table.indexes):
        index.create(connection, checkfirst=True)
    for grant in (
        f"GRANT USAGE ON SCHEMA {SCHEMA} TO {APPLICATION_ROLE}",
        f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {SCHEMA} "
        f"TO {APPLICATION_ROLE}",
    ):
        connection.execute(text(grant))
