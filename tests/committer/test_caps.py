"""Caps of a definition hold, however many issue at once and in however many processes."""

import asyncio

import pytest
from committer.interleaved import InterleavedStore
from committer.processes import FaultyStore, Process, defined, reward

from ledger.event_store.postgres import PostgresEventStore
from ledger.programme.counters import counter_stream
from ledger.rejections import Rejection
from ledger.submission import Accepted
from schemas.reward_definitions import ChangeRewardDefinition

ISSUES, CAP = 200, 10


async def capped(process: Process, **caps: int) -> int:
    """A definition with caps; its id."""
    definition_id = await defined(process)
    await process.send(ChangeRewardDefinition(definition_id=definition_id, **caps))
    return definition_id


async def issued_at_once(first: Process, second: Process, *profiles: str) -> list[str]:
    """How many issues end that begin at the same moment, in turns in two processes."""
    sent = [
        process.send(reward(profile), key=f"{number}")
        for number, profile in enumerate(profiles)
        for process in [(first, second)[number % 2]]
    ]
    answers = await asyncio.gather(*sent, return_exceptions=True)
    return [_ended(answer) for answer in answers]


def _ended(answer: object) -> str:
    if isinstance(answer, Rejection):
        return answer.code
    assert isinstance(answer, Accepted), answer
    return "issued"


async def test_of_two_hundred_in_two_processes_the_cap_is_issued(
    store: FaultyStore, process: Process, other_process: Process
) -> None:
    definition_id = await capped(process, max_total=CAP)
    answers = await issued_at_once(process, other_process, *(f"p-{n}" for n in range(ISSUES)))
    assert answers.count("issued") == CAP
    assert answers.count("max_total_reached") == ISSUES - CAP
    counted = await store.read_stream(counter_stream(definition_id))
    assert len(counted) == CAP
    repeated = await issued_at_once(process, other_process, *(f"p-{n}" for n in range(ISSUES)))
    assert repeated.count("issued") == CAP


async def test_the_same_holds_on_postgresql(database_url: str) -> None:
    stores = [await PostgresEventStore.connect(database_url) for _ in range(2)]
    processes = [Process(store) for store in stores]
    await capped(processes[0], max_total=CAP)
    answers = await issued_at_once(*processes, *(f"p-{n}" for n in range(ISSUES)))
    assert answers.count("issued") == CAP
    assert answers.count("max_total_reached") == ISSUES - CAP
    for process, store in zip(processes, stores, strict=True):
        process.task.cancel()
        await store.close()


async def test_of_two_hundred_for_one_profile_its_cap_is_issued(
    process: Process, other_process: Process
) -> None:
    await capped(process, max_per_profile=CAP)
    answers = await issued_at_once(process, other_process, *(["p"] * ISSUES))
    assert answers.count("issued") == CAP
    assert answers.count("max_per_profile_reached") == ISSUES - CAP


@pytest.mark.parametrize("seed", range(20))
async def test_the_last_one_is_issued_once_in_whatever_order(seed: int) -> None:
    store = InterleavedStore(seed)
    first, second = Process(store), Process(store)
    await capped(first, max_total=2)
    await first.issued("p")
    answers = await store.at_once(first.send(reward("q")), second.send(reward("r")))
    assert sorted(map(_ended, answers)) == ["issued", "max_total_reached"]
    for process in (first, second):
        process.task.cancel()


async def test_a_counter_is_loaded_by_its_last_event_alone(
    store: FaultyStore, process: Process, other_process: Process
) -> None:
    await capped(process, max_total=5)
    for number in range(4):
        await process.issued(f"p-{number}")
    store.calls.clear()
    await other_process.issued("q")
    assert store.calls.count("last_events") == 1
    with pytest.raises(Rejection):
        await other_process.issued("r")
