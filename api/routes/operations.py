"""What operators look at: every part as it is now, dead letters, and what read models park."""

import base64
import binascii
import re
from collections.abc import Mapping
from typing import Annotated, Any, Final

from fastapi import APIRouter, Request, Response
from sqlalchemy import (
    BigInteger,
    Column,
    Integer,
    MetaData,
    Table,
    Text,
    and_,
    func,
    literal,
    select,
    union_all,
)

from api.access import allowed
from api.documents.operations import document, letter_document, parked_document
from api.filters import Field
from api.operations import Letters
from api.pages import AFTER, SIZE
from api.parameters import documented, number_of, whole
from api.paths import BASE
from api.personal import Document
from api.problems import Refused
from api.queries import Listing, answer_list
from api.route import LedgerRoute
from api.services import services_of
from api.tokens import Caller
from projections.projection import Projection
from projections.read_models import ALL
from projections.reading import Freshness

router = APIRouter(prefix=BASE, tags=["Operations"], route_class=LedgerRoute)

LETTERS: Final = whole(SIZE.name, "How many a page has.", 15, 50)
_REST: Final = re.compile(r"v1:[0-9]{1,6}-[0-9]{1,18}(,[0-9]{1,6}-[0-9]{1,18})*")
_PARTS_MAX: Final = 64 * 1024

_LOG: Final = Table(
    "events",
    MetaData(schema="ledger"),
    Column("position", BigInteger),
    Column("stream_id", Text),
    Column("stream_version", Integer),
    Column("type", Text),
)
_EVENTS: Final = _LOG.c
_LATER: Final = _LOG.alias("later").c


def _parked_in(projection: Projection) -> Any:
    streams = projection.streams.c
    waits_at = and_(
        _EVENTS.stream_id == streams.stream_id,
        _EVENTS.stream_version == streams.parked_at_version,
    )
    newest = (
        select(func.max(_LATER.stream_version))
        .where(_LATER.stream_id == streams.stream_id)
        .scalar_subquery()
    )
    return (
        select(
            (literal(f"{projection.table.name}/") + streams.stream_id).label("id"),
            literal(projection.name).label("read_model"),
            literal(projection.version).label("model_version"),
            streams.stream_id,
            streams.parked_at_version,
            streams.parked_reason,
            streams.updated_at,
            _EVENTS.position,
            _EVENTS.type,
            (newest - streams.parked_at_version + 1).label("waiting"),
        )
        .select_from(projection.streams)
        .outerjoin(_LOG, waits_at)
        .where(streams.parked_at_version.is_not(None))
    )


_PARKED: Any = union_all(*map(_parked_in, ALL)).subquery("parked")
PARKED: Final = Listing(
    _PARKED,
    {
        "read_model": Field.text(_PARKED.c.read_model),
        "stream": Field.text(_PARKED.c.stream_id),
        "type": Field.text(_PARKED.c.type),
        "position": Field.number(_PARKED.c.position),
        "parked_at": Field.instant(_PARKED.c.updated_at),
    },
    _PARKED.c.id,
    order=(_PARKED.c.updated_at.desc(),),
)


@router.get("/operations")
async def operations(
    request: Request, _: Annotated[Caller, allowed("read-operations")]
) -> Response:
    """PostgreSQL, the log's head, read models, relay, Kafka and processes, as they are now.

    A part that did not answer in time has `ok: false` and says why in `detail`; the others are told
    all the same. What is not known is null.
    """
    return Document({"data": document(await services_of(request).operations.look())})


@router.get("/operations/dead-letters", openapi_extra=documented(LETTERS, AFTER))
async def dead_letters(
    request: Request, _: Annotated[Caller, allowed("read-operations")]
) -> Response:
    """Records of the commands' topics that nobody could read, the newest first.

    Of what they say only the shape is shown: names of fields we know, and else `x` for each letter
    and `0` for each digit.
    """
    size, rest = number_of(request, LETTERS), _rest_of(request)
    try:
        found = await services_of(request).operations.dead_letters(size, rest)
    except ConnectionError:
        raise Refused(
            503,
            "queue_unavailable",
            None,
            "Kafka gave no answer; try again.",
            headers={"Retry-After": "1"},
        ) from None
    content = {"data": [letter_document(each) for each in found.letters]}
    return Document(content | _around(request, size, found, is_first=rest is None))


@router.get("/operations/parked", openapi_extra=PARKED.documented())
async def parked(request: Request, _: Annotated[Caller, allowed("read-operations")]) -> Response:
    """Streams that wait in a read model at an event it can't fold: where, why, and how many events
    wait, that one among them."""
    services = services_of(request)
    fresh = Freshness(await services.store.head())
    return await answer_list(request, services, PARKED, parked_document, fresh=fresh)


def _around(request: Request, size: int, found: Letters, *, is_first: bool) -> dict[str, Any]:
    path, cursor = request.url.path, None if found.rest is None else _cursor(found.rest)
    sized = f"{path}?page[size]={size}"
    shown = len(found.letters)
    return {
        "links": {
            "first": sized,
            "last": None,
            "prev": None,
            "next": None if cursor is None else f"{sized}&page[after]={cursor}",
        },
        "meta": {
            "current_page": 1 if is_first else None,
            "from": 1 if is_first and shown else None,
            "to": shown if is_first and shown else None,
            "last_page": None,
            "path": path,
            "per_page": size,
            "total": found.total,
            "next_cursor": cursor,
        },
    }


def _cursor(rest: Mapping[int, int]) -> str:
    told = ",".join(f"{partition}-{end}" for partition, end in sorted(rest.items()))
    return base64.urlsafe_b64encode(f"v1:{told}".encode()).decode().rstrip("=")


def _rest_of(request: Request) -> Mapping[int, int] | None:
    """What the page before has left.

    Raises:
        Refused: 422, it is no cursor of ours.
    """
    given = request.query_params.get(AFTER.name)
    if given is None:
        return None
    try:
        padded = given.encode("ascii") + b"=" * (-len(given) % 4)
        told = base64.urlsafe_b64decode(padded).decode("ascii")
    except (UnicodeError, binascii.Error):
        told = ""
    if len(told) > _PARTS_MAX or _REST.fullmatch(told) is None:
        raise Refused.invalid(
            {AFTER.name: ["Give the next_cursor of the page before, as it came."]}
        )
    parts = (part.split("-") for part in told.removeprefix("v1:").split(","))
    return {int(partition): int(end) for partition, end in parts}
