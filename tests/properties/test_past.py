"""Random histories, told in time and late: as of every moment they are what they were, and whatever
number they lead to, its explanation sums up to it."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from properties.moments import START, amount_of, instant

from api.past import PastProfile, profile_at, rows_at, tellings_of
from api.services import Services
from ledger.committer import Committer
from ledger.decider import ProgrammeSettings
from ledger.event_store.memory import MemoryEventStore
from ledger.explanation import Lots, amounts_of, lots_at, steps_of
from ledger.history import entries_of
from ledger.past import Amounts, Cut
from ledger.rejections import Rejection
from ledger.streams import account_stream, event_of
from ledger.submission import Submission
from projections.projection import Key, Row
from projections.read_models import balances, redemptions, reward_expiry_order, rewards
from schemas.commands import Command
from schemas.envelope import Recorded
from schemas.holds import CaptureRedemption, ReleaseRedemption
from schemas.profiles import MergeProfiles
from schemas.redemptions import MakeRedemption, ReturnRedemption, ReverseRedemption
from schemas.reward_definitions import AddRewardDefinition
from schemas.rewards import (
    AdjustReward,
    ExtendRewards,
    IssueReward,
    ReassignReward,
    RecordDueFacts,
    RevokeReward,
)

PROFILES = ("p-1", "p-2", "p-3")
DAY = 86_400
WHO = st.sampled_from(PROFILES)
WHICH = st.integers(0, 40)
CENTS = st.integers(1, 900)
AHEAD = st.sampled_from([0, 0, 0, 1, 3_600, 2 * DAY])
LATE = st.sampled_from([0, 0, 0, 1, 60, 601, 3_600, DAY // 2])
"""How long ago what is told now has happened."""
ISSUE = st.tuples(st.just("issue"), WHO, CENTS, AHEAD, st.sampled_from([None, 1, 3_600, DAY]), LATE)
REDEEM = st.tuples(st.just("redeem"), WHO, CENTS, st.sampled_from([None, None, 1, 600]), LATE)
TIME = st.tuples(st.just("time"), st.sampled_from([1, 30, 601, 3_601, DAY + 1]))
STEPS = st.lists(
    st.one_of(
        ISSUE,
        ISSUE,
        REDEEM,
        REDEEM,
        REDEEM,
        st.tuples(st.just("end hold"), WHICH, st.sampled_from([None, "release", 1, 100])),
        st.tuples(st.just("give back"), WHICH, st.sampled_from([None, "reverse", 1, 50])),
        st.tuples(st.just("change"), WHICH, st.sampled_from(["revoke", "extend", "expire", 0, 99])),
        st.tuples(st.just("reassign"), WHICH, WHO),
        st.tuples(st.just("merge"), WHO, WHO, st.integers(0, 3)),
        st.tuples(st.just("sweep"), WHO),
        TIME,
        TIME,
    ),
    min_size=12,
    max_size=30,
)


class Told:
    """A ledger in memory, and all that was told to it."""

    def __init__(self) -> None:
        self.now = START
        self.store = MemoryEventStore(clock=self.clock)
        rules = ProgrammeSettings(grace_days=1)
        self.committer = Committer(self.store, clock=self.clock, settings=rules)
        self.rewards: list[int] = []
        self.redemptions: list[int] = []
        self.holds: list[int] = []

    def clock(self) -> datetime:
        return instant(self.now)

    async def tell(self, command: Command, late: int = 0) -> None:
        happened = self.clock() - timedelta(seconds=late) if late else None
        with suppress(Rejection):
            answer = await self.committer.submit(
                Submission(command, "c", "a", occurred_at=happened)
            )
            for each in answer.events:  # type: ignore[union-attr]
                if type(each).__name__ == "RewardIssued":
                    self.rewards.append(each.reward_id)
                elif type(each).__name__ == "RedemptionMade":
                    self.redemptions.append(each.redemption_id)
                elif type(each).__name__ == "RedemptionHeld":
                    self.holds.append(each.redemption_id)

    async def take(self, step: tuple[Any, ...]) -> None:
        kind, *told = step
        self.now += 10
        await getattr(self, kind.replace(" ", "_"))(*told)

    async def issue(self, who: str, cents: int, ahead: int, lasts: int | None, late: int) -> None:
        at = self.now // 1000 - late + ahead
        fields: dict[str, Any] = {
            "profile_id": who,
            "reward_definition_handle": "b",
            "value_initial": amount_of(cents),
            "issued_at": instant(at * 1000).isoformat(),
            "expires_at": None if lasts is None else instant((at + lasts) * 1000).isoformat(),
        }
        await self.tell(IssueReward.model_validate(fields), late)

    async def redeem(self, who: str, cents: int, hold: int | None, late: int) -> None:
        lasting = None if hold is None else timedelta(seconds=hold)
        command = MakeRedemption(
            profile_id=who, amount=amount_of(cents), strict=False, hold=lasting
        )
        await self.tell(command, late)

    async def end_hold(self, which: int, how: str | int | None) -> None:
        number = some(self.holds, which)
        if how == "release":
            await self.tell(ReleaseRedemption(redemption_id=number))
        else:
            amount = None if how is None else amount_of(int(how))
            await self.tell(CaptureRedemption(redemption_id=number, amount=amount))

    async def give_back(self, which: int, how: str | int | None) -> None:
        number = some(self.redemptions, which)
        if how == "reverse":
            await self.tell(ReverseRedemption(redemption_id=number))
        else:
            amount = None if how is None else amount_of(int(how))
            policy: Any = "restore" if which % 2 else "reissue"
            await self.tell(ReturnRedemption(redemption_id=number, amount=amount, policy=policy))

    async def change(self, which: int, how: str | int) -> None:
        number = some(self.rewards, which)
        if how == "revoke":
            await self.tell(RevokeReward(reward_id=number))
        elif how == "extend":
            command = ExtendRewards(profile_id=PROFILES[which % 3], ids=(number,), extend_days=2)
            await self.tell(command)
        elif how == "expire":
            past = instant(self.now - 3_600_000).isoformat()
            await self.tell(AdjustReward(reward_id=number, expires_at=past))
        else:
            await self.tell(AdjustReward(reward_id=number, value_remaining=amount_of(int(how))))

    async def reassign(self, which: int, who: str) -> None:
        await self.tell(ReassignReward(reward_id=some(self.rewards, which), profile_id=who))

    async def merge(self, winner: str, loser: str, chance: int) -> None:
        if not chance:
            await self.tell(MergeProfiles(winner=winner, loser=loser))

    async def sweep(self, who: str) -> None:
        await self.tell(RecordDueFacts(profile_id=who))

    async def time(self, seconds: int) -> None:
        self.now += seconds * 1000

    @property
    def services(self) -> Services:
        """As much of them as reads of the past need."""
        return cast(Services, SimpleNamespace(store=self.store, clock=self.clock))


def some(numbers: Sequence[int], which: int) -> int:
    """Mostly a late one."""
    return numbers[-1 - which % min(3, len(numbers))] if numbers else 999_999


def lived(
    steps: Sequence[tuple[Any, ...]], seen: Callable[[Told], Coroutine[Any, Any, None]]
) -> None:
    """Take all steps in a ledger, then look at it."""

    async def live() -> None:
        told = Told()
        running = asyncio.create_task(told.committer.run())
        terms = {"name": "B", "handle": "b", "value": "1", "type": "b", "period": 2}
        more = {"is_reassignable": True, "is_extendable": True}
        await told.tell(AddRewardDefinition.model_validate(terms | more))
        for profile in PROFILES:
            await told.issue(profile, 500, 0, 2 * DAY, 0)
            await told.issue(profile, 500, 0, None, 0)
        await told.time(DAY)
        for step in steps:
            await told.take(step)
        await seen(told)
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running

    asyncio.run(live())


def balance_of(beginning: Sequence[Recorded], profile: str, at: datetime) -> Amounts:
    """What the read model of balances says of a beginning of a stream: a fold of its own."""
    rows: dict[Key, Row | None] = {}
    for each in beginning:
        told = event_of(each)
        if balances.PROJECTION.relevant(each):
            wanted = {key: rows.get(key) for key in balances.PROJECTION.keys(each, told)}
            rows.update(balances.PROJECTION.evolve(wanted, each, told))
    found = balances.balance_at(rows.get((profile,)), at)
    return Amounts(found.available_minor, found.pending_minor, found.held_minor)


def numbers_of(past: PastProfile) -> Amounts:
    found = past.balance()
    return Amounts(found.available_minor, found.pending_minor, found.held_minor)


async def agrees(told: Told, past: PastProfile) -> None:
    """Balance, history, explanation and every read model are of one mind."""
    numbers = numbers_of(past)
    assert all(number >= 0 for number in numbers)
    entries = entries_of(past.events, currency="AUD", currency_digits=2, opened={})
    assert sum(entry.change_minor for entry in entries) == (
        entries[-1].balance_minor if entries else 0
    )
    known = lots_at(past.account, past.at)
    assert total(known) == numbers
    lots = {lot.id: lot for lot in (*known.open, *known.closed)}
    tellings = await tellings_of(told.services, past, lots)
    steps = steps_of(lots, tellings, past.profile_id, known.due)
    for lot in lots.values():
        changes = Amounts()
        for step in steps[lot.id]:
            changes = changes.plus(step.change)
            assert step.after == changes
            assert all(number >= 0 for number in changes)
        assert changes == amounts_of(lot), lot
    await models_agree(told, past, known)


async def models_agree(told: Told, past: PastProfile, known: Lots) -> None:
    rows = {row["reward_id"]: row for row in await rows_at(told.services, past, rewards.PROJECTION)}
    kept = past.account.lots.items()
    assert rows.keys() == {number for number, lot in kept if lot.moved_to is None} or (
        past.account.merged_into is not None
    )
    for row in rows.values():
        books = past.account.lots[row["reward_id"]].books
        for book in ("available", "pending", "held", "redeemed", "expired", "revoked"):
            assert row[f"{book}_minor"] == books.get(book, 0), (row, books)  # type: ignore[call-overload]
    order = await rows_at(told.services, past, reward_expiry_order.PROJECTION)
    assert {row["reward_id"] for row in order} == set(past.account.open_lots)
    made = await rows_at(told.services, past, redemptions.PROJECTION)
    assert {row["redemption_id"] for row in made} >= set(past.account.redemptions)


def total(known: Lots) -> Amounts:
    numbers = Amounts()
    for lot in known.open:
        numbers = numbers.plus(amounts_of(lot))
    return numbers


FEW = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@FEW
@given(STEPS)
def test_as_of_any_moment_all_reads_agree_and_explanations_sum_up(
    steps: list[tuple[Any, ...]],
) -> None:
    async def seen(told: Told) -> None:
        for profile in PROFILES:
            stream = await told.store.read_stream(account_stream(profile), limit=9_999)
            for at in {each.occurred_at for each in stream} | {told.clock()}:
                for recorded in (False, True):
                    for late in (0, 1, 700):
                        cut = Cut(at + timedelta(seconds=late), recorded)
                        await agrees(told, await profile_at(told.services, profile, cut))
            await agrees(told, await profile_at(told.services, profile))

    lived(steps, seen)


@FEW
@given(STEPS)
def test_by_recorded_time_it_is_what_the_ledger_had_answered(steps: list[tuple[Any, ...]]) -> None:
    async def seen(told: Told) -> None:
        for profile in PROFILES:
            stream = await told.store.read_stream(account_stream(profile), limit=9_999)
            for at in {each.recorded_at for each in stream}:
                past = await profile_at(told.services, profile, Cut(at, recorded=True), own=True)
                beginning = [each for each in stream if each.recorded_at <= at]
                assert numbers_of(past) == balance_of(beginning, profile, at)
                assert [each.recorded for each in past.events] == beginning

    lived(steps, seen)


@FEW
@given(STEPS)
def test_by_business_time_it_is_the_beginning_where_nothing_was_told_late(
    steps: list[tuple[Any, ...]],
) -> None:
    async def seen(told: Told) -> None:
        for profile in PROFILES:
            stream = await told.store.read_stream(account_stream(profile), limit=9_999)
            for at in {each.occurred_at for each in stream}:
                past = await profile_at(told.services, profile, Cut(at), own=True)
                beginning = [each for each in stream if each.occurred_at <= at]
                assert numbers_of(past) == balance_of(beginning, profile, at)

    lived([in_time(step) for step in steps], seen)


def in_time(step: tuple[Any, ...]) -> tuple[Any, ...]:
    return (*step[:-1], 0) if step[0] in ("issue", "redeem") else step
