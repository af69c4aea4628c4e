"""Profiles named by their identities in commands over Kafka, sealed as in a running ledger."""

import pytest
from committer.processes import Process, account_of
from intake.batches import Published, Topic
from intake.test_command_intake import DEFINITION

from consumers.command_intake import CommandIntake, IntakeSettings
from consumers.reception import SealingReception
from ledger.personal.keys import MemoryKeys
from ledger.personal.vault import Vault

BY_CARD = {"profile_id": "0042", "profile_id_handle": "card"}
REWARD = BY_CARD | {"reward_definition_handle": "birthday", "meta": {"note": "Ada"}}
ATTACH = {"profile_id": "p", "handle": "card", "identifier": "0042"}


@pytest.fixture
async def intake(process: Process, published: Published) -> CommandIntake:
    store = process.committer._store
    reception = SealingReception(await Vault.open(MemoryKeys()), store)
    settings = IntakeSettings("nowhere:9092", retry_seconds_min=0.001, retry_seconds_max=0.01)
    return CommandIntake(
        process.committer, reception, published, clock=lambda: process.now, settings=settings
    )


async def test_an_identity_names_its_profile_from_the_next_command_on(
    intake: CommandIntake, published: Published, process: Process
) -> None:
    """Whichever commands come in one batch: what is attached first is found by what comes next."""
    topic = Topic()
    topic.add("AddRewardDefinition", DEFINITION)
    topic.add("IssueReward", REWARD)
    topic.add("AttachIdentity", ATTACH)
    topic.add("IssueReward", REWARD)
    topic.add("MakeRedemption", BY_CARD | {"amount": "3"})
    topic.add("AttachIdentity", ATTACH | {"profile_id": "q"})
    await intake.take(topic.records)
    assert published.said == [
        "accepted", "profile_not_found", "accepted", "accepted", "accepted", "identity_taken",
    ]  # fmt: skip
    account = await account_of(process.committer._store)  # type: ignore[arg-type]
    assert account.available_minor(process.now) == 700
    assert "0042" not in str(published.outcomes)


async def test_an_identity_moves_over_kafka_and_a_repeat_means_who_had_it_then(
    intake: CommandIntake, published: Published, process: Process
) -> None:
    topic = Topic()
    topic.add("AddRewardDefinition", DEFINITION)
    topic.add("AttachIdentity", ATTACH)
    topic.add("IssueReward", REWARD)
    await intake.take(topic.records)
    (attached,) = [e for e in published.outcomes[1]["events"] if e["type"] == "IdentityAttached"]
    detach = {"profile_id": "p", "identity_id": attached["ids"]["identity_id"]}
    topic.add("DetachIdentity", detach)
    topic.add("AttachIdentity", ATTACH | {"profile_id": "q"})
    await intake.take(topic.records)
    assert published.said[3:] == ["accepted"] * 5
    assert [each["replayed"] for each in published.outcomes[3:]] == [True] * 3 + [False] * 2
    store = process.committer._store
    rewards = {p: len((await account_of(store, p)).lots) for p in ("p", "q")}  # type: ignore[arg-type]
    assert rewards == {"p": 1, "q": 0}
