"""Pages of a list: `page[size]`, `page[number]`, or `page[after]` with a cursor; and links."""

import base64
import binascii
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

from fastapi import Request

from api.filters import WHOLE
from api.parameters import Parameter, text
from api.problems import Refused
from schemas.amounts import MINOR_MAX

SIZE_DEFAULT: Final = 15
SIZE_MAX: Final = 200
NUMBER_MAX: Final = 10_000

SIZE: Final = Parameter(
    "page[size]",
    "How many a page has.",
    {"type": "integer", "minimum": 1, "maximum": SIZE_MAX, "default": SIZE_DEFAULT},
)
NUMBER: Final = Parameter(
    "page[number]",
    "Which page.",
    {"type": "integer", "minimum": 1, "maximum": NUMBER_MAX, "default": 1},
)
AFTER: Final = text("page[after]", "The `next_cursor` of the page before, as it came.")

Errors = dict[str, list[str]]


@dataclass(frozen=True, slots=True)
class Page:
    """One page as it was asked for."""

    size: int
    number: int
    after: int | None = None

    @property
    def first(self) -> int:
        """How many entries come before it."""
        return (self.number - 1) * self.size

    @property
    def part(self) -> slice:
        """Its entries among all, and one more: that tells whether there is another page."""
        return slice(self.first, self.first + self.size + 1)


def numbered_page(request: Request, errors: Errors) -> Page:
    """The page by its number; what is wrong goes into `errors`."""
    return Page(
        _bounded(request, SIZE.name, SIZE_DEFAULT, SIZE_MAX, errors),
        _bounded(request, NUMBER.name, 1, NUMBER_MAX, errors),
    )


def plain_page(request: Request) -> Page:
    """The page of a list without a cursor.

    Raises:
        Refused: 422 with each parameter that is wrong.
    """
    errors: Errors = {}
    page = numbered_page(request, errors)
    if errors:
        raise Refused.invalid(errors)
    return page


def page_of(request: Request, errors: Errors) -> Page:
    """The page by number or cursor; what is wrong goes into `errors`."""
    page = numbered_page(request, errors)
    cursor = request.query_params.get(AFTER.name)
    if cursor is None:
        return page
    if NUMBER.name in request.query_params:
        errors[AFTER.name] = ["Give page[number] or page[after], not both."]
    after = _after(cursor)
    if after is None:
        errors[AFTER.name] = ["Give the next_cursor of the page before, as it came."]
    return Page(page.size, page.number, after)


def around(
    request: Request, page: Page, rows: Sequence[Any], total: int, id_name: str | None
) -> dict[str, Any]:
    """`links` and `meta`, as the original platform has them.

    `rows` may have one more than the page shows. With `id_name` the next page has a cursor.
    """
    shown = rows[: page.size]
    more = len(rows) > page.size
    last = max(1, -(-total // page.size))
    cursor = _cursor(shown[-1][id_name]) if more and id_name is not None else None
    by_number = page.after is None
    first_shown = page.first + 1
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


def _after(cursor: str) -> int | None:
    try:
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        version, _, number = base64.urlsafe_b64decode(padded).decode("ascii").partition(":")
    except (UnicodeError, binascii.Error):
        return None
    known = version == "v1" and WHOLE.fullmatch(number) and abs(int(number)) <= MINOR_MAX
    return int(number) if known else None


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
