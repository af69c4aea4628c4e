"""Definitions: added under a fresh handle, changed in versions, archived for good."""

from datetime import date
from typing import Any

import pytest
from deciders.scenario import archived, definition, issue, moment, registered, reward
from deciders.story import given
from pydantic import ValidationError

from ledger.rejections import (
    DefinitionNotAssignable,
    HandleTaken,
    InvalidDefinition,
    NoSuchDefinition,
    UnsupportedCurrency,
)
from schemas.reward_definitions import (
    AddRewardDefinition,
    ArchiveRewardDefinition,
    ChangeRewardDefinition,
    RewardDefinitionChanged,
)


def add(**fields: Any) -> AddRewardDefinition:
    needed = {"name": "Birthday Reward", "handle": "birthday-reward", "value": "10.00"}
    needed |= {"type": "birthday", "period": "30"}
    return AddRewardDefinition.model_validate(needed | fields)


def change(definition_id: int = 6, **fields: Any) -> ChangeRewardDefinition:
    return ChangeRewardDefinition.model_validate({"definition_id": definition_id} | fields)


def changed(version: int, **changes: Any) -> RewardDefinitionChanged:
    content = RewardDefinitionChanged.EXAMPLE | {"definition_version": version} | changes
    return RewardDefinitionChanged.model_validate(content)


def archive(definition_id: int = 6) -> ArchiveRewardDefinition:
    return ArchiveRewardDefinition(definition_id=definition_id)


def test_a_definition_is_added_in_version_one() -> None:
    given().when(add()).then(definition(100, text={}))


def test_an_added_definition_keeps_the_texts_that_were_given() -> None:
    texts = {"description": "Ours", "icon": None, "tags": ["a"], "meta": {"note": None}}
    given().when(add(**texts)).then(definition(100, text=texts))


def test_flags_and_period_type_are_kept() -> None:
    flags = {"is_assignable": False, "is_reassignable": True, "is_extendable": True}
    flags |= {"is_published": True}
    given().when(add(period_type="months", **flags)).then(
        definition(100, period_type="months", text={}, **flags)
    )


def test_a_handle_is_taken_once() -> None:
    given(definition(6)).when(add()).then_refused(HandleTaken)


def test_the_handle_of_an_archived_definition_stays_taken() -> None:
    given(definition(6), archived(6)).when(add()).then_refused(HandleTaken)


def test_another_handle_is_free() -> None:
    given(definition(6)).when(add(handle="welcome")).then(
        definition(100, handle="welcome", text={})
    )


def test_a_change_is_a_new_whole_version() -> None:
    given(definition(6)).when(change(value="12.50", period=2, period_type="weeks")).then(
        changed(2, value_minor=1250, period=2, period_type="weeks")
    )


def test_versions_count_up() -> None:
    (
        given(definition(6))
        .when(change(name="One"))
        .then(changed(2, name="One"))
        .when(change(is_published=True))
        .then(changed(3, name="One", is_published=True))
    )


def test_a_change_that_changes_nothing_is_no_version() -> None:
    given(definition(6)).when(change(value="10.0", name="Birthday Reward")).then_nothing()


def test_a_flag_can_be_switched_off() -> None:
    given(definition(6)).when(change(is_assignable=False)).then(changed(2, is_assignable=False))


def test_a_change_of_one_text_keeps_the_others() -> None:
    texts = {"description": "Ours", "icon": "cake"}
    given(definition(6, text=texts)).when(change(icon="star")).then(
        changed(2, text={"description": "Ours", "icon": "star"})
    )


def test_a_text_can_be_cleared() -> None:
    given(definition(6, text={"icon": "cake"})).when(change(icon=None)).then(
        changed(2, text={"icon": None})
    )


def test_a_change_without_a_field_is_no_command() -> None:
    with pytest.raises(ValidationError, match="at least one field"):
        change()


@pytest.mark.parametrize("fields", [{"handle": "other"}, {"colour": "red"}])
def test_handles_and_unknown_fields_cannot_be_changed(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        change(**fields)


def test_an_unknown_definition_cannot_be_changed() -> None:
    given(definition(6)).when(change(7, name="x")).then_refused(NoSuchDefinition)


def test_a_definition_is_archived_once() -> None:
    given(definition(6)).when(archive()).then(archived(6)).when(archive()).then_nothing()


def test_an_unknown_definition_cannot_be_archived() -> None:
    given().when(archive()).then_refused(NoSuchDefinition)


def test_nothing_is_issued_under_an_archived_definition() -> None:
    given(definition(6)).when(archive()).then(archived(6)).when(issue()).then_refused(
        DefinitionNotAssignable
    )


def test_a_change_does_not_bring_an_archived_definition_back() -> None:
    """Archiving is final, whatever is changed afterwards."""
    (
        given(definition(6), archived(6))
        .when(change(name="Again"))
        .then(changed(2, name="Again"))
        .when(issue())
        .then_refused(DefinitionNotAssignable)
    )


def test_rewards_are_issued_under_the_version_that_holds() -> None:
    (
        given(definition(6), registered())
        .when(change(value="12.50"))
        .then(changed(2, value_minor=1250))
        .when(issue(issued_at="2030-06-01 12:00:00", expires_at=None))
        .then(reward(200, "12.50", issued="2030-06-01 12:00:00", definition_version=2))
    )


RULES: dict[str, Any] = {
    "is_reassignable": True,
    "is_extendable": True,
    "extend_days": 14,
    "min_spend_minor": 5000,
    "max_redeem_per_transaction_minor": 2500,
}


def test_the_rules_of_a_definition_are_kept() -> None:
    rules = {"extend_days": 14, "min_spend": "50", "max_redeem_per_transaction": "25"}
    given().when(add(is_reassignable=True, is_extendable=True, **rules)).then(
        definition(100, text={}, **RULES)
    )


def test_the_other_rules_are_kept_too() -> None:
    command = add(
        max_value="20",
        currency="AUD",
        period_type="absolute_date",
        period="0",
        absolute_expiry="2030-12-31",
        start_at="2030-06-01 00:00:00",
        end_at="2030-06-30T23:59:59.999+10:00",
        timezone="australia/brisbane",
        max_per_profile="1",
        max_total=100,
        eligibility={">=": [{"var": "profile.rewards"}, 1]},
    )
    given().when(command).then(
        definition(
            100,
            text={},
            max_value_minor=2000,
            currency="AUD",
            period=0,
            period_type="absolute_date",
            absolute_expiry=date(2030, 12, 31),
            start_at=moment("2030-05-31 14:00:00"),
            end_at=moment("2030-06-30 13:59:59"),
            timezone="Australia/Brisbane",
            max_per_profile=1,
            max_total=100,
            eligibility={">=": [{"var": "profile.rewards"}, 1]},
        )
    )


def test_what_only_others_look_at_is_kept_as_it_came() -> None:
    told = {"region_id": 3, "issue_target_id": "sms", "notify_expiry_offset": 48}
    given().when(add(**told)).then(definition(100, text=told))


def test_times_without_a_zone_are_in_the_programmes() -> None:
    story = given().under(zone="Australia/Brisbane")
    story.when(add(start_at="2030-06-01 00:00:00")).then(
        definition(
            100, text={}, start_at=moment("2030-05-31 14:00:00"), timezone="Australia/Brisbane"
        )
    )


def test_a_change_of_a_time_keeps_the_zone_it_was_given_in() -> None:
    zoned = {"start_at": moment("2030-05-31 14:00:00"), "timezone": "Australia/Brisbane"}
    given(definition(6, **zoned)).when(change(end_at="2030-07-01 00:00:00")).then(
        changed(2, **zoned | {"end_at": moment("2030-06-30 14:00:00")})
    )


@pytest.mark.parametrize(
    "fields",
    [
        {"period": "0"},
        {"period": 0, "period_type": "absolute_date"},
        {"absolute_expiry": "2030-12-31"},
        {"absolute_expiry": "2030-12-31", "period_type": "absolute_week"},
        {"start_at": "2030-06-02 00:00:00", "end_at": "2030-06-01 23:59:59"},
        {"value": "10", "max_value": "9.99"},
        {"start_at": "9999-12-31 23:59:59", "timezone": "Etc/GMT+12"},
    ],
)
def test_terms_that_contradict_each_other_are_refused(fields: dict[str, Any]) -> None:
    given().when(add(**fields)).then_refused(InvalidDefinition)


def test_a_change_must_not_leave_a_contradiction() -> None:
    dated = {"period_type": "absolute_date", "absolute_expiry": date(2030, 12, 31), "period": 0}
    story = given(definition(6, **dated))
    story.when(change(absolute_expiry=None)).then_refused(InvalidDefinition)
    story.when(change(period_type="days", absolute_expiry=None)).then_refused(InvalidDefinition)
    story.when(change(period_type="days", absolute_expiry=None, period=30)).then(
        changed(2, period=30)
    )
    given(definition(6, max_value_minor=1500)).when(change(value="16")).then_refused(
        InvalidDefinition
    )


def test_another_currency_than_the_programmes_is_refused() -> None:
    given().when(add(currency="NZD")).then_refused(UnsupportedCurrency)
    given(definition(6)).when(change(currency="NZD")).then_refused(UnsupportedCurrency)


def test_a_rule_can_be_taken_away() -> None:
    given(definition(6, **RULES)).when(change(min_spend=None, extend_days=None)).then(
        changed(2, **RULES | {"min_spend_minor": None, "extend_days": None})
    )


def test_a_reward_carries_the_rules_it_was_issued_under() -> None:
    (
        given(definition(6, **RULES), registered())
        .when(issue(issued_at="2030-06-01 12:00:00", expires_at=None))
        .then(reward(100, "10.00", issued="2030-06-01 12:00:00", **RULES))
    )
