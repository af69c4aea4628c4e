"""The words of the stories: what can have happened to an account, and what can be asked of it.

Every time here is UTC, written `2031-02-01` or `2031-02-01 10:00:00`; an `expires` without a time
means the end of that day. Every amount is text such as `"5.00"`. Fresh ids of the first command
are 100, 101, …, those of the next one 200, 201, …
"""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from schemas.movements import Book, Movement
from schemas.profiles import ProfileRegistered
from schemas.redemptions import (
    MakeRedemption,
    RedemptionMade,
    RedemptionReturned,
    RedemptionReversed,
    ReturnRedemption,
    ReverseRedemption,
)
from schemas.reward_definitions import (
    RewardDefinitionAdded,
    RewardDefinitionArchived,
)
from schemas.rewards import (
    IssueReward,
    RecordDueFacts,
    RewardActivated,
    RewardAdjusted,
    RewardExpired,
    RewardExtended,
    RewardIssued,
    RewardRevoked,
)

NOW = "2030-06-01 12:00:00"
WINDOW = timedelta(minutes=10)


def moment(text: str) -> datetime:
    """The instant a text means, in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def last_second(text: str) -> datetime:
    """The last second of a day, or the instant itself where a time is given."""
    return moment(text if ":" in text else f"{text} 23:59:59")


def minor(amount: str) -> int:
    """The cents of an amount."""
    cents = Decimal(amount) * 100
    assert cents == int(cents)
    return int(cents)


# ── What has happened, and what follows ──────────────────────────────────────────────────────────


def definition(definition_id: int = 6, **changes: Any) -> RewardDefinitionAdded:
    """A definition worth 10.00 that lives 30 days, unless told otherwise."""
    return RewardDefinitionAdded.model_validate(
        RewardDefinitionAdded.EXAMPLE | {"definition_id": definition_id} | changes
    )


def archived(definition_id: int = 6) -> RewardDefinitionArchived:
    """The definition was archived."""
    return RewardDefinitionArchived(definition_id=definition_id)


def registered(profile_id: str = "p-1") -> ProfileRegistered:
    """The profile is there."""
    return ProfileRegistered(profile_id=profile_id)


def reward(
    reward_id: int,
    amount: str,
    *,
    expires: str | None = None,
    issued: str = "2030-01-01",
    book: Book = Book.AVAILABLE,
    **changes: Any,
) -> RewardIssued:
    """A reward of this amount; without `expires` it never does."""
    fields: dict[str, Any] = {
        "reward_id": reward_id,
        "profile_id": "p-1",
        "definition_id": 6,
        "definition_version": 1,
        "period": 30,
        "period_type": "days",
        "value_initial_minor": minor(amount),
        "value_remaining_minor": minor(amount),
        "issued_at": moment(issued),
        "expires_at": None if expires is None else last_second(expires),
        "timezone": "UTC",
    }
    fields |= changes
    remaining = fields["value_remaining_minor"]
    movement = Movement(lot=reward_id, source=Book.ISSUED, target=book, amount_minor=remaining or 1)
    return RewardIssued(**fields, movements=(movement,) if remaining else ())


def carried_on(
    reward_id: int, amount: str, *, lot: int, redemption: int, at: str = NOW, **changes: Any
) -> RewardIssued:
    """The new reward that carries on value of another one after a return."""
    changes = {"restored_from": lot, "redemption_id": redemption} | changes
    return reward(reward_id, amount, issued=at, **changes)


def pending(reward_id: int, amount: str, *, issued: str, **changes: Any) -> RewardIssued:
    """A reward issued for a later time."""
    return reward(reward_id, amount, issued=issued, book=Book.PENDING, **changes)


def activated(reward_id: int, amount: str) -> RewardActivated:
    """The reward became spendable."""
    return RewardActivated(
        reward_id=reward_id, movements=(move(reward_id, amount, Book.PENDING, Book.AVAILABLE),)
    )


def expired(reward_id: int, amount: str, *, expires: str) -> RewardExpired:
    """What remained of the reward is past its time."""
    return RewardExpired(
        reward_id=reward_id,
        expires_at=last_second(expires),
        movements=(move(reward_id, amount, Book.AVAILABLE, Book.EXPIRED),),
    )


def revoked(reward_id: int, amount: str = "0", *, source: Book = Book.AVAILABLE) -> RewardRevoked:
    """What remained of the reward was taken back."""
    movements = (move(reward_id, amount, source, Book.REVOKED),) if minor(amount) else ()
    return RewardRevoked(reward_id=reward_id, movements=movements)


def adjusted(
    reward_id: int,
    *movements: Movement,
    changed: tuple[str, ...] = ("value_remaining",),
    initial: str = "10.00",
    remaining: str = "10.00",
    expires: str | None = None,
    **changes: Any,
) -> RewardAdjusted:
    """The reward was corrected, and is like this from now on."""
    return RewardAdjusted(
        reward_id=reward_id,
        changed=changed,
        value_initial_minor=minor(initial),
        value_remaining_minor=minor(remaining),
        expires_at=None if expires is None else last_second(expires),
        movements=movements,
        **changes,
    )


def extended(
    reward_id: int, *movements: Movement, before: str, expires: str, at: str = NOW
) -> RewardExtended:
    """The reward lives longer."""
    return RewardExtended(
        reward_id=reward_id,
        expires_at=last_second(expires),
        previous_expires_at=last_second(before),
        extended_at=moment(at),
        movements=movements,
    )


def redemption(
    redemption_id: int,
    *taken: tuple[int, str],
    requested: str | None = None,
    at: str = NOW,
    **changes: Any,
) -> RedemptionMade:
    """A redemption of these amounts from these lots, in order; reversible for ten minutes."""
    total = sum(minor(amount) for _, amount in taken)
    fields: dict[str, Any] = {
        "redemption_id": redemption_id,
        "profile_id": "p-1",
        "requested_minor": total if requested is None else minor(requested),
        "total_minor": total,
        "strategies": ("rewards",),
        "strict": True,
        "reversible_until": moment(at) + WINDOW,
        "movements": tuple(
            move(lot, amount, Book.AVAILABLE, Book.REDEEMED) for lot, amount in taken
        ),
    }
    return RedemptionMade(**fields | changes)


def reversal(
    reversal_id: int, redemption_id: int, *movements: Movement, forfeited: str = "0"
) -> RedemptionReversed:
    """The redemption was undone."""
    return RedemptionReversed(
        reversal_id=reversal_id,
        redemption_id=redemption_id,
        total_minor=sum(movement.amount_minor for movement in movements),
        forfeited_minor=minor(forfeited),
        movements=movements,
    )


def returned(
    return_id: int,
    redemption_id: int,
    *movements: Movement,
    policy: str = "reissue",
    forfeited: str = "0",
) -> RedemptionReturned:
    """A part of the redemption, or the rest of it, was given back."""
    return RedemptionReturned.model_validate(
        {
            "return_id": return_id,
            "redemption_id": redemption_id,
            "total_minor": sum(movement.amount_minor for movement in movements),
            "policy": policy,
            "forfeited_minor": minor(forfeited),
            "movements": movements,
        }
    )


def move(lot: int, amount: str, source: Book, target: Book) -> Movement:
    """One movement between two books of a lot."""
    return Movement(lot=lot, source=source, target=target, amount_minor=minor(amount))


def back(lot: int, amount: str) -> Movement:
    """Redeemed value comes back to its lot."""
    return move(lot, amount, Book.REDEEMED, Book.AVAILABLE)


def moved_on(lot: int, amount: str) -> Movement:
    """Redeemed value leaves its lot for a new one."""
    return move(lot, amount, Book.REDEEMED, Book.TRANSFERRED)


def lost(lot: int, amount: str) -> Movement:
    """Redeemed value is forfeited with its revoked lot."""
    return move(lot, amount, Book.REDEEMED, Book.REVOKED)


# ── What is asked ────────────────────────────────────────────────────────────────────────────────


def issue(definition_id: int | None = 6, **fields: Any) -> IssueReward:
    """Issue a reward to p-1."""
    if definition_id is not None:
        fields = {"reward_definition_id": definition_id} | fields
    return IssueReward.model_validate({"profile_id": "p-1"} | fields)


def redeem(amount: str, **fields: Any) -> MakeRedemption:
    """Redeem an amount of p-1's balance."""
    return MakeRedemption.model_validate({"profile_id": "p-1", "amount": amount} | fields)


def reverse(redemption_id: int) -> ReverseRedemption:
    """Undo a redemption."""
    return ReverseRedemption(redemption_id=redemption_id)


def give_back(
    redemption_id: int, amount: str | None = None, policy: str = "reissue"
) -> ReturnRedemption:
    """Return a part of a redemption, or the rest."""
    return ReturnRedemption.model_validate(
        {"redemption_id": redemption_id, "amount": amount, "policy": policy}
    )


DUE = RecordDueFacts(profile_id="p-1")
