"""Registrations: a profile is made known, changed, closed and opened again."""

import pytest
from deciders.sales import sell
from deciders.scenario import definition, give_back, issue, redeem, registered, reward
from deciders.story import Given, elsewhere, given
from pydantic import ValidationError

from ledger.rejections import (
    AlreadyMerged,
    ProfileClosed,
    ProfileExists,
    UnknownNamedProfile,
    UnknownProfile,
)
from schemas.profiles import MergeProfiles, ProfileRegistered
from schemas.registrations import (
    ChangeProfile,
    DeleteProfile,
    ProfileChanged,
    ProfileDeleted,
    ProfileRestored,
    RegisterProfile,
    RestoreProfile,
)

REGISTER = RegisterProfile(profile_id="p-1", type="pending", tags=("vip",))
KNOWN = ProfileRegistered(profile_id="p-1", type="pending", tags=("vip",))
DELETE = DeleteProfile(profile_id="p-1")
DELETED = ProfileDeleted(profile_id="p-1")


def test_a_profile_is_made_known() -> None:
    given().when(REGISTER).then(KNOWN)


@pytest.mark.parametrize("known", [KNOWN, reward(1, "5.00")])
def test_who_is_known_is_not_made_known_again(known: ProfileRegistered) -> None:
    given(known).when(REGISTER).then_refused(ProfileExists)


def test_what_is_told_replaces_what_was_there_and_the_rest_stays() -> None:
    given(KNOWN).when(ChangeProfile(profile_id="p-1", tags=())).then(
        ProfileChanged(profile_id="p-1", type="pending", tags=())
    )


def test_personal_fields_are_named_and_never_seen() -> None:
    told = ChangeProfile.model_validate({"profile_id": "p-1", "email": None, "last_name": "K"})
    given(KNOWN).when(told).then(
        ProfileChanged(
            profile_id="p-1", type="pending", tags=("vip",), replaced=("email", "last_name")
        )
    )


def test_telling_the_same_again_changes_nothing() -> None:
    given(KNOWN).when(ChangeProfile(profile_id="p-1", type="pending")).then_nothing()


def test_nobody_unknown_is_changed_deleted_or_restored() -> None:
    for command in (
        ChangeProfile(profile_id="p-1", type="active"),
        DELETE,
        RestoreProfile(profile_id="p-1"),
    ):
        given().when(command).then_refused(UnknownProfile)


def test_a_change_changes_something() -> None:
    with pytest.raises(ValidationError):
        ChangeProfile(profile_id="p-1")


def closed() -> Given:
    return given(definition(), reward(1, "5.00"), DELETED)


def test_deleting_keeps_the_value_and_twice_does_nothing() -> None:
    story = given(reward(1, "5.00")).when(DELETE).then(DELETED)
    story.then_balance("5.00")
    story.when(DELETE).then_nothing()


def test_a_deleted_profile_gives_and_takes_nothing() -> None:
    closed().when(redeem("1.00")).then_refused(ProfileClosed)
    closed().when(issue()).then_refused(ProfileClosed)
    closed().when(sell("p-1")).then_refused(ProfileClosed)
    change = ChangeProfile(profile_id="p-1", type="active")
    closed().when(change).then_refused(ProfileClosed)


def test_what_it_holds_is_released_first() -> None:
    story = given(reward(1, "5.00")).when(redeem("3.00", hold="PT10M")).accepted()
    story = story.when(DELETE).accepted()
    account = story.account()
    assert account.closed
    assert not account.holds
    story.then_balance("5.00")


def test_returns_are_accepted_all_the_same() -> None:
    story = given(reward(1, "5.00")).when(redeem("3.00")).accepted()
    story = story.when(DELETE).accepted()
    story.when(give_back(100, "1.00")).accepted().then_balance("3.00")


def test_goods_come_back_whoever_has_gone() -> None:
    closed().when(sell("p-1", total="-5", external_id="back-1")).accepted()


def test_restored_it_goes_on_as_before() -> None:
    restore = RestoreProfile(profile_id="p-1")
    story = closed().when(restore).then(ProfileRestored(profile_id="p-1"))
    story.when(restore).then_nothing()
    story.when(redeem("5.00")).accepted().then_balance("0.00")


def test_without_auto_register_a_sale_makes_nobody_known() -> None:
    given().under(auto_register=False).when(sell("p-1")).then_refused(UnknownNamedProfile)
    given(registered()).under(auto_register=False).when(sell("p-1")).accepted()


def test_who_has_become_another_is_not_closed_in_its_place() -> None:
    """Cleaning up a duplicate after a merge must not close the one that is left."""
    story = given(reward(1, "5.00"), elsewhere("p-2", registered("p-2")))
    after = story.when(MergeProfiles(winner="p-2", loser="p-1")).accepted()
    for command in (DELETE, RestoreProfile(profile_id="p-1")):
        after.when(command).then_refused(AlreadyMerged, merged_into="p-2")
    assert not after.account("p-2").closed
