"""Changes of rewards: adjust, extend, reassign, revoke."""

from typing import Annotated, ClassVar

from fastapi import APIRouter, Body, Request, Response

from api.access import allowed
from api.answers import ALL, answering
from api.commanding import addressed, submit
from api.examples import ADJUSTMENT, EXTENSION, REVOCATION
from api.parameters import IF_MATCH, documented
from api.paths import BASE, PathId, PathProfile
from api.reading import held_row, not_found, profile_now, row_after, rows_after
from api.route import LedgerRoute
from api.services import services_of
from api.shown_rewards import MODEL, revision_of, with_definition
from api.tokens import Caller
from api.versions import etag, expected_revision
from schemas.commands import Command, Text
from schemas.profiles import ProfileId
from schemas.rewards import (
    AdjustReward,
    ExtendRewards,
    ReassignReward,
    RevokeReward,
    RewardChanges,
)

router = APIRouter(prefix=BASE, tags=["Rewards"], route_class=LedgerRoute)


@router.post("/rewards/extend", status_code=200, responses=answering(ALL))
async def extend(
    request: Request,
    body: Annotated[ExtendRewards, Body(openapi_examples=EXTENSION)],
    caller: Annotated[Caller, allowed("update-rewards")],
) -> Response:
    """Extend rewards of a profile, once each: all of them or none.

    By `extend_days` of their own calendar, or until `extend_date`: a day, which means its end, or
    a time. Without either, by the days of their definition. What has expired comes back.
    """
    answered = await submit(request, caller, body)
    stream_id = answered.stream_id
    rows = await rows_after(answered, MODEL, stream_id, [(number,) for number in body.ids])
    as_of = answered.position or None
    shown = [await with_definition(answered.services, row, answered.at, as_of) for row in rows]
    return answered.response(shown)


@router.put("/rewards/{reward_id}", openapi_extra=documented(IF_MATCH))
async def adjust(
    request: Request,
    reward_id: PathId,
    body: Annotated[RewardChanges, Body(openapi_examples=ADJUSTMENT)],
    caller: Annotated[Caller, allowed("update-rewards")],
) -> Response:
    """Adjust a reward: what remains of it, what it was worth, when it ends, its meta.

    `value_remaining` is what remains now, what is held included; the ledger records the
    difference. With `If-Match`, only if it still is what was read before.
    """
    command = addressed(
        AdjustReward, body, reward_id=reward_id, expected_revision=expected_revision(request)
    )
    answered = await submit(request, caller, command)
    row = await row_after(answered, MODEL, answered.stream_id, (reward_id,))
    as_of = answered.position or None
    shown = await with_definition(answered.services, row, answered.at, as_of)
    return answered.response(shown, etag=etag(revision_of(row)))


@router.put("/profiles/{profile_id}/rewards/{reward_id}", openapi_extra=documented(IF_MATCH))
async def adjust_of_profile(
    request: Request,
    profile_id: PathProfile,
    reward_id: PathId,
    body: Annotated[RewardChanges, Body(openapi_examples=ADJUSTMENT)],
    caller: Annotated[Caller, allowed("update-rewards")],
) -> Response:
    """Adjust a profile's reward."""
    await _belongs(request, profile_id, reward_id)
    return await adjust(request, reward_id, body, caller)


class Reassignment(Command):
    """Who gets what remains of a reward."""

    profile_id: ProfileId


@router.post("/rewards/{reward_id}/reassign", status_code=200)
async def reassign(
    request: Request,
    reward_id: PathId,
    body: Reassignment,
    caller: Annotated[Caller, allowed("update-rewards")],
) -> Response:
    """Give what remains of a reward to another profile, under the same id and terms.

    What was redeemed of it before stays with whoever redeemed it.
    """
    answered = await submit(request, caller, addressed(ReassignReward, body, reward_id=reward_id))
    row = await row_after(answered, MODEL, answered.stream_id, (reward_id,))
    as_of = answered.position or None
    return answered.response(await with_definition(answered.services, row, answered.at, as_of))


@router.delete("/rewards/{reward_id}", status_code=204)
async def revoke(
    request: Request, reward_id: PathId, caller: Annotated[Caller, allowed("delete-rewards")]
) -> Response:
    """Revoke a reward: take back what remains of it. What was redeemed stays redeemed."""
    answered = await submit(request, caller, RevokeReward(reward_id=reward_id))
    return Response(status_code=204, headers=answered.headers())


class Revocation(Command):
    """Why a reward is taken back."""

    PERSONAL: ClassVar = RevokeReward.PERSONAL
    reason: Text | None = None


@router.post("/rewards/{reward_id}/revoke", status_code=200)
async def revoke_for(
    request: Request,
    reward_id: PathId,
    body: Annotated[Revocation, Body(openapi_examples=REVOCATION)],
    caller: Annotated[Caller, allowed("delete-rewards")],
) -> Response:
    """Revoke a reward and say why. The answer shows it as it is then."""
    answered = await submit(request, caller, addressed(RevokeReward, body, reward_id=reward_id))
    row = await row_after(answered, MODEL, answered.stream_id, (reward_id,))
    as_of = answered.position or None
    return answered.response(await with_definition(answered.services, row, answered.at, as_of))


@router.delete("/profiles/{profile_id}/rewards/{reward_id}", status_code=204)
async def revoke_of_profile(
    request: Request,
    profile_id: PathProfile,
    reward_id: PathId,
    caller: Annotated[Caller, allowed("delete-rewards")],
) -> Response:
    """Revoke a profile's reward."""
    await _belongs(request, profile_id, reward_id)
    return await revoke(request, reward_id, caller)


async def _belongs(request: Request, profile_id: str, reward_id: int) -> None:
    services = services_of(request)
    row, _ = await held_row(services, MODEL, "reward", reward_id)
    if row is None or row["profile_id"] != await profile_now(services, profile_id):
        raise not_found("reward")
