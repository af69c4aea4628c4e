"""Filters: what lists can be filtered and sorted by, from the query string to SQL."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, func, or_

from api.services import Services
from schemas.amounts import MINOR_MAX, UNSTORABLE, to_minor
from schemas.times import parse_instant

VALUES_MAX: Final = 100
TEXT_LENGTH_MAX: Final = 1_000
WHOLE: Final = re.compile(r"-?[0-9]{1,16}")

Read = Callable[[str, Services], Any]


def _text(value: str, _: Services) -> str:
    if len(value) > TEXT_LENGTH_MAX or UNSTORABLE.search(value):
        raise ValueError(f"Give at most {TEXT_LENGTH_MAX} characters, without NUL.")
    return value


def _number(value: str, _: Services) -> int:
    if WHOLE.fullmatch(value) is None or abs(int(value)) > MINOR_MAX:
        raise ValueError("Give a whole number.")
    return int(value)


def _money(value: str, services: Services) -> int:
    return to_minor(value, digits=services.settings.currency_digits, signed=True)


def _instant(value: str, _: Services) -> datetime:
    return parse_instant(value, "UTC")


def _boolean(value: str, _: Services) -> bool:
    known = {"true": True, "1": True, "false": False, "0": False}
    if value.lower() not in known:
        raise ValueError("Give true or false.")
    return known[value.lower()]


@dataclass(frozen=True, slots=True)
class Field:
    """What can be filtered and sorted by: an SQL expression, and how its value is read."""

    column: Any
    read: Read
    operators: tuple[str, ...] = ("eq", "ne", "gt", "gte", "lt", "lte")
    """How its values compare, besides `in` and `nullable`."""
    moving: bool = False
    """Its value moves with the time: `column` gives the expression for a moment."""
    many: bool = False
    """It is a list of texts: one of them is compared, not the whole."""

    def expression(self, services: Services) -> Any:
        """What is compared and sorted by, at this moment."""
        return self.column(services.clock()) if self.moving else self.column

    @classmethod
    def at_moment(cls, column: Callable[[datetime], Any], of: "Kind") -> "Field":
        """A field whose value moves with the time, of the kind another would be."""
        return replace(of(column), moving=True)

    @classmethod
    def text(cls, column: Any) -> "Field":
        """A field of text."""
        return cls(column, _text)

    @classmethod
    def number(cls, column: Any) -> "Field":
        """A field of whole numbers."""
        return cls(column, _number)

    @classmethod
    def money(cls, column: Any) -> "Field":
        """An amount, in the currency's own unit outside."""
        return cls(column, _money)

    @classmethod
    def instant(cls, column: Any) -> "Field":
        """A time, in UTC unless it has an offset."""
        return cls(column, _instant)

    @classmethod
    def boolean(cls, column: Any) -> "Field":
        """True or false."""
        return cls(column, _boolean, ("eq", "ne"))

    @classmethod
    def texts(cls, column: Any) -> "Field":
        """A list of texts, filtered by what is among them."""
        return cls(column, _text, ("eq", "ne"), many=True)


Kind = Callable[[Any], Field]
"""`Field.text`, `Field.money` and the others."""

_COMPARISONS: Final[Mapping[str, Callable[[Any, Any], ColumnElement[bool]]]] = {
    "eq": lambda column, value: column == value,
    "ne": lambda column, value: column.is_distinct_from(value),
    "gt": lambda column, value: column > value,
    "gte": lambda column, value: column >= value,
    "lt": lambda column, value: column < value,
    "lte": lambda column, value: column <= value,
}


def condition(filtered: Field, operator: str, text: str, services: Services) -> ColumnElement[bool]:
    """What one filter asks of a row.

    Raises:
        ValueError: the operator or the value is none; the message says what would be.
    """
    column = filtered.expression(services)
    if operator == "nullable":
        is_null: ColumnElement[bool] = column.is_(None)
        return is_null if _boolean(text, services) else ~is_null
    if operator == "in":
        values = text.split(",")
        if len(values) > VALUES_MAX:
            raise ValueError(f"Give at most {VALUES_MAX} values.")
        if filtered.many:
            return or_(*(_among(column, filtered.read(value, services)) for value in values))
        within: ColumnElement[bool] = column.in_(
            [filtered.read(value, services) for value in values]
        )
        return within
    if operator not in filtered.operators:
        raise ValueError(f"Compare with {', '.join((*filtered.operators, 'in'))} or nullable.")
    value = filtered.read(text, services)
    if filtered.many:
        return _among(column, value) if operator == "eq" else ~_among(column, value)
    return _COMPARISONS[operator](column, value)


def _among(column: Any, value: str) -> ColumnElement[bool]:
    return func.jsonb_exists(column, value).is_(True)
