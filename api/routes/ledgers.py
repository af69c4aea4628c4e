"""The journal of a profile: every movement of value, with the balance it left."""

import re
from typing import Annotated, Final

from fastapi import APIRouter, Path, Request, Response
from pydantic import BeforeValidator
from sqlalchemy import and_, select

from api.access import allowed
from api.documents.history import journal_document
from api.filters import Field
from api.freshness import FreshProfile
from api.paths import BASE, PathProfile
from api.queries import Listing, answer_list, fetch
from api.reading import answer_fresh, not_found, of_profile
from api.route import LedgerRoute
from api.services import Services, services_of
from api.tokens import Caller
from ledger.streams import account_stream
from projections.read_models import journal, rewards

router = APIRouter(prefix=BASE, tags=["Profiles"], route_class=LedgerRoute)

TABLE = journal.PROJECTION.table
_COLUMNS = TABLE.c
_REWARDS = rewards.PROJECTION.table.c
_EXPIRY = (
    select(_REWARDS.expires_at)
    .where(_REWARDS.reward_id == _COLUMNS.reward_id)
    .scalar_subquery()
    .label("expires_at")
)

LISTING = Listing(
    TABLE,
    {
        "position": Field.number(_COLUMNS.position),
        "event": Field.text(_COLUMNS.event_type),
        "reward_id": Field.number(_COLUMNS.reward_id),
        "redemption_id": Field.number(_COLUMNS.redemption_id),
        "occurred_at": Field.instant(_COLUMNS.occurred_at),
        "recorded_at": Field.instant(_COLUMNS.recorded_at),
        "amount": Field.money(_COLUMNS.amount_minor),
    },
    _COLUMNS.position,
    order=(_COLUMNS.stream_version.desc(), _COLUMNS.movement_index.desc()),
    columns=(*TABLE.columns, _EXPIRY),
)

_LINE: Final = re.compile(r"([1-9][0-9]{0,8})\.(0|[1-9][0-9]{0,8})")


def _plain(text: str) -> str:
    if _LINE.fullmatch(text) is None:
        raise ValueError("Give the id of a line as the journal shows it, such as 12.0.")
    return text


PathLine = Annotated[str, BeforeValidator(_plain), Path(examples=["12.0"])]


@router.get("/profiles/{profile_id}/ledgers", openapi_extra=LISTING.documented())
async def read_journal(
    request: Request,
    profile_id: PathProfile,
    _: Annotated[Caller, allowed("read-ledgers")],
) -> Response:
    """The journal: every movement of value with the balance it left, the newest first."""
    services = services_of(request)
    fresh = await _fresh(services, profile_id)
    return await answer_list(
        request,
        services,
        LISTING,
        lambda row: journal_document(row, services),
        where=[_COLUMNS.profile_id == fresh.profile_id],
        fresh=fresh,
    )


@router.get("/profiles/{profile_id}/ledgers/{line_id}")
async def read_line(
    request: Request,
    profile_id: PathProfile,
    line_id: PathLine,
    _: Annotated[Caller, allowed("read-ledgers")],
) -> Response:
    """One line of the journal."""
    services = services_of(request)
    fresh = await _fresh(services, profile_id)
    version, index = map(int, line_id.split("."))
    found = LISTING.select().where(
        and_(
            _COLUMNS.profile_id == fresh.profile_id,
            _COLUMNS.stream_version == version,
            _COLUMNS.movement_index == index,
        )
    )
    rows = await fetch(services, found)
    if not rows:
        raise not_found("journal line")
    return answer_fresh(journal_document(rows[0], services), fresh)


async def _fresh(services: Services, profile_id: str) -> FreshProfile:
    """The rewards too: a line tells when its reward expires."""
    fresh = await of_profile(services, journal.PROJECTION, profile_id)
    await services.reads.catch_up(rewards.PROJECTION, account_stream(fresh.profile_id))
    return fresh
