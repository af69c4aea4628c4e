"""Why a balance is what it is: the rewards behind each number, and the steps that led there."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, get_args

from api.documents.explanations import Beside, lot_document, step_document
from api.past import PastProfile, definitions_at, tellings_of
from api.reading import not_found
from api.services import Services
from ledger.explanation import (
    Step,
    Telling,
    amounts_of,
    lots_at,
    redemption_of,
    redemptions_in,
    steps_of,
)
from ledger.history import ALL

Number = Literal["available", "pending", "held"]
NUMBERS: Final = get_args(Number)
STEPS_SHOWN: Final = 20
"""How many steps stand with each reward; `steps_explained` has all of one."""


@dataclass(frozen=True, slots=True)
class Explained:
    """A part of the rewards behind a balance, or of the steps of one; and how many there are."""

    documents: Sequence[dict[str, Any]]
    total: int


async def balance_explained(
    services: Services,
    past: PastProfile,
    number: Number | None = None,
    *,
    closed: bool = False,
    part: slice = ALL,
) -> Explained:
    """The rewards that make up the balance, in the order they will be consumed.

    With a `number` those that make up that one. With `closed` also those of which nothing is left,
    the newest first: what became of them is why the balance is not more.
    """
    known = lots_at(past.account, past.at)
    lots = list(known.open)
    if number is not None:
        place = NUMBERS.index(number)
        lots = [lot for lot in lots if amounts_of(lot)[place]]
    if closed:
        lots += known.closed
    shown = {lot.id: lot for lot in lots[part]}
    tellings = await tellings_of(services, past, shown)
    steps = steps_of(shown, tellings, past.profile_id, known.due)
    last = [step for each in steps.values() for step in (each[0], *each[-STEPS_SHOWN:])]
    beside = await _beside(services, past, tellings, last)
    documents = [
        lot_document(lot, steps[lot.id], STEPS_SHOWN, beside, services) for lot in shown.values()
    ]
    return Explained(documents, len(lots))


async def steps_explained(
    services: Services, past: PastProfile, reward_id: int, part: slice = ALL
) -> Explained:
    """Every step in the life of one reward, the oldest first.

    Raises:
        Refused: 404, the profile had no such reward then.
    """
    known = lots_at(past.account, past.at)
    lot = next((lot for lot in (*known.open, *known.closed) if lot.id == reward_id), None)
    if lot is None:
        raise not_found("reward")
    tellings = await tellings_of(services, past, {reward_id})
    steps = steps_of({reward_id: lot}, tellings, past.profile_id, known.due)[reward_id]
    beside = await _beside(services, past, tellings, steps[part])
    return Explained([step_document(step, beside, services) for step in steps[part]], len(steps))


async def _beside(
    services: Services,
    past: PastProfile,
    tellings: Sequence[Telling],
    steps: Collection[Step],
) -> Beside:
    recorded = [step.told.recorded for step in steps if step.told is not None]
    firsts = {each.position - each.batch_index for each in recorded}
    redeemed = {number for step in steps if (number := redemption_of(step.event)) is not None}
    sealed = {step.event.personal for step in steps if step.event.personal is not None}
    return Beside(
        definitions=(await definitions_at(services, past.cut)).versions,
        redemptions=redemptions_in(tellings, redeemed),
        commands=await services.store.records_of(sorted(firsts)),
        opened=await services.vault.opened(sealed),
    )
