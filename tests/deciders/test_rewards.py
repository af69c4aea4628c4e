"""Rewards: issued with terms of their own, spendable to the last second, revoked once."""

from typing import Any

import pytest
from deciders.scenario import (
    DUE,
    activated,
    archived,
    definition,
    expired,
    issue,
    moment,
    pending,
    redeem,
    redemption,
    registered,
    revoked,
    reward,
)
from deciders.story import given
from pydantic import ValidationError

from ledger.account.folding import fold
from ledger.account.rewards import DUE_FACTS_MAX, facts_due
from ledger.rejections import (
    DefinitionNotAssignable,
    InsufficientBalance,
    InvalidRewardTerms,
    UnknownDefinition,
    UnknownReward,
)
from schemas.movements import Book
from schemas.rewards import RevokeReward

NOON = "2030-06-01 12:00:00"
MONTH_LATER = "2030-07-01"


def revoke(reward_id: int) -> RevokeReward:
    return RevokeReward(reward_id=reward_id)


# ── Issue ────────────────────────────────────────────────────────────────────────────────────────


def test_the_first_reward_registers_the_profile() -> None:
    given(definition()).when(issue(), at=NOON).then(
        registered(), reward(100, "10.00", issued=NOON, expires=MONTH_LATER)
    )


def test_a_known_profile_is_not_registered_again() -> None:
    given(definition(), registered()).when(issue(), at=NOON).then(
        reward(100, "10.00", issued=NOON, expires=MONTH_LATER)
    )


def test_a_definition_may_be_named_by_its_handle() -> None:
    by_handle = issue(None, reward_definition_handle="birthday-reward")
    given(definition(), registered()).when(by_handle, at=NOON).then(
        reward(100, "10.00", issued=NOON, expires=MONTH_LATER)
    )


@pytest.mark.parametrize(
    "names", [{}, {"reward_definition_id": 6, "reward_definition_handle": "birthday-reward"}]
)
def test_a_reward_names_exactly_one_definition(names: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="name one definition"):
        issue(None, **names)


def test_an_unknown_definition_is_refused() -> None:
    given(definition(6)).when(issue(7)).then_refused(UnknownDefinition)


def test_an_unknown_handle_is_refused() -> None:
    by_handle = issue(None, reward_definition_handle="welcome")
    given(definition(6)).when(by_handle).then_refused(UnknownDefinition)


def test_nothing_is_issued_under_a_definition_that_says_so() -> None:
    given(definition(is_assignable=False)).when(issue()).then_refused(DefinitionNotAssignable)


def test_nothing_is_issued_under_an_archived_definition() -> None:
    given(definition(), archived()).when(issue()).then_refused(DefinitionNotAssignable)


def test_a_value_of_its_own_wins_over_the_definition() -> None:
    given(definition(), registered()).when(issue(value_initial="3.50"), at=NOON).then(
        reward(100, "3.50", issued=NOON, expires=MONTH_LATER)
    )


def test_only_what_remains_enters_the_books() -> None:
    (
        given(definition(), registered())
        .when(issue(value_remaining="4.00"), at=NOON)
        .then(
            reward(100, "4.00", issued=NOON, expires=MONTH_LATER, value_initial_minor=1000),
        )
        .then_balance("4.00", at=NOON)
    )


def test_a_reward_of_which_nothing_remains_moves_no_value() -> None:
    nothing = reward(100, "10.00", issued=NOON, expires=MONTH_LATER, value_remaining_minor=0)
    given(definition(), registered()).when(issue(value_remaining="0"), at=NOON).then(nothing)


def test_more_cannot_remain_than_there_was() -> None:
    given(definition()).when(issue(value_remaining="10.01")).then_refused(InvalidRewardTerms)


def test_the_external_id_is_kept_as_it_came() -> None:
    extras: dict[str, Any] = {"external_id": "till-7"}
    given(definition(), registered()).when(issue(**extras), at=NOON).then(
        reward(100, "10.00", issued=NOON, expires=MONTH_LATER, **extras)
    )


def test_a_fraction_of_a_second_is_cut_from_the_time_of_issue() -> None:
    given(definition(), registered()).when(issue(), at="2030-06-01 12:00:00.999999").then(
        reward(100, "10.00", issued=NOON, expires=MONTH_LATER)
    )


# ── Expiry ───────────────────────────────────────────────────────────────────────────────────────


def test_a_period_counts_from_the_local_date_of_issue() -> None:
    """22:00 in UTC is 08:00 of the next day in Brisbane; the day ends there at 13:59:59 UTC."""
    brisbane = issue(timezone="Australia/Brisbane")
    given(definition(period=1), registered()).when(brisbane, at="2030-06-01 22:00:00").then(
        reward(
            100,
            "10.00",
            issued="2030-06-01 22:00:00",
            expires="2030-06-03 13:59:59",
            period=1,
            timezone="Australia/Brisbane",
        )
    )


def test_a_month_ends_where_the_month_does() -> None:
    monthly = definition(period=1, period_type="months")
    given(monthly, registered()).when(issue(), at="2031-01-31 10:00:00").then(
        reward(
            100,
            "10.00",
            issued="2031-01-31 10:00:00",
            expires="2031-02-28",
            period=1,
            period_type="months",
        )
    )


def test_an_explicit_expiry_wins_over_the_period() -> None:
    given(definition(), registered()).when(issue(expires_at="2035-01-01 06:00:00"), at=NOON).then(
        reward(100, "10.00", issued=NOON, expires="2035-01-01 06:00:00")
    )


def test_an_expiry_of_null_means_never() -> None:
    given(definition(), registered()).when(issue(expires_at=None), at=NOON).then(
        reward(100, "10.00", issued=NOON)
    ).then_balance("10.00", at="9000-01-01")


def test_an_offset_in_a_time_wins_over_the_zone() -> None:
    command = issue(expires_at="2031-01-01T00:00:00+10:00", timezone="America/New_York")
    given(definition(), registered()).when(command, at=NOON).then(
        reward(
            100,
            "10.00",
            issued=NOON,
            expires="2030-12-31 14:00:00",
            timezone="America/New_York",
        )
    )


def test_an_expiry_before_the_issue_is_refused() -> None:
    command = issue(issued_at="2030-01-02 00:00:00", expires_at="2030-01-01 23:59:59")
    given(definition()).when(command).then_refused(InvalidRewardTerms)


def test_an_expiry_in_the_second_of_issue_is_possible() -> None:
    command = issue(issued_at=NOON, expires_at=NOON)
    given(definition(), registered()).when(command, at=NOON).then(
        reward(100, "10.00", issued=NOON, expires=NOON)
    )


@pytest.mark.parametrize("name", ["issued_at", "expires_at"])
def test_a_time_nobody_can_read_is_refused(name: str) -> None:
    fields: dict[str, Any] = {name: "tomorrow"}
    with pytest.raises(ValidationError, match=name):
        issue(**fields)


@pytest.mark.parametrize("name", ["issued_at", "expires_at"])
def test_a_time_its_zone_puts_past_the_calendar_is_refused(name: str) -> None:
    fields: dict[str, Any] = {name: "9999-12-31 23:59:59", "timezone": "America/New_York"}
    given(definition()).when(issue(**fields)).then_refused(InvalidRewardTerms)


def test_a_period_past_the_calendar_is_refused() -> None:
    endless = definition(period=9000, period_type="years")
    given(endless).when(issue()).then_refused(InvalidRewardTerms)


def test_a_reward_may_live_to_the_last_second_of_the_calendar() -> None:
    """A date some systems write for "never"; it must not make the account unreadable."""
    given(definition(), registered()).when(issue(expires_at="9999-12-31 23:59:59"), at=NOON).then(
        reward(100, "10.00", issued=NOON, expires="9999-12-31")
    ).then_balance("10.00", at=NOON)


def test_a_pending_reward_may_live_to_the_last_second_of_the_calendar() -> None:
    """It is activated later; the account has to stay usable from then on."""
    story = given(pending(1, "5.00", issued=NOON, expires="9999-12-31"))
    story.when(DUE, at=NOON).then(activated(1, "5.00"))


def test_a_reward_is_worth_something_until_the_end_of_its_second() -> None:
    story = given(reward(1, "5.00", expires="2030-06-01 12:00:00"))
    story.then_balance("5.00", at="2030-06-01 12:00:00")
    story.then_balance("5.00", at="2030-06-01 12:00:00.999999")
    story.then_balance("0.00", at="2030-06-01 12:00:01")


def test_a_reward_can_be_spent_until_the_end_of_its_second() -> None:
    story = given(reward(1, "5.00", expires="2030-06-01 12:00:00"))
    last = "2030-06-01 12:00:00.999999"
    story.when(redeem("5.00"), at=last).then(redemption(100, (1, "5.00"), at=last))
    story.when(redeem("5.00"), at="2030-06-01 12:00:01").then_refused(
        InsufficientBalance, available=0
    )


def test_an_expiry_is_recorded_once() -> None:
    (
        given(reward(1, "5.00", expires="2030-05-31"))
        .when(DUE, at=NOON)
        .then(expired(1, "5.00", expires="2030-05-31"))
        .when(DUE, at=NOON)
        .then_nothing()
    )


def test_nothing_is_due_in_the_last_moment_of_a_reward() -> None:
    story = given(reward(1, "5.00", expires="2030-06-01 12:00:00"))
    story.when(DUE, at="2030-06-01 12:00:00.999999").then_nothing()


def test_expiries_are_recorded_in_their_order() -> None:
    (
        given(
            reward(1, "1.00", expires="2030-05-31"),
            reward(2, "2.00", expires="2030-05-30"),
            reward(3, "3.00", expires="2031-05-30"),
        )
        .when(DUE, at=NOON)
        .then(expired(2, "2.00", expires="2030-05-30"), expired(1, "1.00", expires="2030-05-31"))
    )


def test_only_what_remains_expires() -> None:
    (
        given(reward(1, "5.00", expires="2030-05-31"), redemption(50, (1, "3.00")))
        .when(DUE, at=NOON)
        .then(expired(1, "2.00", expires="2030-05-31"))
    )


def test_a_spent_reward_that_later_expires_changes_nothing() -> None:
    story = given(
        reward(1, "5.00", expires="2030-05-31"),
        reward(2, "7.00"),
        redemption(50, (1, "5.00")),
    )
    story.when(DUE, at=NOON).then_nothing().then_balance("7.00", at=NOON)


def test_an_import_that_is_past_its_time_is_issued_and_then_expired() -> None:
    command = issue(issued_at="2029-01-01 00:00:00", expires_at="2029-02-01 00:00:00")
    (
        given(definition())
        .when(command, at=NOON)
        .then(
            registered(),
            reward(100, "10.00", issued="2029-01-01", expires="2029-02-01 00:00:00"),
            expired(100, "10.00", expires="2029-02-01 00:00:00"),
        )
        .then_balance("0.00", at=NOON)
    )


# ── Pending ──────────────────────────────────────────────────────────────────────────────────────


def test_a_reward_issued_for_later_is_pending() -> None:
    later = "2030-06-01 12:00:01"
    (
        given(definition(), registered())
        .when(issue(issued_at=later), at=NOON)
        .then(pending(100, "10.00", issued=later, expires=MONTH_LATER))
        .then_balance("0.00", at=NOON)
        .then_balance("10.00", at=later)
    )


def test_a_pending_reward_cannot_be_spent() -> None:
    given(pending(1, "5.00", issued="2030-06-02")).when(redeem("1.00"), at=NOON).then_refused(
        InsufficientBalance, available=0
    )


def test_a_pending_reward_is_activated_at_its_time_by_whatever_comes_next() -> None:
    given(pending(1, "5.00", issued=NOON)).when(redeem("2.00"), at=NOON).then(
        activated(1, "5.00"), redemption(100, (1, "2.00"), at=NOON)
    )


def test_a_pending_reward_whose_whole_life_has_passed_is_activated_and_expires() -> None:
    story = given(pending(1, "5.00", issued="2030-05-01", expires="2030-05-02"))
    story.when(DUE, at=NOON).then(activated(1, "5.00"), expired(1, "5.00", expires="2030-05-02"))


def test_what_is_due_comes_before_a_new_reward() -> None:
    story = given(definition(), reward(1, "5.00", expires="2030-05-31"))
    story.when(issue(expires_at=None), at=NOON).then(
        expired(1, "5.00", expires="2030-05-31"), reward(100, "10.00", issued=NOON)
    )


# ── Revoke ───────────────────────────────────────────────────────────────────────────────────────


def test_a_revoked_reward_is_worth_nothing() -> None:
    (given(reward(1, "5.00")).when(revoke(1)).then(revoked(1, "5.00")).then_balance("0.00"))


def test_only_what_remains_is_revoked() -> None:
    given(reward(1, "5.00"), redemption(50, (1, "2.00"))).when(revoke(1)).then(revoked(1, "3.00"))


def test_a_spent_reward_can_be_revoked_without_moving_value() -> None:
    given(reward(1, "5.00"), redemption(50, (1, "5.00"))).when(revoke(1)).then(revoked(1))


def test_a_pending_reward_is_revoked_before_it_starts() -> None:
    story = given(pending(1, "5.00", issued="2030-06-02"))
    after = story.when(revoke(1), at=NOON).then(revoked(1, "5.00", source=Book.PENDING))
    after.when(DUE, at="2030-06-03").then_nothing()


def test_what_is_due_comes_before_a_revocation() -> None:
    story = given(reward(1, "5.00", expires="2030-05-31"), reward(2, "1.00"))
    story.when(revoke(2), at=NOON).then(
        expired(1, "5.00", expires="2030-05-31"), revoked(2, "1.00")
    )


def test_an_expired_reward_has_nothing_left_to_revoke() -> None:
    story = given(reward(1, "5.00", expires="2030-05-31"))
    story.when(revoke(1), at=NOON).then(expired(1, "5.00", expires="2030-05-31"), revoked(1))


def test_a_reward_is_revoked_once() -> None:
    given(reward(1, "5.00"), revoked(1, "5.00")).when(revoke(1)).then_refused(UnknownReward)


def test_an_unknown_reward_cannot_be_revoked() -> None:
    given(reward(1, "5.00")).when(revoke(2)).then_refused(UnknownReward)


def test_thousands_of_expiries_due_keep_nobody_from_spending_what_has_become_spendable() -> None:
    """The next one who writes records a portion of them, and the rest is recorded later."""
    due = [reward(number, "1.00", expires="2030-05-01") for number in range(1, 1_501)]
    account, now = fold([*due, pending(2_000, "5.00", issued=NOON)]), moment(NOON)
    first = facts_due(account, now)
    assert first[0] == activated(2_000, "5.00")
    assert fold(first, account).available_minor(now) == 500


def test_thousands_of_facts_due_are_recorded_in_portions() -> None:
    due = [reward(number, "1.00", expires="2030-05-01") for number in range(1, 1_501)]
    account, now = fold(due), moment("2030-06-01")
    first = facts_due(account, now)
    account = fold(first, account)
    rest = facts_due(account, now)
    assert (len(first), len(rest)) == (DUE_FACTS_MAX, 1_500 - DUE_FACTS_MAX)
    assert facts_due(fold(rest, account), now) == ()
