"""Erasing personal data: recorded for a profile that is there, and it moves no value."""

from deciders.scenario import expired, registered, reward
from deciders.story import elsewhere, given

from ledger.rejections import UnknownProfile
from schemas.identities import IdentityAttached, IdentityDetached
from schemas.personal_data import ErasePersonalData, PersonalDataErased
from schemas.profiles import MergeProfiles

ERASE = ErasePersonalData(profile_id="p-1")


def test_an_erasure_is_recorded_and_moves_no_value() -> None:
    erased = PersonalDataErased(erasure_id=100, profile_id="p-1", keys=())
    given(reward(1, "5.00")).when(ERASE).then(erased).then_balance("5.00")


def test_each_request_is_a_fact_of_its_own() -> None:
    story = (
        given(registered())
        .when(ERASE)
        .then(PersonalDataErased(erasure_id=100, profile_id="p-1", keys=()))
    )
    story.when(ERASE).then(PersonalDataErased(erasure_id=200, profile_id="p-1", keys=()))


def test_what_is_due_comes_before_an_erasure() -> None:
    story = given(reward(1, "5.00", expires="2030-05-31"))
    story.when(ERASE, at="2030-06-01 12:00:00").then(
        expired(1, "5.00", expires="2030-05-31"),
        PersonalDataErased(erasure_id=100, profile_id="p-1", keys=()),
    )


def test_an_erasure_lets_go_of_all_identities_and_of_those_of_merged_profiles() -> None:
    card = IdentityAttached(identity_id=40, handle="card", is_primary=True)
    merged = (
        given(registered(), card, elsewhere("p-2", registered("p-2")))
        .when(MergeProfiles(winner="p-2", loser="p-1"))
        .accepted()
    )
    for profile_id in ("p-1", "p-2"):
        after = merged.when(ErasePersonalData(profile_id=profile_id)).then(
            elsewhere(
                "p-2",
                IdentityDetached(identity_id=40),
                PersonalDataErased(erasure_id=200, profile_id="p-2", keys=()),
            )
        )
        assert after.forgotten == ("account-p-2", "account-p-1")
        assert not after.account("p-2").identities


def test_nobody_can_be_erased() -> None:
    given().when(ERASE).then_refused(UnknownProfile)
