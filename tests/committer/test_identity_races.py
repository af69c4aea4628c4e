"""One card and two processes: whoever is first has it, and nobody ever has what another has too."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from committer.interleaved import InterleavedStore
from committer.processes import Process, account_of

from ledger.commands.identities import IDENTITY
from ledger.event_store.port import EventStore
from ledger.event_store.postgres import PostgresEventStore
from ledger.rejections import Rejection
from ledger.submission import Accepted, Answer
from schemas.commands import Command
from schemas.identities import AttachIdentity, DetachIdentity, IdentityAttached
from schemas.personal_data import ErasePersonalData
from schemas.profiles import MergeProfiles

SEEDS = range(40)
NAME = "the keyed name of a card"
Race = tuple[InterleavedStore, Process, Process]


@pytest.fixture(params=SEEDS)
async def race(request: pytest.FixtureRequest) -> AsyncIterator[Race]:
    store = InterleavedStore(request.param)
    processes = (Process(store), Process(store))
    yield store, *processes
    for process in processes:
        process.task.cancel()


async def tried(process: Process, command: Command, **brings: object) -> Answer | Rejection:
    try:
        return await process.send(command, **brings)
    except Rejection as refusal:
        return refusal


def attach(profile: str) -> AttachIdentity:
    told = AttachIdentity(profile_id=profile, handle="card", identifier="7")
    return told.model_copy(update={"identifier": None})


async def attached(process: Process, profile: str) -> int:
    answer = await process.accepted(attach(profile), identity=NAME)
    return next(e.identity_id for e in answer.events if isinstance(e, IdentityAttached))


def outcomes(answers: list[Answer | Rejection]) -> list[str]:
    return [each.code if isinstance(each, Rejection) else "accepted" for each in answers]


async def owner(store: EventStore) -> str | None:
    claims = await store.claims([(IDENTITY, NAME)])
    return claims[IDENTITY, NAME].stream_id if claims else None


async def having(store: EventStore, *profiles: str) -> list[str]:
    """Who of them has an identity, by the log."""
    return [p for p in profiles if (await account_of(store, p)).identities]


async def test_of_two_who_attach_one_card_exactly_one_has_it(race: Race) -> None:
    store, one, other = race
    answers = await store.at_once(
        tried(one, attach("p"), identity=NAME), tried(other, attach("q"), identity=NAME)
    )
    assert sorted(outcomes(answers)) == ["accepted", "identity_taken"]
    (first,) = await having(store, "p", "q")
    assert await owner(store) == f"account-{first}"


async def test_detached_and_attached_at_once_it_is_one_profiles(race: Race) -> None:
    store, one, other = race
    number = await attached(one, "p")
    detach = DetachIdentity(profile_id="p", identity_id=number)
    answers = await store.at_once(
        tried(one, detach, identities={number: NAME}),
        tried(other, attach("q"), identity=NAME),
        tried(one, attach("r"), identity=NAME),
    )
    said = outcomes(answers)
    assert said[0] == "accepted"
    assert said[1:].count("accepted") <= 1
    found = await having(store, "p", "q", "r")
    assert len(found) == said[1:].count("accepted")
    assert await owner(store) == (f"account-{found[0]}" if found else None)


async def test_two_who_detach_it_let_go_of_it_once(race: Race) -> None:
    """The second must not take the name from whoever has it by then."""
    store, one, other = race
    number = await attached(one, "p")
    detach = DetachIdentity(profile_id="p", identity_id=number)
    answers = await store.at_once(
        tried(one, detach, identities={number: NAME}),
        tried(other, detach, identities={number: NAME}),
        tried(one, attach("q"), identity=NAME),
    )
    said = outcomes(answers)
    assert sorted(said[:2]) == ["accepted", "identity_not_found"]
    held = await owner(store)
    assert held == ("account-q" if said[2] == "accepted" else None)


async def test_an_erasure_during_an_attachment_leaves_no_name_without_its_identity(
    race: Race,
) -> None:
    store, one, other = race
    await attached(one, "q")
    second = "another card's"
    answers = await store.at_once(
        tried(one, MergeProfiles(winner="p", loser="q")),
        tried(other, ErasePersonalData(profile_id="q")),
        tried(one, attach("q"), identity=second),
    )
    assert isinstance(answers[1], Accepted)
    taken = await store.claims([(IDENTITY, NAME), (IDENTITY, second)])
    accounts = [await account_of(store, p) for p in ("p", "q")]
    left = sum(len(each.identities) for each in accounts if each.merged_into is None)
    assert len(taken) == left


async def test_the_same_holds_on_postgresql_each_time_it_is_free_again(database_url: str) -> None:
    stores = [await PostgresEventStore.connect(database_url) for _ in range(2)]
    processes = [Process(store) for store in stores]
    profiles = [f"p-{number}" for number in range(40)]
    for _ in range(3):
        answers = await asyncio.gather(
            *(
                tried(processes[number % 2], attach(profile), identity=NAME)
                for number, profile in enumerate(profiles)
            )
        )
        assert sorted(outcomes(answers)) == ["accepted"] + ["identity_taken"] * 39
        (first,) = await having(stores[0], *profiles)
        assert await owner(stores[1]) == f"account-{first}"
        (number,) = (await account_of(stores[0], first)).identities
        detach = DetachIdentity(profile_id=first, identity_id=number)
        answers = await asyncio.gather(
            *(tried(each, detach, identities={number: NAME}) for each in processes)
        )
        assert sorted(outcomes(answers)) == ["accepted", "identity_not_found"]
        assert await owner(stores[0]) is None
    for process, store in zip(processes, stores, strict=True):
        process.task.cancel()
        await store.close()
