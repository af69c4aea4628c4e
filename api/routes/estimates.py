"""What a basket could redeem now, and what it would earn: asked of the same decision, dry."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Body, Request, Response

from api.access import allowed
from api.commanding import amount, answer_with, committed
from api.documents.balances import document, of_account
from api.examples import ESTIMATE
from api.paths import BASE
from api.problems import Refused
from api.reading import of_profile, row_at
from api.route import LedgerRoute
from api.services import Services, services_of
from api.tokens import Caller
from ledger.submission import Accepted, Submission
from projections.read_models import balances
from schemas.amounts import Amount, Label
from schemas.commands import Command, Name, Text
from schemas.movements import Book
from schemas.profiles import ProfileId
from schemas.redemptions import MakeRedemption, RedemptionMade, Strategies
from schemas.times import Moment, ZoneName
from schemas.transactions import Items

router = APIRouter(prefix=BASE, tags=["Transactions"], route_class=LedgerRoute)

NOTHING_THERE: Final = "insufficient_balance"


class Basket(Command):
    """What is about to be sold, to whom. Only the total decides what rewards can pay."""

    profile_id: ProfileId
    total: Amount
    items: Items = ()
    strategies: Strategies = ("rewards",)
    transaction_external_id: Name | None = None
    currency: Text | None = None
    timezone: ZoneName | None = None
    transacted_at: Moment | None = None
    location_id: Label | None = None


@router.post("/transactions/incentive-estimate", status_code=200)
async def estimate(
    request: Request,
    body: Annotated[Basket, Body(openapi_examples=ESTIMATE)],
    caller: Annotated[Caller, allowed("redeem-strategy")],
) -> Response:
    """Say what a basket could redeem now, reward by reward in the order they would be spent, with
    the balances after it. Nothing is written.

    Nothing is earned by sales yet, so `earns` is empty.
    """
    services = services_of(request)
    answer = await _tried(services, caller, body)
    made = [e for e in answer.events if isinstance(e, RedemptionMade)] if answer else []
    taken = [
        movement
        for event in made
        for movement in event.movements
        if movement.target is Book.REDEEMED
    ]
    shown = {
        "profile_id": body.profile_id,
        "total": body.total,
        "redeemable": amount(sum(event.total_minor for event in made), services),
        "items": [
            {"id": each.lot, "type": "reward", "value": amount(each.amount_minor, services)}
            for each in taken
        ],
        "earns": [],
    }
    return answer_with(shown | {"balances": await _balances(services, body.profile_id, answer)})


async def _tried(services: Services, caller: Caller, basket: Basket) -> Accepted | None:
    """The redemption that takes what there is, decided and not written; None where it is nothing.

    Raises:
        Refused: there is no such profile, or the ledger can't answer now.
    """
    if not basket.total:
        return None
    command = MakeRedemption(
        profile_id=basket.profile_id,
        amount=basket.total,
        strict=False,
        strategies=basket.strategies,
        currency=basket.currency,
        transaction_total=basket.total,
        transaction_external_id=basket.transaction_external_id,
    )
    submission = Submission(command, caller.client, caller.name, dry_run=True)
    try:
        answered = await committed(services, submission, None)
    except Refused as refused:
        if refused.code == NOTHING_THERE:
            return None
        raise
    assert isinstance(answered.answer, Accepted)
    return answered.answer


async def _balances(services: Services, profile_id: str, after: Accepted | None) -> dict[str, Any]:
    """The balances after it; as they are where there is nothing to redeem."""
    if after is not None:
        return document(of_account(after.state, after.at), services)
    fresh = await of_profile(services, balances.PROJECTION, profile_id)
    row = await row_at(services, balances.TABLE, (fresh.profile_id,))
    return document(
        balances.balance_at(None if row is None else dict(row), services.clock()), services
    )
