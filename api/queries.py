"""Lists: filters, order and pages from the query string to one SQL statement.

`filter[field]=v`, `filter[field][gte]=v`, `sort=-issued_at,id`, `page[size]`, `page[number]`, or
`page[after]` with the cursor of the page before.
"""

import base64
import binascii
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlencode

import orjson
from fastapi import Request, Response
from sqlalchemy import ColumnElement, Table, and_, func, literal, select
from sqlalchemy.dialects.postgresql import asyncpg as dialect
from sqlalchemy.sql import Select

from api.json_body import write_json
from api.problems import Refused
from api.services import Services
from schemas.amounts import MINOR_MAX, UNSTORABLE, to_minor
from schemas.times import parse_instant

SIZE_DEFAULT: Final = 15
SIZE_MAX: Final = 200
NUMBER_MAX: Final = 10_000
VALUES_MAX: Final = 100
TEXT_LENGTH_MAX: Final = 1_000

_FILTER: Final = re.compile(r"filter\[([a-z_]+)\](?:\[([a-z]+)\])?")
_PAGE: Final = frozenset({"page[size]", "page[number]", "page[after]"})
_DIALECT: Final = dialect.dialect()  # type: ignore[no-untyped-call]
_WHOLE: Final = re.compile(r"-?[0-9]{1,16}")

Read = Callable[[str, Services], Any]


def _text(value: str, _: Services) -> str:
    if len(value) > TEXT_LENGTH_MAX or UNSTORABLE.search(value):
        raise ValueError(f"Give at most {TEXT_LENGTH_MAX} characters, without NUL.")
    return value


def _number(value: str, _: Services) -> int:
    if _WHOLE.fullmatch(value) is None or abs(int(value)) > MINOR_MAX:
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
        return cls(column, _boolean)


_COMPARISONS: Final[Mapping[str, Callable[[Any, Any], ColumnElement[bool]]]] = {
    "eq": lambda column, value: column == value,
    "ne": lambda column, value: column.is_distinct_from(value),
    "gt": lambda column, value: column > value,
    "gte": lambda column, value: column >= value,
    "lt": lambda column, value: column < value,
    "lte": lambda column, value: column <= value,
}


@dataclass(frozen=True)
class Listing:
    """A list of one read model. `id_column` ends every order, so that pages never overlap."""

    table: Table
    fields: Mapping[str, Field]
    id_column: Any
    order: tuple[ColumnElement[Any], ...] = ()
    """The order without `sort`; by default the newest id first."""
    columns: Sequence[Any] = field(default=())

    def select(self) -> Select[Any]:
        """All rows."""
        return select(*(self.columns or self.table.columns))


@dataclass(frozen=True, slots=True)
class Page:
    """One page as it was asked for."""

    size: int
    number: int
    after: int | None


async def answer_list(  # noqa: PLR0913 - each is one thing a list needs
    request: Request,
    services: Services,
    listing: Listing,
    document: Callable[[Mapping[str, Any]], Mapping[str, Any]],
    *,
    where: Sequence[ColumnElement[bool]] = (),
    position: int,
) -> Response:
    """The page a request asks for, with links to its neighbours.

    Raises:
        Refused: 422 with each parameter that is wrong.
    """
    errors: dict[str, list[str]] = {}
    conditions = [*where, *_conditions(request, services, listing, errors)]
    order = _order(request, listing, errors)
    page = _page(request, listing, errors)
    _refuse_unknown(request, errors)
    if errors:
        raise Refused.invalid(errors)
    counted = select(func.count()).select_from(listing.table).where(and_(True, *conditions))
    total = (await fetch(services, counted))[0][0]
    statement = listing.select().where(and_(True, *conditions)).order_by(*order)
    if page.after is not None:
        statement = statement.where(listing.id_column < literal(page.after))
    else:
        statement = statement.offset((page.number - 1) * page.size)
    rows = await fetch(services, statement.limit(page.size + 1))
    content = {
        "data": [document(row) for row in rows[: page.size]],
        **_around(request, listing, page, rows, total),
    }
    headers = {"Ledger-Position": str(position)}
    return Response(write_json(content), headers=headers, media_type="application/json")


async def fetch(services: Services, statement: Select[Any]) -> list[Any]:
    """Run a statement of SQLAlchemy's on the driver's own connection."""
    compiled = statement.compile(dialect=_DIALECT, compile_kwargs={"render_postcompile": True})
    positions = compiled.positiontup or ()
    arguments = [compiled.params[name] for name in positions]
    return await services.pool.fetch(str(compiled), *arguments)


def from_json(value: str | None) -> Any:
    """A jsonb column as the driver gives it."""
    return None if value is None else orjson.loads(value)


def plain_page(request: Request, known: Collection[str]) -> Page:
    """The page of a list that has no filters; `known` are its other parameters.

    Raises:
        Refused: 422 with each parameter that is wrong.
    """
    errors: dict[str, list[str]] = {}
    page = Page(
        _bounded(request, "page[size]", SIZE_DEFAULT, SIZE_MAX, errors),
        _bounded(request, "page[number]", 1, NUMBER_MAX, errors),
        None,
    )
    for name in set(request.query_params) - {"page[size]", "page[number]", *known}:
        errors[name[:200]] = ["This parameter is not known here."]
    if errors:
        raise Refused.invalid(errors)
    return page


def _conditions(
    request: Request, services: Services, listing: Listing, errors: dict[str, list[str]]
) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    for parameter, text in request.query_params.multi_items():
        found = _FILTER.fullmatch(parameter)
        if found is None:
            continue
        filtered = listing.fields.get(found[1])
        if filtered is None:
            known = ", ".join(sorted(listing.fields))
            errors[parameter[:200]] = [f"Filter by one of: {known}."]
            continue
        try:
            conditions.append(_condition(filtered, found[2] or "eq", text, services))
        except ValueError as error:
            errors[parameter] = [str(error)]
    return conditions


def _condition(
    filtered: Field, operator: str, text: str, services: Services
) -> ColumnElement[bool]:
    if operator == "nullable":
        is_null: ColumnElement[bool] = filtered.column.is_(None)
        return is_null if _boolean(text, services) else ~is_null
    if operator == "in":
        values = text.split(",")
        if len(values) > VALUES_MAX:
            raise ValueError(f"Give at most {VALUES_MAX} values.")
        within: ColumnElement[bool] = filtered.column.in_(
            [filtered.read(value, services) for value in values]
        )
        return within
    if operator not in _COMPARISONS:
        raise ValueError("Compare with eq, ne, gt, gte, lt, lte, in or nullable.")
    return _COMPARISONS[operator](filtered.column, filtered.read(text, services))


def _order(
    request: Request, listing: Listing, errors: dict[str, list[str]]
) -> list[ColumnElement[Any]]:
    text = request.query_params.get("sort")
    if text is None:
        return list(listing.order) or [listing.id_column.desc()]
    if "page[after]" in request.query_params:
        errors["sort"] = ["page[after] goes through the default order; leave sort out."]
    order: list[ColumnElement[Any]] = []
    for name in text.split(",")[:VALUES_MAX]:
        sorted_by = listing.fields.get(name.removeprefix("-"))
        if sorted_by is None:
            errors["sort"] = [f"Sort by any of: {', '.join(sorted(listing.fields))}."]
            continue
        column = sorted_by.column
        order.append(column.desc().nulls_last() if name.startswith("-") else column.nulls_last())
    return [*order, listing.id_column.desc()]


def _page(request: Request, listing: Listing, errors: dict[str, list[str]]) -> Page:
    size = _bounded(request, "page[size]", SIZE_DEFAULT, SIZE_MAX, errors)
    number = _bounded(request, "page[number]", 1, NUMBER_MAX, errors)
    after = None
    cursor = request.query_params.get("page[after]")
    if cursor is not None:
        if listing.order:
            errors["page[after]"] = ["This list has an order of its own; use page[number]."]
        elif "page[number]" in request.query_params:
            errors["page[after]"] = ["Give page[number] or page[after], not both."]
        else:
            after = _after(cursor, errors)
    return Page(size, number, after)


def _bounded(
    request: Request, name: str, default: int, most: int, errors: dict[str, list[str]]
) -> int:
    text = request.query_params.get(name)
    if text is None:
        return default
    if re.fullmatch(r"[0-9]{1,6}", text) is None or not 1 <= int(text) <= most:
        errors[name] = [f"Give a whole number from 1 to {most}."]
        return default
    return int(text)


def _refuse_unknown(request: Request, errors: dict[str, list[str]]) -> None:
    for name in request.query_params:
        if name not in _PAGE and name != "sort" and _FILTER.fullmatch(name) is None:
            errors.setdefault(name[:200], ["This parameter is not known here."])


def _around(
    request: Request, listing: Listing, page: Page, rows: Sequence[Any], total: int
) -> dict[str, Any]:
    """`links` and `meta`, as the original platform has them, and the cursor of the next page."""
    shown = rows[: page.size]
    more = len(rows) > page.size
    last = max(1, -(-total // page.size))
    cursor = None
    if more and not listing.order and "sort" not in request.query_params:
        cursor = _cursor(shown[-1][listing.id_column.name])
    by_number = page.after is None
    first_shown = (page.number - 1) * page.size + 1
    links = {
        "first": _link(request, {"page[number]": 1}),
        "last": _link(request, {"page[number]": last}),
        "prev": _link(request, {"page[number]": page.number - 1})
        if by_number and page.number > 1
        else None,
        "next": None,
    }
    if more:
        step = {"page[number]": page.number + 1} if by_number else {"page[after]": cursor}
        links["next"] = _link(request, step)
    meta = {
        "current_page": page.number if by_number else None,
        "from": first_shown if by_number and shown else None,
        "to": first_shown + len(shown) - 1 if by_number and shown else None,
        "last_page": last,
        "path": request.url.path,
        "per_page": page.size,
        "total": total,
        "next_cursor": cursor,
    }
    return {"links": links, "meta": meta}


def _link(request: Request, step: Mapping[str, Any]) -> str:
    kept = [
        (name, value)
        for name, value in request.query_params.multi_items()
        if name not in ("page[number]", "page[after]")
    ]
    return f"{request.url.path}?{urlencode([*kept, *step.items()], safe='[]')}"


def _cursor(last_id: int) -> str:
    return base64.urlsafe_b64encode(f"v1:{last_id}".encode()).decode().rstrip("=")


def _after(cursor: str, errors: dict[str, list[str]]) -> int | None:
    try:
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        version, _, number = base64.urlsafe_b64decode(padded).decode("ascii").partition(":")
        if version == "v1" and _WHOLE.fullmatch(number):
            return int(number)
    except (UnicodeError, binascii.Error):
        pass
    errors["page[after]"] = ["Give the next_cursor of the page before, as it came."]
    return None
