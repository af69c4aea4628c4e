"""What the deadline of a hold does: its value is free again, or has expired meanwhile."""

from datetime import datetime

from ledger.account.state import Account, Redemption
from schemas.holds import HoldLapsed
from schemas.movements import Book, Movement, moved


def holds_due(account: Account, now: datetime) -> tuple[HoldLapsed, ...]:
    """The lapses that time has brought, the earliest deadline first."""
    if not account.holds:
        return ()
    due = sorted((until, number) for number, until in account.holds.items() if until <= now)
    return tuple(_lapsed(account.redemptions[number], account, until) for until, number in due)


def let_go(
    parcels: list[tuple[int, int]] | tuple[tuple[int, int], ...], account: Account, at: datetime
) -> tuple[Movement, ...]:
    """Held value leaves its hold: what belongs to a reward past its time has expired with it."""
    movements: list[Movement] = []
    for lot_id, amount in parcels:
        target = Book.EXPIRED if account.lots[lot_id].expired_by(at) else Book.AVAILABLE
        movements += moved(lot_id, Book.HELD, target, amount)
    return tuple(movements)


def _lapsed(redemption: Redemption, account: Account, until: datetime) -> HoldLapsed:
    assert redemption.hold is not None
    return HoldLapsed(
        redemption_id=redemption.id,
        released_minor=redemption.hold.total_minor,
        held_until=until,
        movements=let_go(redemption.hold.parcels, account, until),
    )
