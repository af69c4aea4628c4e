"""Where groups end, who goes first, and what happens to everybody when the work stops."""

import asyncio
from dataclasses import replace
from uuid import uuid4

import pytest
from committer.processes import (
    NOW,
    FaultyStore,
    Process,
    a_moment,
    account_of,
    balance,
    defined,
    redeem,
    reward,
)

from ledger import deciding
from ledger.commands import HANDLERS
from ledger.decider import Circumstances, Decision, View
from ledger.event_store.port import (
    APPEND_EVENTS_MAX,
    Append,
    EventStoreBroken,
    StreamHead,
    Unit,
)
from ledger.group import new_event
from ledger.submission import Accepted, OutcomeUnknown, Overloaded, Unavailable
from ledger.waiting import GROUP_MAX, PATIENT_MAX
from schemas.movements import Book, moved
from schemas.profiles import ProfileRegistered
from schemas.redemptions import ReturnRedemption
from schemas.rewards import IssueReward, RecordDueFacts, RewardIssued


@pytest.fixture(autouse=True)
def _all_the_time_there_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """Groups end by number and size here, however slow the machine is."""
    monkeypatch.setattr(deciding, "GROUP_DECIDE_SECONDS_MAX", 60.0)


LARGE = "x" * 400_000


async def stocked(store: FaultyStore, profile: str, lots: int) -> None:
    """An account with so many rewards of a cent."""
    stream_id = f"account-{profile}"
    first_id = (await store.new_ids(lots)).start
    events = [
        new_event(ProfileRegistered(profile_id=profile), stream_id, 1, NOW),
        *(new_event(one_cent(first_id + n, profile), stream_id, n + 2, NOW) for n in range(lots)),
    ]
    half = len(events) // 2
    await store.append(
        Append(uuid4(), (Unit(uuid4(), "test", tuple(events[:half])),), {stream_id: StreamHead()})
    )
    (last,) = (await store.read_streams([stream_id]))[stream_id][-1:]
    head = StreamHead(last.stream_version, last.position)
    await store.append(
        Append(uuid4(), (Unit(uuid4(), "test", tuple(events[half:])),), {stream_id: head})
    )


def one_cent(reward_id: int, profile: str) -> RewardIssued:
    changes = {
        "reward_id": reward_id,
        "profile_id": profile,
        "value_initial_minor": 1,
        "value_remaining_minor": 1,
        "movements": moved(reward_id, Book.ISSUED, Book.AVAILABLE, 1),
        "expires_at": None,
    }
    return RewardIssued.model_validate(RewardIssued.EXAMPLE | changes)


async def spent(process: Process, store: FaultyStore, profile: str, lots: int) -> ReturnRedemption:
    """So many rewards were spent in one redemption; the command that reissues them all."""
    await stocked(store, profile, lots)
    redemption_id = await process.redeemed(f"{lots // 100}.{lots % 100:02}", profile)
    return ReturnRedemption(redemption_id=redemption_id)


# ── Identifiers ──────────────────────────────────────────────────────────────────────────────────


async def test_a_return_may_need_more_identifiers_than_are_in_stock(
    process: Process, store: FaultyStore
) -> None:
    give_back = await spent(process, store, "p", APPEND_EVENTS_MAX - 1)
    process.committer._ids = process.committer._ids[:3]
    answer = await process.accepted(give_back)
    assert len(answer.events) == APPEND_EVENTS_MAX
    assert balance(answer) == APPEND_EVENTS_MAX - 1


async def test_several_returns_at_once_need_more_than_one_block_of_identifiers(
    process: Process, store: FaultyStore
) -> None:
    commands = [await spent(process, store, f"p{n}", lots) for n, lots in enumerate((900, 1900))]
    answers = await asyncio.gather(*(process.accepted(command) for command in commands))
    assert [balance(answer) for answer in answers] == [900, 1900]
    issued = [e.reward_id for a in answers for e in a.events if isinstance(e, RewardIssued)]
    assert len(set(issued)) == len(issued)


async def test_dry_runs_need_identifiers_too(process: Process, store: FaultyStore) -> None:
    give_back = await spent(process, store, "p", 900)
    answers = await asyncio.gather(*(process.accepted(give_back, dry_run=True) for _ in range(5)))
    assert [balance(answer) for answer in answers] == [900] * 5


# ── Groups ───────────────────────────────────────────────────────────────────────────────────────


async def test_a_group_ends_with_its_bytes(process: Process, store: FaultyStore) -> None:
    await defined(process)
    store.appends.clear()
    sent = [process.soon(reward(f"p{n}"), personal=LARGE) for n in range(25)]
    await asyncio.gather(*sent)
    sizes = [sum(len(e.payload) for u in group.units for e in u.events) for group in store.appends]
    assert len(sizes) > 1
    assert max(sizes) < deciding.GROUP_BYTES_MAX + 500_000
    assert sum(len(group.units) for group in store.appends) == 25


async def test_a_group_ends_with_its_events(process: Process, store: FaultyStore) -> None:
    await defined(process)
    commands = [await spent(process, store, f"p{n}", 400) for n in range(6)]
    store.appends.clear()
    await asyncio.gather(*(process.accepted(command) for command in commands))
    assert [sum(len(u.events) for u in group.units) for group in store.appends] == [1203, 1203]


async def test_a_group_ends_with_its_time(
    process: Process, store: FaultyStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    await defined(process)
    store.appends.clear()
    monkeypatch.setattr(deciding, "GROUP_DECIDE_SECONDS_MAX", -1.0)
    await asyncio.gather(*(process.soon(reward(f"p{n}")) for n in range(5)))
    assert [len(group.units) for group in store.appends] == [1] * 5


async def test_commands_are_decided_in_the_order_they_came(
    process: Process, store: FaultyStore
) -> None:
    await defined(process)
    await process.issued(value="100")
    answers = await asyncio.gather(*(process.send(redeem("0.01")) for _ in range(GROUP_MAX + 100)))
    balances = [balance(answer) for answer in answers]
    assert balances == sorted(balances, reverse=True)


# ── What can wait ────────────────────────────────────────────────────────────────────────────────


async def test_what_is_patient_rides_where_others_leave_room(
    process: Process, store: FaultyStore
) -> None:
    await defined(process)
    store.gate.clear()
    first = process.soon(reward("first"))
    await a_moment()
    store.appends.clear()
    patient = [process.soon(reward(f"late-{n}"), patient=True) for n in range(PATIENT_MAX + 80)]
    urgent = [process.soon(reward(f"p{n}")) for n in range(GROUP_MAX + 450)]
    await a_moment()
    store.gate.set()
    await asyncio.gather(first, *patient, *urgent)
    late = [
        sum(unit.events[0].stream_id.startswith("account-late") for unit in group.units)
        for group in store.appends
    ]
    assert [len(group.units) for group in store.appends] == [GROUP_MAX, GROUP_MAX, 100, 30]
    assert late == [0, 50, PATIENT_MAX, 30]


async def test_the_patient_cannot_shut_the_others_out(store: FaultyStore) -> None:
    process = Process(store, queue_max=2)
    await defined(process)
    store.gate.clear()
    first = process.soon(reward("first"))
    await a_moment()
    patient = [process.soon(RecordDueFacts(profile_id="p"), patient=True) for _ in range(3)]
    await a_moment()
    other = process.soon(reward("p1"))
    await a_moment()
    store.gate.set()
    answers = await asyncio.gather(first, other, *patient, return_exceptions=True)
    assert [type(a) for a in answers] == [Accepted, Accepted, Accepted, Accepted, Overloaded]
    process.task.cancel()


# ── When the work stops ──────────────────────────────────────────────────────────────────────────


async def test_everybody_is_answered_when_the_work_is_cancelled(
    process: Process, store: FaultyStore
) -> None:
    await defined(process)
    store.gate.clear()
    in_hand = [process.soon(reward(f"p{n}")) for n in range(3)]
    await a_moment()
    waiting = [process.soon(reward(f"q{n}"), patient=n > 1) for n in range(4)]
    await a_moment()
    process.task.cancel()
    answers = await asyncio.gather(*in_hand, *waiting, return_exceptions=True)
    assert [type(a) for a in answers] == [OutcomeUnknown] * 3 + [Unavailable] * 4


async def test_what_was_answered_with_a_fault_is_never_done_later(
    process: Process, store: FaultyStore
) -> None:
    """The group was cut by its bytes: the rest was waiting again when the store broke."""
    await defined(process)
    sent = [process.soon(reward(f"p{n}"), personal=LARGE) for n in range(25)]
    store.faults.append(EventStoreBroken("no permission"))
    answers = await asyncio.gather(*sent, return_exceptions=True)
    await process.send(reward("last"))
    accepted = [n for n, answer in enumerate(answers) if isinstance(answer, Accepted)]
    there = [n for n in range(25) if (await account_of(store, f"p{n}")).registered]
    assert there == accepted
    assert any(isinstance(answer, EventStoreBroken) for answer in answers)


async def test_a_fault_of_one_decision_is_its_own(
    process: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    await defined(process)
    handler = HANDLERS[IssueReward]

    def failing(command: IssueReward, view: View, at: Circumstances) -> Decision:
        if command.profile_id == "q":
            raise ZeroDivisionError
        return handler.decide(command, view, at)

    handlers = dict(HANDLERS)
    handlers[IssueReward] = replace(handler, decide=failing)
    monkeypatch.setattr(deciding, "HANDLERS", handlers)
    answers = await asyncio.gather(
        *(process.send(reward(profile)) for profile in ("p", "q", "p")), return_exceptions=True
    )
    assert [type(a) for a in answers] == [Accepted, ZeroDivisionError, Accepted]
    assert isinstance(answers[2], Accepted)
    assert balance(answers[2]) == 2000
