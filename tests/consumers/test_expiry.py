"""The expiry worker, on the real committer over the store in memory."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest

from consumers.expiry import PROFILES_MAX, ExpirySettings, ExpiryWorker
from ledger.committer import Committer
from ledger.event_store.memory import MemoryEventStore
from ledger.event_store.port import EventStoreUnavailable
from ledger.rejections import TooMuchContention
from ledger.streams import account_stream, fold_whole
from ledger.submission import Answer, Overloaded, Submission
from schemas.reward_definitions import AddRewardDefinition
from schemas.rewards import IssueReward

QUICK = ExpirySettings(poll_seconds=0.01, retry_seconds_min=0.005, retry_seconds_max=0.02)


class Clock:
    """Moved by hand."""

    def __init__(self) -> None:
        self.now = datetime(2031, 1, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


class Due:
    """Answers like the read model: by name, in pages. It never learns what was recorded."""

    def __init__(self, profiles: Sequence[str]) -> None:
        self.profiles = sorted(profiles)
        self.asked: list[str] = []
        self.failures = 0

    async def __call__(self, now: datetime, *, after: str, limit: int) -> Sequence[str]:
        self.asked.append(after)
        if self.failures:
            self.failures -= 1
            raise EventStoreUnavailable("down")
        return [profile for profile in self.profiles if profile > after][:limit]


class Between:
    """Before the committer: counts, and fails as often as told."""

    def __init__(self, committer: Committer) -> None:
        self._committer = committer
        self.submitted: list[Submission] = []
        self.errors: list[Exception] = []
        self.always: dict[str, Exception] = {}
        self.waiting = self.waiting_max = 0

    async def submit(self, submission: Submission) -> Answer:
        self.submitted.append(submission)
        profile_id = getattr(submission.command, "profile_id", "")
        if profile_id in self.always:
            raise self.always[profile_id]
        if self.errors:
            raise self.errors.pop()
        self.waiting += 1
        self.waiting_max = max(self.waiting, self.waiting_max)
        try:
            return await self._committer.submit(submission)
        finally:
            self.waiting -= 1


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(clock: Clock) -> MemoryEventStore:
    return MemoryEventStore(clock)


@pytest.fixture
async def between(store: MemoryEventStore, clock: Clock) -> AsyncIterator[Between]:
    committer = Committer(store, clock=clock)
    task = asyncio.create_task(committer.run())
    yield Between(committer)
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def with_rewards(between: Between, profiles: Sequence[str]) -> None:
    """A reward each that lives a day."""
    body = {"name": "Birthday", "handle": "b", "value": "10", "type": "birthday", "period": 1}
    await between.submit(Submission(AddRewardDefinition.model_validate(body), "t", "t"))
    await asyncio.gather(
        *(
            between.submit(
                Submission(
                    IssueReward(
                        profile_id=profile,
                        reward_definition_handle="b",
                        expires_at="2031-01-02 00:00:00",
                    ),
                    "t",
                    "t",
                )
            )
            for profile in profiles
        )
    )
    between.submitted.clear()


async def types_of(store: MemoryEventStore, profile: str) -> list[str]:
    return [event.type for event in await store.read_stream(account_stream(profile))]


async def test_expiries_are_recorded_as_facts(
    store: MemoryEventStore, between: Between, clock: Clock
) -> None:
    await with_rewards(between, ["p-1"])
    clock.now += timedelta(days=3)
    worker = ExpiryWorker(between, Due(["p-1"]), clock=clock, settings=QUICK)
    assert await worker.sweep() == 1
    assert (await types_of(store, "p-1"))[-1] == "RewardExpired"
    history = await store.read_stream(account_stream("p-1"))
    assert fold_whole(account_stream("p-1"), history)
    assert all(submission.patient for submission in between.submitted)


async def test_a_stale_read_model_leads_to_nothing_twice(
    store: MemoryEventStore, between: Between, clock: Clock
) -> None:
    await with_rewards(between, ["p-1"])
    clock.now += timedelta(days=3)
    worker = ExpiryWorker(between, Due(["p-1"]), clock=clock, settings=QUICK)
    assert [await worker.sweep(), await worker.sweep()] == [1, 0]
    assert (await types_of(store, "p-1")).count("RewardExpired") == 1


async def test_a_sweep_goes_through_all_pages_and_never_floods(
    store: MemoryEventStore, between: Between, clock: Clock
) -> None:
    profiles = [f"p-{number:04}" for number in range(2 * PROFILES_MAX + 50)]
    await with_rewards(between, profiles)
    between.waiting_max = 0
    clock.now += timedelta(days=3)
    worker = ExpiryWorker(between, Due(profiles), clock=clock, settings=QUICK)
    assert await worker.sweep() == len(profiles)
    assert between.waiting_max <= PROFILES_MAX


async def test_an_unreachable_store_is_waited_for(between: Between, clock: Clock) -> None:
    await with_rewards(between, ["p-1"])
    clock.now += timedelta(days=3)
    due = Due(["p-1"])
    due.failures = 3
    worker = ExpiryWorker(between, due, clock=clock, settings=QUICK)
    assert await worker.sweep() == 1
    assert len(due.asked) == 4


async def test_a_full_queue_means_the_same_page_again_later(between: Between, clock: Clock) -> None:
    await with_rewards(between, ["p-1", "p-2"])
    clock.now += timedelta(days=3)
    between.errors = [Overloaded()]
    due = Due(["p-1", "p-2"])
    worker = ExpiryWorker(between, due, clock=clock, settings=QUICK)
    await worker.sweep()
    assert due.asked == ["", ""]


@pytest.mark.parametrize("error", [TooMuchContention("busy"), ValueError("too large")])
async def test_one_account_that_is_refused_does_not_keep_the_others(
    error: Exception, store: MemoryEventStore, between: Between, clock: Clock
) -> None:
    await with_rewards(between, ["p-1", "p-2"])
    clock.now += timedelta(days=3)
    between.always = {"p-1": error}
    worker = ExpiryWorker(between, Due(["p-1", "p-2"]), clock=clock, settings=QUICK)
    assert await worker.sweep() == 1
    assert (await types_of(store, "p-2"))[-1] == "RewardExpired"


async def test_it_sweeps_again_and_again_until_stopped(between: Between, clock: Clock) -> None:
    due = Due([])
    worker = ExpiryWorker(between, due, clock=clock, settings=QUICK)
    running = asyncio.create_task(worker.run())
    await asyncio.sleep(0.1)
    await worker.stop()
    await asyncio.wait_for(running, 1)
    assert 3 < len(due.asked) < 15  # it does not spin while nothing is due


async def test_a_stop_ends_the_wait_for_an_unreachable_store(
    between: Between, clock: Clock
) -> None:
    due = Due([])
    due.failures = 1_000_000
    settings = ExpirySettings(poll_seconds=60, retry_seconds_min=60, retry_seconds_max=60)
    worker = ExpiryWorker(between, due, clock=clock, settings=settings)
    running = asyncio.create_task(worker.run())
    await asyncio.sleep(0.02)
    await worker.stop()
    await asyncio.wait_for(running, 1)
