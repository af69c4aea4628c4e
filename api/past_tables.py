"""Rows of the past as a table: a list of them is filtered, sorted and paged as that of today is."""

from collections.abc import Iterable, Mapping
from typing import Any

import orjson
from sqlalchemy import Column, FromClause, Table, Text, cast, func, literal, literal_column
from sqlalchemy.dialects.postgresql import JSONB


def past_table(table: Table, rows: Iterable[Mapping[str, Any]]) -> FromClause:
    """A read model's table with other rows than it has, for one statement."""
    # The numbers of rewards are keys in some: text, as in the table itself.
    content = orjson.dumps(list(rows), option=orjson.OPT_NON_STR_KEYS).decode()
    columns = [Column(column.name, column.type) for column in table.columns]
    return func.jsonb_populate_recordset(
        literal_column(f"NULL::{table.fullname}"), cast(literal(content, Text), JSONB)
    ).table_valued(*columns, name=f"past_{table.name}")
