"""The words of the stories about holds."""

from typing import Any

from deciders.scenario import moment, move, redemption

from schemas.holds import (
    CaptureRedemption,
    HoldLapsed,
    HoldReleased,
    RedemptionCaptured,
    RedemptionHeld,
    ReleaseRedemption,
)
from schemas.movements import Book, Movement

NOON = "2030-06-01 12:00:00"
DEADLINE = "2030-06-01 12:15:00"
JUST_BEFORE = "2030-06-01 12:14:59.999999"
WINDOW_END = "2030-06-01 12:10:00"


def held(
    redemption_id: int, *taken: tuple[int, str], until: str = DEADLINE, **told: Any
) -> RedemptionHeld:
    """These amounts of these lots were set aside."""
    told = redemption(redemption_id, *taken, **told).model_dump() | {
        "held_until": moment(until),
        "movements": tuple(move(lot, amount, Book.AVAILABLE, Book.HELD) for lot, amount in taken),
    }
    del told["reversible_until"]
    return RedemptionHeld(**told)


def captured(
    redemption_id: int, *movements: Movement, until: str = WINDOW_END
) -> RedemptionCaptured:
    """What was held was taken; whatever is not redeemed of it was released."""
    taken = sum(m.amount_minor for m in movements if m.target is Book.REDEEMED)
    return RedemptionCaptured(
        redemption_id=redemption_id,
        total_minor=taken,
        released_minor=sum(m.amount_minor for m in movements) - taken,
        reversible_until=moment(until),
        movements=movements,
    )


def released(redemption_id: int, *movements: Movement) -> HoldReleased:
    """What was held was let go."""
    return HoldReleased(
        redemption_id=redemption_id,
        released_minor=sum(m.amount_minor for m in movements),
        movements=movements,
    )


def lapsed(redemption_id: int, *movements: Movement, until: str = DEADLINE) -> HoldLapsed:
    """The deadline came first."""
    return HoldLapsed(
        redemption_id=redemption_id,
        released_minor=sum(m.amount_minor for m in movements),
        held_until=moment(until),
        movements=movements,
    )


def taken(lot: int, amount: str) -> Movement:
    """Held value is redeemed."""
    return move(lot, amount, Book.HELD, Book.REDEEMED)


def free(lot: int, amount: str) -> Movement:
    """Held value is available again."""
    return move(lot, amount, Book.HELD, Book.AVAILABLE)


def gone(lot: int, amount: str) -> Movement:
    """Held value has expired with its lot."""
    return move(lot, amount, Book.HELD, Book.EXPIRED)


def capture(redemption_id: int, amount: str | None = None) -> CaptureRedemption:
    """Take what is held."""
    return CaptureRedemption.model_validate({"redemption_id": redemption_id, "amount": amount})


def release(redemption_id: int) -> ReleaseRedemption:
    """Let go of what is held."""
    return ReleaseRedemption(redemption_id=redemption_id)
