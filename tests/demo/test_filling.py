"""A programme goes into a ledger: nothing comes otherwise than planned, nothing comes twice."""

import asyncio
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest

from app.demo.data import begun_at
from app.demo.filling import Filling, Tally, spans, waves
from app.demo.programme import TWO_YEARS, Step, plan
from ledger.account.folding import fold
from ledger.committer import Committer
from ledger.event_store.memory import MemoryEventStore
from ledger.personal.keys import MemoryKeys
from ledger.personal.vault import Vault
from ledger.streams import event_of
from schemas.envelope import Recorded
from schemas.redemptions import MakeRedemption
from schemas.rewards import RewardExpired

UNTIL = datetime(2026, 8, 20, 2, 15, 7, tzinfo=UTC)
NOW = UNTIL + timedelta(days=3)
PROFILES = 40


@dataclass
class Place:
    """A ledger in memory, with its keys."""

    store: MemoryEventStore
    vault: Vault
    asked: int = 0
    """How often a filling asked whether it may go on."""

    @classmethod
    async def made(cls) -> "Place":
        return cls(MemoryEventStore(), await Vault.open(MemoryKeys()))

    @asynccontextmanager
    async def filling(self) -> AsyncIterator[Filling]:
        committer = Committer(self.store, clock=lambda: NOW)
        task = asyncio.create_task(committer.run())
        self.asked = 0

        async def may_go_on() -> None:
            self.asked += 1

        yield Filling(self.store, self.vault, committer.submit_all, may_go_on)
        task.cancel()

    async def fill(self, steps: Sequence[Step], spans_max: int | None = None) -> Tally:
        async with self.filling() as filling:
            for span in list(spans(steps))[:spans_max]:
                await filling.take(span)
            return filling.tally

    async def log(self) -> list[Recorded]:
        found: list[Recorded] = []
        while page := await self.store.read_log(after_position=len(found), limit=1_000):
            found += page
        return found


def steps(seed: int = 1) -> list[Step]:
    return list(plan(seed, PROFILES, UNTIL))


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_every_answer_is_the_planned_one(seed: int) -> None:
    place = await Place.made()
    tally = await place.fill(steps(seed))
    assert tally.examples == []
    assert (tally.unplanned, tally.before) == (0, 0)
    assert tally.steps == len(steps(seed))
    assert tally.refused == sum(step.refused is not None for step in steps(seed))


async def test_each_account_is_told_in_the_order_of_its_days() -> None:
    place = await Place.made()
    await place.fill(steps())
    by_stream: dict[str, list[Recorded]] = defaultdict(list)
    for recorded in await place.log():
        by_stream[recorded.stream_id].append(recorded)
    for history in by_stream.values():
        moments = [recorded.occurred_at for recorded in history]
        assert moments == sorted(moments)
    assert {each.occurred_at for each in await place.log()} <= {step.at for step in steps()}


async def test_an_expiry_is_recorded_at_its_instant() -> None:
    place = await Place.made()
    await place.fill(steps())
    ended = [each for each in await place.log() if each.type == "RewardExpired"]
    assert ended
    for recorded in ended:
        event = event_of(recorded)
        assert isinstance(event, RewardExpired)
        assert recorded.occurred_at - event.expires_at == timedelta(seconds=1)


async def test_at_the_end_some_rewards_wait_and_some_will_expire_soon() -> None:
    place = await Place.made()
    await place.fill(list(plan(1, 120, UNTIL)))
    accounts = defaultdict(list)
    for each in await place.log():
        if each.stream_id.startswith("account-"):
            accounts[each.stream_id].append(event_of(each))
    lots = [lot for events in accounts.values() for lot in fold(events).open_lots.values()]
    assert any(lot.terms.issued_at > UNTIL for lot in lots)
    soon = [lot.terms.expires_at for lot in lots if lot.terms.expires_at is not None]
    assert any(UNTIL < end < UNTIL + timedelta(days=90) for end in soon)


async def test_once_more_writes_nothing() -> None:
    place = await Place.made()
    await place.fill(steps())
    head = await place.store.head()
    tally = await place.fill(steps())
    assert await place.store.head() == head
    assert (tally.before, tally.unplanned) == (len(steps()), 0)
    assert place.asked == 0


async def test_interrupted_it_goes_on_and_gives_the_same() -> None:
    whole, broken = await Place.made(), await Place.made()
    await whole.fill(steps())
    await broken.fill(steps(), spans_max=10)
    # In the middle of a span, too: a first turn is written, what rests on it is not.
    middle = list(spans(steps()))[10]
    async with broken.filling() as filling:
        await filling.take(waves(middle)[0])
    tally = await broken.fill(steps())
    assert tally.examples == []
    assert 0 < tally.before < tally.steps == len(steps())
    assert broken.asked == 1
    assert _told(await broken.log()) == _told(await whole.log())


async def test_the_end_of_the_story_stands_in_its_first_event() -> None:
    place = await Place.made()
    first = steps()[0]
    assert await begun_at(first, place.store) is None
    await place.fill(steps(), spans_max=1)
    another_day = next(plan(1, PROFILES, UNTIL + timedelta(days=12)))
    assert await begun_at(another_day, place.store) == UNTIL - TWO_YEARS


async def test_what_comes_otherwise_is_told() -> None:
    place = await Place.made()
    planned = steps()
    number = next(n for n, step in enumerate(planned) if step.kind is MakeRedemption)
    fields = {**planned[number].fields, "amount": "999", "transaction_total": "999"}
    planned[number] = replace(planned[number], fields=fields)
    tally = await place.fill(planned)
    assert "insufficient_balance" in tally.examples[0]
    assert planned[number].key in tally.examples[0]


def test_a_turn_later_comes_only_what_rests_on_an_answer() -> None:
    for span in spans(steps()):
        turns = waves(span)
        assert Counter(step.key for turn in turns for step in turn) == Counter(s.key for s in span)
        turn_of = {step.key: n for n, turn in enumerate(turns) for step in turn}
        last: dict[str, int] = {}
        for step in span:
            mine = turn_of[step.key]
            assert all(turn_of.get(key, -1) < mine for key in step.rests_on)
            assert all(last.get(stream, 0) <= mine for stream in step.streams)
            last |= dict.fromkeys(step.streams, mine)


def _told(log: Sequence[Recorded]) -> Counter[tuple[str, datetime, str]]:
    """What happened when; whatever carries a number of its own has another one each time."""
    return Counter((each.type, each.occurred_at, each.actor) for each in log)
