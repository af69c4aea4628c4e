"""Reassigning a reward: what remains of it moves; what was spent stays with whoever spent it."""

from typing import Any

import pytest
from deciders.scenario import (
    carried_on,
    give_back,
    minor,
    move,
    moved_on,
    pending,
    redeem,
    redemption,
    registered,
    returned,
    reverse,
    revoked,
    reward,
)
from deciders.story import Given, elsewhere, given

from ledger.account import reassignment
from ledger.rejections import (
    RewardHasExpired,
    RewardIsHeld,
    RewardIsRevoked,
    RewardNotReassignable,
    SameProfile,
    UnknownNamedProfile,
    UnknownReward,
)
from schemas.events import Event
from schemas.movements import Book
from schemas.profiles import MergeProfiles
from schemas.rewards import ReassignReward, RevokeReward, RewardReceived, RewardSent

NEXT_MONTH = "2030-07-01"


def reassign(reward_id: int = 1, to: str = "p-2") -> ReassignReward:
    """Give a reward to another profile."""
    return ReassignReward(reward_id=reward_id, profile_id=to)


def spent_two(*more: Event, **terms: Any) -> Given:
    """Of 5.00 that may be passed on, 2.00 are spent; p-2 has nothing."""
    fields: dict[str, Any] = {"expires": "2031-02-01", "is_reassignable": True} | terms
    return given(
        reward(1, "5.00", **fields),
        redemption(50, (1, "2.00")),
        *more,
        elsewhere("p-2", registered("p-2")),
        elsewhere("p-3", registered("p-3")),
    )


def test_what_remains_moves_under_its_id_and_terms() -> None:
    spent_two().when(reassign()).then(
        RewardSent(
            into="p-2", rewards=(1,), movements=(move(1, "3.00", Book.AVAILABLE, Book.TRANSFERRED),)
        ),
        elsewhere("p-2", _received()),
    ).then_balance("0")


def _received() -> RewardReceived:
    return RewardReceived.model_validate(
        {
            "giver": "p-1",
            "lots": [
                {
                    "reward_id": 1,
                    "definition_id": 6,
                    "definition_version": 1,
                    "period": 30,
                    "period_type": "days",
                    "value_initial_minor": 500,
                    "issued_at": "2030-01-01T00:00:00Z",
                    "expires_at": "2031-02-01T23:59:59Z",
                    "timezone": "UTC",
                    "is_reassignable": True,
                    "moves": 1,
                    "books": {"available": 300},
                }
            ],
            "movements": [move(1, "3.00", Book.ISSUED, Book.AVAILABLE)],
        }
    )


def test_the_new_owner_spends_it_and_the_old_one_can_not() -> None:
    after = spent_two().when(reassign()).accepted()
    after.when(redeem("3.00", profile_id="p-2")).accepted()
    assert not after.account().open_lots


def test_a_reward_issued_for_a_later_time_moves_as_it_is() -> None:
    story = given(
        pending(1, "5.00", issued=NEXT_MONTH, is_reassignable=True),
        elsewhere("p-2", registered("p-2")),
    )
    lot = story.when(reassign()).accepted().account("p-2").lots[1]
    assert lot.amount(Book.PENDING) == minor("5.00")


def test_a_moved_reward_is_found_by_its_id() -> None:
    after = spent_two().when(reassign()).accepted().when(reassign(to="p-3")).accepted()
    last = after.when(RevokeReward(reward_id=1)).accepted()
    assert last.account("p-3").lots[1].revoked
    assert not last.account("p-2").lots[1].revoked


def test_a_reward_may_come_back_to_whoever_had_it_first() -> None:
    after = spent_two().when(reassign()).accepted().when(reassign(to="p-1")).accepted()
    lot = after.account().lots[1]
    assert (lot.moves, lot.moved_to) == (2, None)
    assert {book: lot.amount(book) for book in Book if lot.amount(book)} == {
        Book.AVAILABLE: 300,
        Book.REDEEMED: 200,
        Book.TRANSFERRED: 300,
    }
    after.when(give_back(50, policy="restore")).then(
        returned(300, 50, move(1, "2.00", Book.REDEEMED, Book.AVAILABLE), policy="restore")
    ).then_balance("5.00")


@pytest.mark.parametrize("policy", ["reissue", "restore"])
def test_value_of_a_moved_reward_comes_back_to_the_redeemer_as_a_new_one(policy: str) -> None:
    """Restored it lives as long as the one it came from; reissued it has a life of its own."""
    expires = "2031-02-01" if policy == "restore" else NEXT_MONTH
    spent_two().when(reassign()).accepted().when(give_back(50, "1.00", policy)).then(
        returned(201, 50, moved_on(1, "1.00"), policy=policy),
        carried_on(
            200, "1.00", lot=1, redemption=50, at="2030-06-01 12:00:00",
            expires=expires, is_reassignable=True,
        ),
    ).then_balance("1.00")  # fmt: skip


def test_a_reversal_gives_the_value_of_a_moved_reward_to_the_redeemer() -> None:
    after = spent_two().when(reassign()).accepted().when(reverse(50)).accepted()
    after.then_balance("2.00")
    assert after.account("p-2").lots[1].amount(Book.AVAILABLE) == minor("3.00")


def test_grace_for_a_moved_reward_that_has_expired_since() -> None:
    after = spent_two(expires="2030-06-02").when(reassign()).accepted()
    back = after.when(give_back(50, policy="restore"), at="2030-06-20 12:00:00").accepted()
    back.then_balance("2.00", at="2030-07-04 23:59:59").then_balance("0", at="2030-07-05 00:00:00")


def test_a_reward_that_moved_comes_together_again_in_a_merge() -> None:
    moved = spent_two().when(reassign()).accepted()
    for winner, loser in (("p-1", "p-2"), ("p-2", "p-1")):
        after = moved.when(MergeProfiles(winner=winner, loser=loser)).accepted()
        lot = after.account(winner).lots[1]
        assert (lot.moves, lot.moved_to) == (1, None)
        assert (lot.amount(Book.AVAILABLE), lot.amount(Book.REDEEMED)) == (300, 200)
        last = after.when(give_back(50, policy="restore")).accepted()
        assert last.account(winner).available_minor(_now(last)) == minor("5.00")


def _now(story: Given) -> Any:
    return story.account().redemptions[50].reversible_until


def test_what_stayed_behind_leads_on_after_a_merge() -> None:
    """p-1 had it, then p-2, then p-3: whoever of the first two wins, p-3 is found."""
    moved = spent_two().when(reassign()).accepted().when(reassign(to="p-3")).accepted()
    for winner, loser in (("p-1", "p-2"), ("p-2", "p-1")):
        after = moved.when(MergeProfiles(winner=winner, loser=loser)).accepted()
        last = after.when(RevokeReward(reward_id=1)).accepted()
        assert last.account("p-3").lots[1].revoked


@pytest.mark.parametrize(
    ("story", "refusal"),
    [
        (spent_two(is_reassignable=False), RewardNotReassignable),
        (spent_two(redemption(51, (1, "3.00"))), RewardNotReassignable),
        (spent_two(expires="2030-06-01 11:00:00"), RewardHasExpired),
        (spent_two(revoked(1, "3.00")), RewardIsRevoked),
    ],
)
def test_what_does_not_move(story: Given, refusal: Any) -> None:
    story.when(reassign()).then_refused(refusal)


def test_a_held_reward_does_not_move() -> None:
    held = reward(2, "5.00", is_reassignable=True, book=Book.HELD)
    spent_two(held).when(reassign(2)).then_refused(RewardIsHeld, held=5)


def test_to_whom_it_does_not_move() -> None:
    spent_two().when(reassign(to="p-9")).then_refused(UnknownNamedProfile)
    spent_two().when(reassign(to="p-1")).then_refused(SameProfile)
    spent_two().when(reassign(7)).then_refused(UnknownReward)


def test_a_reward_does_not_move_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reassignment, "MOVES_MAX", 1)
    spent_two().when(reassign()).accepted().when(reassign(to="p-3")).then_refused(
        RewardNotReassignable
    )
