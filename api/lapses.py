"""Holds in SQL: one ends with its deadline, whether or not that is recorded yet."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, DateTime, cast, column, func, select
from sqlalchemy.dialects.postgresql import JSONB


def lapsed_minor(holds: ColumnElement[Any], now: datetime) -> ColumnElement[int]:
    """What of a reward is held no longer at a moment, from the `holds` of its row."""
    each = func.jsonb_each(holds).table_valued("key", column("value", JSONB))
    value = each.c.value
    amount = cast(value["amount_minor"].astext, BigInteger)
    over = cast(value["until"].astext, DateTime(timezone=True)) <= now
    held = select(func.coalesce(cast(func.sum(amount), BigInteger), 0)).select_from(each)
    return held.where(over).scalar_subquery()
