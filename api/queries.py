"""Lists: filters, order and pages from the query string to one SQL statement.

`filter[field]=v`, `filter[field][gte]=v`, `sort=-issued_at,id`, `page[size]`, `page[number]`, or
`page[after]` with the cursor of the page before.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import orjson
from fastapi import Request, Response
from sqlalchemy import ColumnElement, FromClause, and_, func, literal, select
from sqlalchemy.dialects.postgresql import asyncpg as dialect
from sqlalchemy.sql import Select

from api.filters import VALUES_MAX, Field, condition
from api.freshness import told
from api.pages import AFTER, NUMBER, SIZE, around, page_of
from api.parameters import FILTER, Parameter, documented, text
from api.personal import Document
from api.problems import Refused
from api.services import Services
from projections.reading import Freshness
from schemas.sentences import FIELD_LENGTH_MAX

_DIALECT: Final = dialect.dialect()  # type: ignore[no-untyped-call]


@dataclass(frozen=True)
class Listing:
    """A list of one read model. `id_column` ends every order, so that pages never overlap."""

    table: FromClause
    fields: Mapping[str, Field]
    id_column: Any
    order: tuple[ColumnElement[Any], ...] = ()
    """The order without `sort`; by default the newest id first."""
    columns: Sequence[Any] = field(default=())

    def select(self) -> Select[Any]:
        """All rows."""
        return select(*(self.columns or self.table.c))

    @property
    def has_cursor(self) -> bool:
        """Whether its default order is that of its ids."""
        return not self.order

    def documented(self, *more: Parameter) -> dict[str, Any]:
        """The parameters a list takes, for its route."""
        order = text("sort", f"Any of {', '.join(sorted(self.fields))}; `-` before one descends.")
        cursor = (AFTER,) if self.has_cursor else ()
        return documented(SIZE, NUMBER, *cursor, order, *self.filters(), *more)

    def filters(self) -> tuple[Parameter, ...]:
        """The filters alone."""
        return tuple(
            text(
                f"filter[{name}]",
                f"Or `filter[{name}][…]` with {', '.join(filtered.operators)}, in, nullable.",
            )
            for name, filtered in self.fields.items()
        )


async def answer_list(  # noqa: PLR0913 - each is one thing a list needs
    request: Request,
    services: Services,
    listing: Listing,
    document: Callable[[Mapping[str, Any]], Mapping[str, Any]],
    *,
    before: Callable[[Sequence[Mapping[str, Any]]], Awaitable[None]] | None = None,
    where: Sequence[ColumnElement[bool]] = (),
    fresh: Freshness,
) -> Response:
    """The page a request asks for, with links to its neighbours.

    `before` reads what the documents of a page need beside their rows. `fresh` was found before, so
    the rows may be newer and are never older.

    Raises:
        Refused: 422 with each parameter that is wrong.
    """
    errors: dict[str, list[str]] = {}
    conditions = [*where, *conditions_of(request, services, listing, errors)]
    order = _order(request, services, listing, errors)
    page = page_of(request, errors)
    if errors:
        raise Refused.invalid(errors)
    counted = select(func.count()).select_from(listing.table).where(and_(True, *conditions))
    total = (await fetch(services, counted))[0][0]
    statement = listing.select().where(and_(True, *conditions)).order_by(*order)
    if page.after is not None:
        statement = statement.where(listing.id_column < literal(page.after))
    else:
        statement = statement.offset(page.first)
    rows = await fetch(services, statement.limit(page.size + 1))
    if before is not None:
        await before(rows[: page.size])
    has_cursor = listing.has_cursor and "sort" not in request.query_params
    id_name = listing.id_column.name if has_cursor else None
    content = {
        "data": [document(row) for row in rows[: page.size]],
        **around(request, page, rows, total, id_name),
    }
    content["meta"] |= told(fresh)
    headers = {"Ledger-Position": str(fresh.position)}
    return Document(content, headers=headers)


async def fetch(services: Services, statement: Select[Any]) -> list[Any]:
    """Run a statement of SQLAlchemy's on the driver's own connection."""
    compiled = statement.compile(dialect=_DIALECT, compile_kwargs={"render_postcompile": True})
    positions = compiled.positiontup or ()
    arguments = [compiled.params[name] for name in positions]
    return await services.pool.fetch(str(compiled), *arguments)


def from_json(value: str | None) -> Any:
    """A jsonb column as the driver gives it."""
    return None if value is None else orjson.loads(value)


def conditions_of(
    request: Request, services: Services, listing: Listing, errors: dict[str, list[str]]
) -> list[ColumnElement[bool]]:
    """What the filters of a request ask of a row; what is wrong goes into `errors`."""
    conditions: list[ColumnElement[bool]] = []
    for parameter, value in request.query_params.multi_items():
        found = FILTER.fullmatch(parameter)
        if found is None:
            continue
        filtered = listing.fields.get(found[1])
        if filtered is None:
            known = ", ".join(sorted(listing.fields))
            errors[parameter[:FIELD_LENGTH_MAX]] = [f"Filter by one of: {known}."]
            continue
        try:
            conditions.append(condition(filtered, found[2] or "eq", value, services))
        except ValueError as error:
            errors[parameter] = [str(error)]
    return conditions


def _order(
    request: Request, services: Services, listing: Listing, errors: dict[str, list[str]]
) -> list[ColumnElement[Any]]:
    given = request.query_params.get("sort")
    if given is None:
        return list(listing.order) or [listing.id_column.desc()]
    if "page[after]" in request.query_params:
        errors["sort"] = ["page[after] goes through the default order; leave sort out."]
    order: list[ColumnElement[Any]] = []
    for name in given.split(",")[:VALUES_MAX]:
        sorted_by = listing.fields.get(name.removeprefix("-"))
        if sorted_by is None:
            errors["sort"] = [f"Sort by any of: {', '.join(sorted(listing.fields))}."]
            continue
        column = sorted_by.expression(services)
        order.append(column.desc().nulls_last() if name.startswith("-") else column.nulls_last())
    return [*order, listing.id_column.desc()]
