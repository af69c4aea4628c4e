"""Rewards: issue, read, list, revoke; and what will be consumed next (article, step 2)."""

from collections.abc import Callable
from typing import Annotated, Any, Final

from fastapi import APIRouter, Body, Request, Response

from api.access import allowed
from api.batches import Rows, answer_batch
from api.bodies import BATCH
from api.commanding import Answered, addressed, submit
from api.documents.rewards import document
from api.examples import PROFILE_REWARD, REWARD, REWARDS
from api.moments import AS_OF, TIME, cut_of
from api.parameters import WAIT_FOR, Parameter, documented
from api.past import profile_at
from api.paths import BASE, PathId, PathProfile
from api.problems import Refused
from api.queries import answer_list, from_json
from api.reading import (
    answer_fresh,
    held_row,
    model_position,
    not_found,
    of_profile,
    plain,
    profile_now,
)
from api.reward_lists import LISTING, MODEL, TABLE, past_rewards
from api.route import LedgerRoute
from api.services import Services, services_of
from api.shown_rewards import Definitions, issued, revision_of, with_definition
from api.tokens import Caller
from api.versions import etag
from api.waiting_for import wait_for
from ledger.programme.state import PROGRAMME_STREAM
from projections.read_models import reward_definitions
from schemas.commands import Command
from schemas.rewards import IssueReward, RewardTerms

router = APIRouter(prefix=BASE, tags=["Rewards"], route_class=LedgerRoute)

CREATED: Final = 201

INCLUDE = Parameter(
    "include", "Show it though it is revoked.", {"type": "string", "enum": ["revoked"]}
)


class RewardBatch(Command):
    """Rewards to issue, a row each."""

    rewards: Rows[IssueReward]


_COLUMNS = TABLE.c


@router.post("/rewards")
async def issue(
    request: Request,
    body: Annotated[IssueReward, Body(openapi_examples=REWARD)],
    caller: Annotated[Caller, allowed("create-rewards")],
) -> Response:
    """Issue a reward to a profile, which exists from then on."""
    return await _issued(request, body, caller)


@router.post("/profiles/{profile_id}/rewards")
async def issue_to_profile(
    request: Request,
    profile_id: PathProfile,
    body: Annotated[RewardTerms, Body(openapi_examples=PROFILE_REWARD)],
    caller: Annotated[Caller, allowed("create-rewards")],
) -> Response:
    """Issue a reward to the profile of the path."""
    return await _issued(request, addressed(IssueReward, body, profile_id=profile_id), caller)


@router.post(f"/rewards{BATCH}", status_code=200)
async def issue_many(
    request: Request,
    body: Annotated[RewardBatch, Body(openapi_examples=REWARDS)],
    caller: Annotated[Caller, allowed("create-rewards")],
) -> Response:
    """Issue up to 1,000 rewards. Each row has a result of its own, and those of one profile keep
    their order.

    A refused row spoils no other. With an `Idempotency-Key` a repeat doubles nothing, and one with
    its refused rows mended issues those.
    """
    definitions = Definitions(services_of(request))

    async def shown(answered: Answered, _: IssueReward) -> tuple[int, Any]:
        return await issued(answered, definitions)

    return await answer_batch(request, caller, body.rewards, shown)


@router.get("/rewards", openapi_extra=LISTING.documented(WAIT_FOR))
async def list_all(request: Request, _: Annotated[Caller, allowed("read-rewards")]) -> Response:
    """All rewards, the newest first; revoked ones are left out."""
    services = services_of(request)
    await wait_for(request, services, MODEL)
    await _definitions_caught_up(services)
    return await answer_list(
        request,
        services,
        LISTING,
        _documents(services),
        where=[_COLUMNS.revoked_at.is_(None)],
        fresh=await model_position(services, MODEL),
    )


@router.get("/profiles/{profile_id}/rewards", openapi_extra=LISTING.documented(AS_OF, TIME))
async def list_of_profile(
    request: Request,
    profile_id: PathProfile,
    _: Annotated[Caller, allowed("read-rewards")],
) -> Response:
    """A profile's rewards, the newest first; revoked ones are left out.

    With `as_of` as they were at that moment, filters and order too.
    """
    services, cut = services_of(request), cut_of(request)
    if cut is not None:
        past = await profile_at(services, profile_id, cut)
        return await answer_list(
            request,
            services.at(past.at),
            await past_rewards(services, past),
            _documents(services.at(past.at)),
            fresh=past.fresh,
        )
    fresh = await of_profile(services, MODEL, profile_id)
    await _definitions_caught_up(services)
    return await answer_list(
        request,
        services,
        LISTING,
        _documents(services),
        where=[_COLUMNS.profile_id == fresh.profile_id, _COLUMNS.revoked_at.is_(None)],
        fresh=fresh,
    )


@router.get("/rewards/{reward_id}", openapi_extra=documented(INCLUDE))
async def read(
    request: Request, reward_id: PathId, _: Annotated[Caller, allowed("read-rewards")]
) -> Response:
    """One reward. A revoked one is gone, unless `?include=revoked` asks for it."""
    return await _read(request, reward_id, None)


@router.get("/profiles/{profile_id}/rewards/{reward_id}", openapi_extra=documented(INCLUDE))
async def read_of_profile(
    request: Request,
    profile_id: PathProfile,
    reward_id: PathId,
    _: Annotated[Caller, allowed("read-rewards")],
) -> Response:
    """One reward of a profile."""
    return await _read(request, reward_id, profile_id)


async def _issued(request: Request, command: IssueReward, caller: Caller) -> Response:
    answered = await submit(request, caller, command)
    status, shown = await issued(answered)
    return answered.response(shown, created=status == CREATED)


async def _read(request: Request, reward_id: int, profile_id: str | None) -> Response:
    services, with_revoked = services_of(request), _with_revoked(request)
    owner = None if profile_id is None else await profile_now(services, profile_id)
    row, fresh = await held_row(services, MODEL, "reward", reward_id)
    hidden = row is not None and row["revoked_at"] is not None and not with_revoked
    if row is None or hidden or owner not in (None, row["profile_id"]):
        raise not_found("reward")
    answer = answer_fresh(await with_definition(services, row, services.clock()), fresh)
    answer.headers["ETag"] = etag(revision_of(row))
    return answer


def _with_revoked(request: Request) -> bool:
    given = request.query_params.get(INCLUDE.name)
    if given not in (None, "revoked"):
        raise Refused.invalid({INCLUDE.name: ["Give revoked."]})
    return given == "revoked"


async def _definitions_caught_up(services: Services) -> None:
    await services.reads.catch_up(reward_definitions.PROJECTION, PROGRAMME_STREAM)


def _documents(services: Services) -> Callable[[Any], dict[str, Any]]:
    now = services.clock()

    def shown(row: Any) -> dict[str, Any]:
        definition = from_json(row["definition"])
        return document({**plain(TABLE, row), "definition": definition}, services, now)

    return shown
