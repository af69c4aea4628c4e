"""The committer: what commits together, what is refused, repeated, in conflict, or lost."""

import asyncio

import pytest
from committer.processes import FaultyStore, Process, balance, defined, redeem, reward

from ledger.committer import CONFLICTS_MAX
from ledger.rejections import (
    DefinitionNotAssignable,
    ExternalIdTaken,
    IdempotencyKeyReused,
    InsufficientBalance,
    Rejection,
    TooMuchContention,
    UnknownRedemption,
)
from ledger.submission import (
    Accepted,
    AlreadyThere,
    OutcomeUnknown,
    Overloaded,
    Submission,
    Unavailable,
)
from schemas.redemptions import RedemptionMade, ReverseRedemption
from schemas.reward_definitions import ArchiveRewardDefinition, ChangeRewardDefinition
from schemas.rewards import IssueReward


async def test_the_article_ends_with_a_balance_of_nothing(process: Process) -> None:
    await defined(process)
    assert balance(await process.send(reward())) == 1000
    assert balance(await process.send(redeem("10"))) == 0


async def test_of_200_simultaneous_redemptions_of_a_balance_good_for_one_one_succeeds(
    process: Process, other_process: Process
) -> None:
    await defined(process)
    await process.send(reward())
    both = (process, other_process)
    answers = await asyncio.gather(
        *(both[n % 2].send(redeem("10")) for n in range(200)), return_exceptions=True
    )
    accepted = [a for a in answers if isinstance(a, Accepted)]
    refused = [a for a in answers if isinstance(a, Rejection)]
    assert len(accepted) == 1
    assert {r.code for r in refused} <= {"insufficient_balance", "conflict"}
    assert len(refused) == 199


async def test_commands_that_arrive_during_a_commit_go_together_in_the_next(
    process: Process, store: FaultyStore
) -> None:
    await defined(process)
    store.gate.clear()
    store.appends.clear()
    first = asyncio.create_task(process.send(reward("p0")))
    await asyncio.sleep(0.01)
    rest = [asyncio.create_task(process.send(reward(f"p{n}"))) for n in range(1, 50)]
    await asyncio.sleep(0.01)
    store.gate.set()
    await asyncio.gather(first, *rest)
    assert [len(group.units) for group in store.appends] == [1, 49]


async def test_a_key_repeated_gives_the_first_answer_again(
    process: Process, other_process: Process
) -> None:
    await defined(process)
    await process.send(reward())
    first = await process.accepted(redeem("4"), key="k1")
    await process.send(redeem("5"), key="k2")
    again = await other_process.accepted(redeem("4"), key="k1")
    assert again.replayed
    assert again.events == first.events
    assert balance(again) == balance(first) == 600


async def test_a_refusal_is_final_under_its_key(process: Process) -> None:
    await defined(process)
    await process.send(reward(value="5"))
    for _ in range(2):
        with pytest.raises(Rejection) as refused:
            await process.send(redeem("7"), key="k1")
        assert refused.value.code == "insufficient_balance"
        assert refused.value.status == 422
        assert refused.value.facts == {"available": 5}
        await process.send(reward(value="5"))


async def test_a_key_with_another_body_is_refused(process: Process) -> None:
    await defined(process)
    await process.send(reward(), key="k1")
    with pytest.raises(IdempotencyKeyReused):
        await process.send(reward(value="9"), key="k1")


async def test_concurrent_repeats_of_one_key_commit_once(process: Process) -> None:
    await defined(process)
    await process.send(reward(value="30"))
    answers = await asyncio.gather(*(process.send(redeem("10"), key="k") for _ in range(20)))
    assert {balance(answer) for answer in answers} == {2000}
    assert sum(isinstance(a, Accepted) and not a.replayed for a in answers) == 1


async def test_an_external_id_repeated_returns_what_is_there(process: Process) -> None:
    await defined(process)
    await process.send(reward(value="30"))
    await process.send(redeem("10", external_id="sale-1"))
    again = await process.send(redeem("10", external_id="sale-1"))
    assert isinstance(again, AlreadyThere)
    assert balance(again) == 2000
    with pytest.raises(ExternalIdTaken):
        await process.send(redeem("11", external_id="sale-1"))


async def test_an_external_id_of_a_redemption_since_reversed_is_taken(process: Process) -> None:
    await defined(process)
    await process.send(reward())
    made = (await process.accepted(redeem("10", external_id="sale-1"))).events[-1]
    assert isinstance(made, RedemptionMade)
    reversal = ReverseRedemption(redemption_id=made.redemption_id)
    assert balance(await process.send(reversal)) == 1000
    with pytest.raises(ExternalIdTaken):
        await process.send(redeem("10", external_id="sale-1"))


async def test_an_external_id_belongs_to_one_account_only(
    process: Process, other_process: Process
) -> None:
    await defined(process)
    results = await asyncio.gather(
        process.send(reward("p", external_id="x")),
        other_process.send(reward("q", external_id="x")),
        return_exceptions=True,
    )
    assert sorted(type(r).__name__ for r in results) == ["Accepted", "ExternalIdTaken"]


async def test_a_refusal_never_rests_on_a_stale_cache(
    process: Process, other_process: Process
) -> None:
    await defined(process)
    await process.send(reward(value="5"))
    assert balance(await other_process.send(redeem("1"))) == 400
    await process.send(reward(value="5"))
    assert balance(await other_process.send(redeem("9"))) == 0


async def test_an_acceptance_never_rests_on_a_stale_cache(
    process: Process, other_process: Process
) -> None:
    await defined(process)
    await process.send(reward(value="5"))
    await other_process.send(redeem("1"))
    await process.send(redeem("4"))
    with pytest.raises(InsufficientBalance):
        await other_process.send(redeem("1"))


async def test_a_definition_edited_elsewhere_makes_the_whole_group_decide_again(
    process: Process, other_process: Process, store: FaultyStore
) -> None:
    """Nobody of a group is issued what was true before: not those that came first either."""
    definition_id = await defined(process)
    await process.send(reward("before"))
    store.appends.clear()
    edit = {"definition_id": definition_id, "value": "7"}
    await other_process.send(ChangeRewardDefinition.model_validate(edit))
    terms = {"reward_definition_handle": "birthday"}
    issues = [IssueReward.model_validate({"profile_id": f"p{n}"} | terms) for n in range(3)]
    answers = await asyncio.gather(*map(process.send, issues))
    assert [balance(answer) for answer in answers] == [700] * 3
    assert [len(group.units) for group in store.appends] == [1, 3, 3]
    await other_process.send(ArchiveRewardDefinition(definition_id=definition_id))
    refused = await asyncio.gather(*map(process.send, issues), return_exceptions=True)
    assert {type(each) for each in refused} == {DefinitionNotAssignable}


async def test_what_meets_conflicts_goes_alone_and_is_refused_in_the_end(
    process: Process, store: FaultyStore
) -> None:
    """Somebody else has always just written to p's account; q's is left alone."""
    await defined(process)
    await process.issued("p")
    store.appends.clear()
    store.always_moved.add("account-p")
    refused, apart = await asyncio.gather(
        process.send(redeem("1", "p")), process.send(reward("q")), return_exceptions=True
    )
    assert isinstance(refused, TooMuchContention)
    assert isinstance(apart, Accepted)
    assert [len(group.units) for group in store.appends] == [2, *[1] * (CONFLICTS_MAX + 1)]
    store.always_moved.clear()
    assert balance(await process.send(redeem("1", "p"))) == 900


async def test_a_lost_answer_is_asked_for_again_and_commits_once(
    process: Process, store: FaultyStore
) -> None:
    await defined(process)
    await process.send(reward(value="30"))
    store.answers_to_lose = 2
    assert balance(await process.send(redeem("10"))) == 2000
    assert balance(await process.send(redeem("10"))) == 1000


async def test_a_caller_who_leaves_cancels_nothing(process: Process, store: FaultyStore) -> None:
    await defined(process)
    await process.send(reward(value="30"))
    store.gate.clear()
    gone = asyncio.create_task(process.send(redeem("10")))
    stays = asyncio.create_task(process.send(redeem("10")))
    await asyncio.sleep(0.01)
    gone.cancel()
    await asyncio.sleep(0.01)
    store.gate.set()
    assert balance(await stays) == 1000


async def test_no_answer_in_time_is_said_to_be_unknown(
    process: Process, store: FaultyStore
) -> None:
    await defined(process)
    store.gate.clear()
    submission = Submission(reward(), "till", "till-1", key="k")
    with pytest.raises(OutcomeUnknown):
        await process.committer.submit(submission, seconds_max=0.05)
    store.gate.set()
    submission = Submission(reward(), "till", "till-1", key="k")
    again = await process.committer.submit(submission)
    assert isinstance(again, Accepted)
    assert again.replayed
    assert balance(again) == 1000


async def test_a_store_that_cant_be_read_refuses_and_recovers(
    process: Process, store: FaultyStore
) -> None:
    await defined(process)
    store.unreachable = True
    with pytest.raises(Unavailable):
        await process.send(reward())
    store.unreachable = False
    assert balance(await process.send(reward())) == 1000


async def test_a_full_queue_accepts_nothing(store: FaultyStore) -> None:
    process = Process(store, queue_max=2)
    await defined(process)
    store.gate.clear()
    first = asyncio.create_task(process.send(reward("p1")))
    await asyncio.sleep(0.01)
    waiting = [asyncio.create_task(process.send(reward(f"p{n}"))) for n in (2, 3)]
    await asyncio.sleep(0.01)
    with pytest.raises(Overloaded):
        await process.send(reward("p4"))
    store.gate.set()
    await asyncio.gather(first, *waiting)
    process.task.cancel()


async def test_an_event_too_large_fails_alone(process: Process) -> None:
    await defined(process)
    large = "x" * 600_000
    results = await asyncio.gather(
        process.send(reward("p1")),
        process.send(reward("p2"), personal=large),
        process.send(reward("p3")),
        return_exceptions=True,
    )
    assert [type(r).__name__ for r in results] == ["Accepted", "ValueError", "Accepted"]


async def test_what_does_not_exist_is_not_found(process: Process) -> None:
    with pytest.raises(UnknownRedemption):
        await process.send(ReverseRedemption(redemption_id=1))
