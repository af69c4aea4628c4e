"""Identities: each is one profile's, the first of a handle is primary, what is let go is free."""

from typing import Any

import pytest
from deciders.sales import sell
from deciders.scenario import definition, registered
from deciders.story import Given, elsewhere, given
from pydantic import ValidationError

from ledger.account import identities
from ledger.rejections import (
    IdentityTaken,
    ProfileClosed,
    TooManyIdentities,
    UnknownIdentity,
    UnknownNamedProfile,
    UnknownProfile,
)
from schemas.identities import AttachIdentity, DetachIdentity, IdentityAttached, IdentityDetached
from schemas.profiles import MergeProfiles
from schemas.redemptions import MakeRedemption
from schemas.registrations import ProfileDeleted
from schemas.rewards import IssueReward
from schemas.transactions import RecordTransaction


def attach(profile: str = "p-1", handle: str = "card", **fields: Any) -> AttachIdentity:
    """The identifier is sealed before any decision."""
    told = AttachIdentity(profile_id=profile, handle=handle, identifier="7", **fields)
    return told.model_copy(update={"identifier": None})


def attached(number: int, handle: str = "card", *, primary: bool = True) -> IdentityAttached:
    return IdentityAttached(identity_id=number, handle=handle, is_primary=primary)


def known() -> Given:
    """p-1 has a card and an e-mail."""
    return given(registered(), attached(40), attached(41, "email"))


def test_the_first_identity_makes_the_profile_known_and_is_primary() -> None:
    given().when(attach(), identity="n").then(registered(), attached(100))
    given().under(auto_register=False).when(attach(), identity="n").then_refused(UnknownProfile)


def test_the_next_one_comes_second_unless_it_says_otherwise() -> None:
    known().when(attach(), identity="n").then(attached(100, primary=False))
    second = IdentityAttached(identity_id=100, handle="card", is_primary=True, demoted=(40,))
    after = known().when(attach(is_primary=True), identity="n").then(second)
    primary = {n: each.is_primary for n, each in after.account().identities.items()}
    assert primary == {40: False, 41: True, 100: True}


def test_what_is_somebodys_is_refused_and_what_was_let_go_is_free() -> None:
    story = known().naming(("identity", "n"), "account-p-1")
    story.when(attach("p-2"), identity="n").then_refused(IdentityTaken)
    story.when(attach(), identity="n").then_refused(IdentityTaken)
    detach = DetachIdentity(profile_id="p-1", identity_id=40)
    story.when(detach, identities={40: "n"}).then(IdentityDetached(identity_id=40)).then_released(
        ("identity", "n")
    )


def test_a_name_that_is_another_profiles_by_now_is_not_released() -> None:
    story = known().naming(("identity", "n"), "account-p-2")
    detach = DetachIdentity(profile_id="p-1", identity_id=40)
    story.when(detach, identities={40: "n"}).accepted().then_released()


def test_what_nobody_can_read_is_detached_and_an_erasure_frees_its_name() -> None:
    detach = DetachIdentity(profile_id="p-1", identity_id=40)
    known().when(detach, identities={40: None}).then(
        IdentityDetached(identity_id=40)
    ).then_released()


def test_what_was_attached_after_the_command_came_is_not_detached_without_its_name() -> None:
    known().when(DetachIdentity(profile_id="p-1", identity_id=40)).then_refused(UnknownIdentity)


def test_a_deleted_profile_lets_go() -> None:
    closed = given(*(event for _, event in known().history), ProfileDeleted(profile_id="p-1"))
    detach = DetachIdentity(profile_id="p-1", identity_id=40)
    closed.when(detach, identities={40: "n"}).then(IdentityDetached(identity_id=40))


def test_who_is_named_by_nobodys_identity_is_nobody() -> None:
    """The edge leaves the handle where it found nobody."""
    by_card = {"profile_id": "unknown", "profile_id_handle": "card"}
    story = given(definition(), registered("unknown"))
    commands = (
        IssueReward.model_validate(by_card | {"reward_definition_id": 1}),
        MakeRedemption.model_validate(by_card | {"amount": 1}),
        RecordTransaction.model_validate(sell().model_dump() | by_card),
    )
    for command in commands:
        story.when(command).then_refused(UnknownNamedProfile)


@pytest.mark.parametrize(
    "fields",
    [
        {"profile_id": "ada@example.org"},
        {"profile_id": "7", "profile_id_handle": "a b"},
        {"profile_id": "", "profile_id_handle": "card"},
        {"profile_id": "7" * 256, "profile_id_handle": "card"},
        {"profile_id_handle": "card"},
    ],
)
def test_a_profile_is_named_by_its_id_or_by_an_identity_with_its_handle(
    fields: dict[str, str],
) -> None:
    for command, more in ((IssueReward, {}), (MakeRedemption, {"amount": 1})):
        with pytest.raises(ValidationError):
            command.model_validate(fields | more)


def test_identities_that_can_not_be_attached_or_detached(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    detach = DetachIdentity(profile_id="p-1", identity_id=9)
    known().when(detach, identities={9: "n"}).then_refused(UnknownIdentity)
    given().when(detach).then_refused(UnknownProfile)
    closed = given(registered(), ProfileDeleted(profile_id="p-1"))
    closed.when(attach(), identity="n").then_refused(ProfileClosed)
    monkeypatch.setattr(identities, "IDENTITIES_MAX", 2)
    known().when(attach(), identity="n").then_refused(TooManyIdentities)


def test_identities_pass_to_the_winner_whose_own_stay_primary() -> None:
    story = Given(
        (*known().history, *given(elsewhere("p-2", registered("p-2"), attached(50))).history)
    )
    after = story.when(MergeProfiles(winner="p-2", loser="p-1")).accepted()
    found = after.account("p-2").identities
    assert {n: (each.handle, each.is_primary) for n, each in found.items()} == {
        50: ("card", True),
        40: ("card", False),
        41: ("email", True),
    }
    named = after.naming(("identity", "n"), "account-p-1")
    detach = DetachIdentity(profile_id="p-1", identity_id=40)
    named.when(detach, identities={40: "n"}).accepted().then_released(("identity", "n"))
