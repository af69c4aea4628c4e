"""The SQL of one table: whole batches in one statement, columns as parallel arrays.

PostgreSQL takes an array per column and zips them with `unnest`; a statement per row would cost
a round trip each.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any

import orjson
from pydantic_core import from_json
from sqlalchemy import Column, Table
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.dialects.postgresql.base import PGDialect

from projections.projection import SCHEMA, Key, Note, Projection, Row, Rows

_DIALECT = PGDialect()  # type: ignore[no-untyped-call]


async def load(
    connection: Any, projection: Projection, keys: Iterable[Key], schema: str = SCHEMA
) -> dict[Key, Row | None]:
    """The rows and notes under these keys, None for those that aren't there."""
    rows: dict[Key, Row | None] = dict.fromkeys(keys)
    row_keys = [key for key in rows if not isinstance(key, Note)]
    note_keys = [(key.stream_id, key.name) for key in rows if isinstance(key, Note)]
    rows |= await row_statements(projection, schema).load(connection, row_keys)
    notes = await note_statements(projection, schema).load(connection, note_keys)
    rows |= {Note(note["stream_id"], note["name"]): note["value"] for note in notes.values()}
    return rows


async def write(
    connection: Any, projection: Projection, changed: Rows, schema: str = SCHEMA
) -> None:
    """Write changed rows and notes, and remove those that are None."""
    rows: list[Row] = []
    gone: list[tuple[Any, ...]] = []
    notes: list[Row] = []
    forgotten: list[tuple[Any, ...]] = []
    for key, row in changed.items():
        if isinstance(key, Note):
            name = (key.stream_id, key.name)
            if row is None:
                forgotten.append(name)
            else:
                notes.append({"stream_id": key.stream_id, "name": key.name, "value": row})
        elif row is None:
            gone.append(key)
        else:
            rows.append(row)
    await row_statements(projection, schema).upsert(connection, rows)
    await row_statements(projection, schema).delete(connection, gone)
    await note_statements(projection, schema).upsert(connection, notes)
    await note_statements(projection, schema).delete(connection, forgotten)


class TableStatements:
    """Reads and writes rows of one table in one schema."""

    def __init__(self, table: Table, schema: str) -> None:
        """`schema` is another one than the table's own while a rebuild fills shadow tables."""
        columns: Sequence[Column[Any]] = list(table.columns)
        self.names = [column.name for column in columns]
        self.key_names = [column.name for column in table.primary_key.columns]
        self._json = {column.name for column in columns if isinstance(column.type, JSONB)}
        self.qualified = f"{schema}.{table.name}"
        keys = [column for column in columns if column.primary_key]
        others = [column.name for column in columns if not column.primary_key]
        matches = " AND ".join(f"t.{name} = k.{name}" for name in self.key_names)
        self._select = (
            f"SELECT {_listed(self.names, 't.')} "  # noqa: S608
            f"FROM unnest({_arrays(keys)}) AS k({_listed(self.key_names)}) "
            f"JOIN {self.qualified} t ON {matches}"
        )
        self._upsert = (
            f"INSERT INTO {self.qualified} ({_listed(self.names)}) "  # noqa: S608
            f"SELECT {', '.join(map(_cast, columns))} "
            f"FROM unnest({_arrays(columns)}) AS n({_listed(self.names)}) "
            f"ON CONFLICT ({_listed(self.key_names)}) DO UPDATE SET "
            + ", ".join(f"{name} = excluded.{name}" for name in others)
        )
        self._delete = (
            f"DELETE FROM {self.qualified} t "  # noqa: S608
            f"USING unnest({_arrays(keys)}) AS k({_listed(self.key_names)}) WHERE {matches}"
        )

    async def load(self, connection: Any, keys: Sequence[tuple[Any, ...]]) -> dict[Key, Row]:
        """The rows that are there, by key."""
        if not keys:
            return {}
        found = await connection.fetch(self._select, *_transposed(keys))
        rows = map(self.row, found)
        return {tuple(row[name] for name in self.key_names): row for row in rows}

    async def upsert(self, connection: Any, rows: Sequence[Row]) -> None:
        """Write whole rows."""
        if not rows:
            return
        arrays = [self._array(name, rows) for name in self.names]
        await connection.execute(self._upsert, *arrays)

    async def delete(self, connection: Any, keys: Sequence[tuple[Any, ...]]) -> None:
        """Remove rows; those that were never there don't matter."""
        if keys:
            await connection.execute(self._delete, *_transposed(keys))

    def row(self, record: Mapping[str, Any]) -> Row:
        """A row as folds know it: documents are values, not text."""
        row = dict(record)
        for name in self._json:
            if row[name] is not None:
                # This parser keeps integers of any length.
                row[name] = from_json(row[name])
        return row

    def _array(self, name: str, rows: Sequence[Row]) -> list[Any]:
        if name in self._json:
            return [_document(row[name]) for row in rows]
        return [row[name] for row in rows]


@cache
def row_statements(projection: Projection, schema: str = SCHEMA) -> TableStatements:
    """For the rows of a projection."""
    return TableStatements(projection.table, schema)


@cache
def note_statements(projection: Projection, schema: str = SCHEMA) -> TableStatements:
    """For the notes of a projection."""
    return TableStatements(projection.notes, schema)


def _document(value: Any) -> str | None:
    if value is None:
        return None
    try:
        return orjson.dumps(value).decode()
    except TypeError:  # An integer beyond 64 bits, in a sender's free-form object.
        return json.dumps(value)


def _transposed(keys: Sequence[tuple[Any, ...]]) -> list[list[Any]]:
    return [list(column) for column in zip(*keys, strict=True)]


def _listed(names: Sequence[str], prefix: str = "") -> str:
    return ", ".join(f"{prefix}{name}" for name in names)


def _arrays(columns: Sequence[Column[Any]]) -> str:
    return ", ".join(
        f"${number}::{_array_type(column)}[]" for number, column in enumerate(columns, start=1)
    )


def _array_type(column: Column[Any]) -> str:
    # The driver takes documents as text; the cast happens where they are written.
    return "text" if isinstance(column.type, JSONB) else column.type.compile(_DIALECT)


def _cast(column: Column[Any]) -> str:
    return f"n.{column.name}::jsonb" if isinstance(column.type, JSONB) else f"n.{column.name}"
