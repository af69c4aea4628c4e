"""Merging two profiles: everything of the loser is the winner's, under the same ids and terms."""

from dataclasses import fields, replace
from typing import Any

import pytest
from deciders.holding import capture, captured, held
from deciders.sales import attached, attributed, link, linked, sell, sold, void
from deciders.scenario import (
    definition,
    expired,
    give_back,
    issue,
    minor,
    moment,
    move,
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

from ledger.account import handover, profiles
from ledger.account.lots import Lot
from ledger.account.rewards import facts_due
from ledger.account.state import Account
from ledger.rejections import (
    AlreadyMerged,
    ProfileTooLarge,
    SameProfile,
    UnknownNamedProfile,
)
from schemas.events import Event
from schemas.identities import IdentityAttached
from schemas.movements import Book
from schemas.profiles import MergeProfiles, ProfileMerged, ProfileMergedAway
from schemas.rewards import RecordDueFacts, RevokeReward
from schemas.transaction_claims import TransactionClaimOpened

MERGE = MergeProfiles(winner="p-2", loser="p-1")
SOON = "2030-06-01 12:05:00"
SOON_OVER = "2030-06-01 12:15:00"
LATER = "2030-06-20 12:00:00"


CLAIMED = TransactionClaimOpened.model_validate(TransactionClaimOpened.EXAMPLE)


def lived(*more: Event) -> Given:
    """p-1 has every kind of lot; p-2 has 4.00 that expire before all else."""
    return given(
        reward(1, "5.00", expires="2031-02-01", external_id="x"),
        reward(2, "5.00", expires="2031-01-01"),
        pending(3, "1.00", issued="2030-07-01"),
        reward(4, "2.00"),
        revoked(4, "2.00"),
        reward(5, "3.00", expires="2030-05-01"),
        expired(5, "3.00", expires="2030-05-01"),
        attached(70),
        redemption(50, (2, "5.00"), (1, "2.00"), external_id="r", transaction_external_id="t-2"),
        redemption(51, (1, "1.00")),
        linked(70, 51),
        returned(52, 50, move(1, "0.50", Book.REDEEMED, Book.AVAILABLE), policy="restore"),
        held(53, (1, "1.00")),
        CLAIMED,
        IdentityAttached(identity_id=40, handle="card", is_primary=True, personal="sealed"),
        *more,
        elsewhere("p-2", registered("p-2"), reward(9, "4.00", expires="2030-12-01")),
        sold(70),
    )


def merged() -> Given:
    """p-1 has become p-2."""
    return lived().when(MERGE).accepted()


def test_one_small_account_passes_whole() -> None:
    given(
        reward(1, "5.00", expires="2031-02-01"),
        redemption(50, (1, "2.00"), at="2030-06-01 12:00:00"),
        elsewhere("p-2", registered("p-2")),
    ).when(MERGE).then(
        ProfileMergedAway(
            into="p-2",
            rewards=(1,),
            redemptions=(50,),
            movements=(
                move(1, "3.00", Book.AVAILABLE, Book.TRANSFERRED),
                move(1, "2.00", Book.REDEEMED, Book.TRANSFERRED),
            ),
        ),
        elsewhere("p-2", _merged_with(5_00)),
    )


def _merged_with(value: int) -> ProfileMerged:
    lot = {
        "reward_id": 1,
        "definition_id": 6,
        "definition_version": 1,
        "period": 30,
        "period_type": "days",
        "value_initial_minor": value,
        "issued_at": "2030-01-01T00:00:00Z",
        "expires_at": "2031-02-01T23:59:59Z",
        "timezone": "UTC",
        "books": {"available": 300, "redeemed": 200},
    }
    return ProfileMerged.model_validate(
        {
            "giver": "p-1",
            "lots": [lot],
            "redemptions": [
                {
                    "redemption_id": 50,
                    "taken": [[1, 200]],
                    "reversible_until": "2030-06-01T12:10:00Z",
                }
            ],
            "issued_under": {6: 1},
            "movements": [
                move(1, "3.00", Book.ISSUED, Book.AVAILABLE),
                move(1, "2.00", Book.ISSUED, Book.REDEEMED),
            ],
        }
    )


def test_the_winner_has_all_the_loser_had_and_the_loser_nothing() -> None:
    before = lived().account()
    story = merged()
    loser, winner = story.account(), story.account("p-2")
    assert loser.merged_into == "p-2"
    assert winner.absorbed == ("p-1",)
    for number, lot in before.lots.items():
        assert _full(winner.lots[number]) == _full(lot)
        assert {b for b, amount in loser.lots[number].books.items() if amount} <= {Book.TRANSFERRED}
    assert winner.available_minor(moment(SOON)) == minor("5.50")


def test_whatever_an_account_knows_passes_with_it() -> None:
    """A field that is added to the state and forgotten here is found by this test."""
    before = lived().account()
    empty = given(elsewhere("p-2", registered("p-2")), *_of(lived(), "account-p-1"))
    after = empty.when(MERGE).accepted().account("p-2")
    own = {"profile_id", "type", "tags", "closed", "merged_into", "absorbed"}
    for each in fields(Account):
        if each.name not in own:
            had, has = getattr(before, each.name), getattr(after, each.name)
            assert had, f"nothing of {each.name} is tried here"
            if each.name in ("lots", "open_lots"):
                had, has = (dict(zip(m, map(_full, m.values()), strict=True)) for m in (had, has))
            assert has == had, each.name


def _full(lot: Lot) -> Lot:
    """The lot without the books that were emptied."""
    return replace(lot, books={book: amount for book, amount in lot.books.items() if amount})


def _of(story: Given, stream_id: str) -> list[Event]:
    return [event for of, event in story.history if of == stream_id]


def test_the_nearest_expiry_of_both_is_spent_first() -> None:
    merged().when(redeem("5.00", profile_id="p-1")).then(
        elsewhere("p-2", redemption(200, (9, "4.00"), (1, "1.00"), profile_id="p-2"))
    )


def test_what_the_loser_is_sent_the_winner_gets() -> None:
    story = merged()
    before = len(story.account("p-2").lots)
    after = (
        Given((*story.history, ("programme", definition())), commands=1).when(issue()).accepted()
    )
    assert len(after.account("p-2").lots) == before + 1
    assert after.account() == story.account()


def test_a_redemption_of_the_loser_is_returned_to_the_winner() -> None:
    story = merged().when(give_back(50, "1.50", "restore"), at=SOON)
    story.then(
        elsewhere(
            "p-2",
            returned(
                200,
                50,
                move(1, "1.50", Book.REDEEMED, Book.AVAILABLE),
                policy="restore",
            ),
        )
    )


def test_a_redemption_of_the_loser_is_reversed_inside_its_window() -> None:
    story = given(
        reward(1, "5.00"),
        redemption(50, (1, "2.00")),
        elsewhere("p-2", registered("p-2")),
    )
    story.when(MERGE).accepted().when(reverse(50), at=SOON).accepted().then_balance("0")


def test_a_reward_of_the_loser_is_revoked_by_its_id() -> None:
    after = merged().when(RevokeReward(reward_id=2)).accepted()
    assert after.account("p-2").lots[2].revoked


def test_what_the_loser_held_is_captured_from_the_winner() -> None:
    merged().when(capture(53), at=SOON).then(
        elsewhere("p-2", captured(53, move(1, "1.00", Book.HELD, Book.REDEEMED), until=SOON_OVER))
    )


def test_what_the_loser_held_lapses_on_the_winners_account() -> None:
    assert facts_due(merged().account(), moment(LATER)) == ()
    after = merged().when(RecordDueFacts(profile_id="p-1"), at=LATER).accepted()
    assert after.account("p-2").lots[1].amount(Book.HELD) == 0
    assert after.account("p-2").available_minor(moment(LATER)) == minor("6.50")


def test_a_sale_of_the_loser_is_voided_and_gives_back_to_the_winner() -> None:
    paid = attributed(70, 51, (1, "1.00"), shares=("0.60", "0.40"))
    story = Given((*lived().history, ("transaction-70", paid)))
    after = story.when(MERGE).accepted().when(void(70), at=LATER).accepted()
    winner = after.account("p-2")
    assert winner.redemptions[51].transaction_id is None
    assert not winner.redemptions[51].outstanding()


def test_a_sale_of_the_loser_takes_a_redemption_of_the_winner() -> None:
    story = merged().when(redeem("1.00", profile_id="p-2")).accepted()
    after = story.when(link(70, 200)).accepted()
    assert after.account("p-2").redemptions[200].transaction_id == 70


def test_a_sale_the_loser_announced_is_the_winners() -> None:
    after = merged().when(sell(None, external_id="t-2")).accepted()
    assert after.account("p-2").redemptions[50].transaction_id == 200
    assert after.transaction(200).profile_id == "p-2"


def test_a_chain_leads_to_the_last_winner() -> None:
    story = Given((*merged().history, ("account-p-3", registered("p-3"))), commands=1)
    both = story.when(MergeProfiles(winner="p-3", loser="p-2")).accepted()
    last = both.account("p-3")
    assert last.absorbed == ("p-2", "p-1")
    after = both.when(redeem("1.00", profile_id="p-1")).accepted()
    assert after.account("p-3").redemptions[300].outstanding()
    after.when(give_back(50), at=LATER).accepted()
    after.when(MergeProfiles(winner="p-1", loser="p-3")).then_refused(SameProfile)


def test_who_names_a_merged_winner_means_the_one_it_has_become() -> None:
    story = Given((*merged().history, ("account-p-3", registered("p-3"))), commands=1)
    after = story.when(MergeProfiles(winner="p-1", loser="p-3")).accepted()
    assert after.account("p-3").merged_into == "p-2"


@pytest.mark.parametrize(
    ("command", "refusal", "facts"),
    [
        (MERGE, AlreadyMerged, {"merged_into": "p-2"}),
        (MergeProfiles(winner="p-1", loser="p-2"), SameProfile, {}),
        (MergeProfiles(winner="p-2", loser="p-2"), SameProfile, {}),
        (MergeProfiles(winner="p-9", loser="p-2"), UnknownNamedProfile, {}),
        (MergeProfiles(winner="p-2", loser="p-9"), UnknownNamedProfile, {}),
    ],
)
def test_what_can_not_be_merged(
    command: MergeProfiles, refusal: Any, facts: dict[str, Any]
) -> None:
    merged().when(command).then_refused(refusal, **facts)


def test_a_large_account_takes_several_events_and_loses_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    whole = merged()
    monkeypatch.setattr(handover, "PART_BYTES_MAX", 500)
    parts = merged()
    names = [type(event).__name__ for _, event in parts.history[len(lived().history) :]]
    assert names[-1] == "AccountPartTakenOver"
    assert names.count("AccountPartHandedOver") == names.count("AccountPartTakenOver") > 3
    assert names.index("ProfileMergedAway") < names.index("ProfileMerged")
    assert parts.account() == whole.account()
    assert parts.account("p-2") == whole.account("p-2")


def test_an_account_too_large_for_one_append_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(profiles, "APPEND_BYTES_MAX", 2_000)
    lived().when(MERGE).then_refused(ProfileTooLarge)
