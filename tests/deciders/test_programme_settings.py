"""The programme's settings: whole versions that hold for whatever is decided after them."""

from decimal import Decimal
from typing import Any

import pytest
from deciders.scenario import definition, issue, redeem, registered, reward
from deciders.story import given
from pydantic import ValidationError

from ledger.decider import ProgrammeSettings
from ledger.programme.settings import settings_event, settings_of
from ledger.rejections import (
    CurrencyFrozen,
    InvalidAmount,
    LimitExceeded,
    PreconditionFailed,
    ReversalWindowClosed,
)
from schemas.programme import ChangeProgrammeSettings, ProgrammeSettingsChanged
from schemas.redemptions import RedemptionMade, ReverseRedemption

DEFAULTS = settings_event(ProgrammeSettings())


def change(**fields: Any) -> ChangeProgrammeSettings:
    return ChangeProgrammeSettings.model_validate(fields)


def changed(version: int, **fields: Any) -> ProgrammeSettingsChanged:
    return ProgrammeSettingsChanged.model_validate(
        DEFAULTS.model_dump() | {"settings_version": version} | fields
    )


def test_the_first_change_carries_all_that_held_before_it() -> None:
    given().under(grace_days=3).when(change(zone="Australia/Perth")).then(
        changed(1, zone="Australia/Perth", grace_days=3)
    )


def test_later_ones_rest_on_the_log_alone() -> None:
    (
        given()
        .when(change(grace_days=3))
        .then(changed(1, grace_days=3))
        .under(grace_days=99, zone="Asia/Tokyo")
        .when(change(return_policy="restore"))
        .then(changed(2, grace_days=3, return_policy="restore"))
    )


def test_every_setting_can_be_changed() -> None:
    command = change(
        currency="JPY",
        currency_digits="0",
        point_exchange_rate="0.005",
        reversal_window_seconds=0,
        return_policy="restore",
        grace_days=0,
        clawback_policy="refuse",
        zone="asia/tokyo",
        auto_register=False,
        hold_seconds_max=900,
        late_redemption_window_seconds=60,
        issue_max="500",
        return_max=200,
        adjust_max=0,
    )
    given().when(command).then(
        ProgrammeSettingsChanged(
            settings_version=1,
            currency="JPY",
            currency_digits=0,
            point_exchange_rate=Decimal("0.005"),
            reversal_window_seconds=0,
            return_policy="restore",
            grace_days=0,
            clawback_policy="refuse",
            zone="Asia/Tokyo",
            auto_register=False,
            hold_seconds_max=900,
            late_redemption_window_seconds=60,
            issue_max_minor=500,
            return_max_minor=200,
            adjust_max_minor=0,
        )
    )


def test_an_event_says_all_that_decisions_know() -> None:
    event = changed(7, issue_max_minor=5, hold_seconds_max=1)
    assert settings_event(settings_of(event)) == event


def test_a_change_that_changes_nothing_is_none() -> None:
    given(changed(1)).when(change(grace_days=14, issue_max=None)).then_nothing()


def test_the_version_it_rests_on_must_be_the_newest() -> None:
    given().when(change(grace_days=1, expected_version=0)).accepted()
    given(changed(1)).when(change(grace_days=1, expected_version=1)).accepted()
    given(changed(1)).when(change(grace_days=1, expected_version=0)).then_refused(
        PreconditionFailed
    )


def test_a_limit_is_lifted_with_null_and_kept_without_it() -> None:
    limits = changed(1, issue_max_minor=100, return_max_minor=200)
    given(limits).when(change(issue_max=None)).then(changed(2, return_max_minor=200))


@pytest.mark.parametrize("field", ["currency", "grace_days", "zone", "auto_register"])
def test_nothing_else_can_be_null(field: str) -> None:
    with pytest.raises(ValidationError, match="Leave it out"):
        change(**{field: None})


def test_a_change_without_a_setting_is_no_command() -> None:
    with pytest.raises(ValidationError, match="at least one setting"):
        change()


# ── The currency ─────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("fields", [{"currency": "NZD"}, {"currency_digits": 0}])
def test_the_currency_stays_once_there_is_a_definition(fields: dict[str, Any]) -> None:
    given().when(change(**fields)).accepted()
    given(definition()).when(change(**fields)).then_refused(CurrencyFrozen)


def test_to_name_the_currency_that_holds_changes_nothing() -> None:
    given(definition()).when(change(currency="AUD", currency_digits=2, grace_days=1)).then(
        changed(1, grace_days=1)
    )


def test_limits_stay_the_amounts_they_are_when_the_minor_unit_changes() -> None:
    limits = changed(1, issue_max_minor=500)
    given(limits).when(change(currency_digits=0, return_max=7)).then(
        changed(2, currency_digits=0, issue_max_minor=5, return_max_minor=7)
    )
    odd = changed(1, issue_max_minor=550)
    given(odd).when(change(currency_digits=0)).then_refused(InvalidAmount)
    given(odd).when(change(currency_digits=0, issue_max=None)).accepted()


# ── What they are for ────────────────────────────────────────────────────────────────────────────


def test_a_change_holds_for_the_commands_after_it() -> None:
    story = given(definition(), reward(1, "50.00"))
    made = story.when(change(reversal_window_seconds=0)).accepted().when(redeem("10")).accepted()
    redemption = next(e for _, e in made.history if isinstance(e, RedemptionMade))
    made.when(
        ReverseRedemption(redemption_id=redemption.redemption_id), at="2030-06-01 12:00:01"
    ).then_refused(ReversalWindowClosed)


def test_a_limit_holds_for_staff_from_its_change_on() -> None:
    story = given(definition()).when(change(issue_max="5")).accepted()
    story.as_staff().when(issue()).then_refused(LimitExceeded, limit=5)


def test_a_command_without_a_zone_is_in_the_programmes() -> None:
    story = given(definition(), registered()).when(change(zone="Australia/Melbourne")).accepted()
    command = issue(issued_at="2030-06-01 22:00:00", expires_at="2030-07-01 23:59:59")
    story.when(command).then(
        reward(
            200,
            "10.00",
            issued="2030-06-01 12:00:00",
            expires="2030-07-01 13:59:59",
            timezone="Australia/Melbourne",
        )
    )
    named = issue(issued_at="2030-06-01 12:00:00", expires_at=None, timezone="UTC")
    story.when(named).then(reward(200, "10.00", issued="2030-06-01 12:00:00"))


def test_the_end_of_the_period_is_in_the_programmes_zone() -> None:
    story = given(definition(), registered()).under(zone="Australia/Melbourne")
    story.when(issue(), at="2030-06-01 20:00:00").then(
        reward(
            100,
            "10.00",
            issued="2030-06-01 20:00:00",
            expires="2030-07-02 13:59:59",
            timezone="Australia/Melbourne",
        )
    )
