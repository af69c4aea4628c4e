"""What becomes of redemptions, and of the value they hold before they take it."""

from collections.abc import Sequence

from immutables import Map

from ledger.account.folding.draft import Draft, Steps
from ledger.account.state import Hold, HoldStatus, Redemption
from ledger.records import replace
from schemas.holds import HoldLapsed, HoldReleased, RedemptionCaptured, RedemptionHeld
from schemas.movements import Book, Movement
from schemas.redemptions import RedemptionMade, RedemptionReturned, RedemptionReversed
from schemas.transactions import TransactionLinked, TransactionUnlinked


def _made(draft: Draft, event: RedemptionMade) -> None:
    redemption = Redemption(
        id=event.redemption_id,
        taken=_parcels(event.movements),
        reversible_until=event.reversible_until,
        external_id=event.external_id,
        announced=event.transaction_external_id,
    )
    _begin(draft, redemption)


def _held(draft: Draft, event: RedemptionHeld) -> None:
    redemption = Redemption(
        id=event.redemption_id,
        external_id=event.external_id,
        announced=event.transaction_external_id,
        hold=Hold(_parcels(event.movements), event.held_until),
    )
    draft.holds = draft.holds.set(redemption.id, event.held_until)
    _begin(draft, redemption)


def _begin(draft: Draft, redemption: Redemption) -> None:
    draft.add_redemption(redemption)
    if redemption.announced is not None:
        draft.announce(redemption.announced, (redemption.id,))


def _parcels(movements: Sequence[Movement]) -> tuple[tuple[int, int], ...]:
    return tuple((movement.lot, movement.amount_minor) for movement in movements)


def _captured(draft: Draft, event: RedemptionCaptured) -> None:
    redemption = _with_hold_ended(draft, event.redemption_id, "captured")
    taken = _parcels([each for each in event.movements if each.target is Book.REDEEMED])
    until = event.reversible_until
    draft.put_redemption(replace(redemption, taken=taken, reversible_until=until))


def _released(draft: Draft, event: HoldReleased) -> None:
    draft.put_redemption(_with_hold_ended(draft, event.redemption_id, "released"))


def _lapsed(draft: Draft, event: HoldLapsed) -> None:
    draft.put_redemption(_with_hold_ended(draft, event.redemption_id, "lapsed"))


def _with_hold_ended(draft: Draft, redemption_id: int, status: HoldStatus) -> Redemption:
    redemption = draft.redemptions[redemption_id]
    assert redemption.hold is not None
    draft.holds = draft.holds.delete(redemption_id)
    return replace(redemption, hold=replace(redemption.hold, status=status))


def _reversed(draft: Draft, event: RedemptionReversed) -> None:
    _give_back(draft, event, event.reversal_id, whole=True)


def _returned(draft: Draft, event: RedemptionReturned) -> None:
    _give_back(draft, event, event.return_id, whole=False)


def _give_back(
    draft: Draft, event: RedemptionReversed | RedemptionReturned, record_id: int, *, whole: bool
) -> None:
    redemption = draft.redemptions[event.redemption_id]
    given_back = _added(redemption.given_back, event.movements)
    draft.final_records = draft.final_records.set(record_id, redemption.id)
    draft.put_redemption(replace(redemption, given_back=given_back, reversed=whole))


def _added(given_back: Map[int, int], movements: Sequence[Movement]) -> Map[int, int]:
    for movement in movements:
        if movement.source is Book.REDEEMED:
            so_far = given_back.get(movement.lot, 0)
            given_back = given_back.set(movement.lot, so_far + movement.amount_minor)
    return given_back


def _linked(draft: Draft, event: TransactionLinked) -> None:
    redemption = draft.redemptions[event.redemption_id]
    draft.put_redemption(replace(redemption, transaction_id=event.transaction_id))


def _unlinked(draft: Draft, event: TransactionUnlinked) -> None:
    """Its sale was voided: free for another one, whichever it had announced."""
    redemption = draft.redemptions[event.redemption_id]
    draft.put_redemption(replace(redemption, transaction_id=None, announced=None))


BESIDE: Steps = {
    RedemptionMade: _made,
    RedemptionHeld: _held,
    RedemptionCaptured: _captured,
    HoldReleased: _released,
    HoldLapsed: _lapsed,
    RedemptionReversed: _reversed,
    RedemptionReturned: _returned,
    TransactionLinked: _linked,
    TransactionUnlinked: _unlinked,
}
