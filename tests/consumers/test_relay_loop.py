"""Whatever fails, nothing is skipped and first occurrences stand in order."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from uuid import uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consumers.cloudevents import KafkaRecord, from_record
from consumers.producer import EventProducer
from consumers.published_position import AnotherIncarnation, CheckpointUnavailable
from consumers.relay import LogIsNotDense, Relay, RelaySettings
from tests.consumers.fakes import FaultyProducer, ListStore, MemoryPosition, Topic

SETTINGS = RelaySettings(
    partitions=3,
    source="/ledger/test",
    cell="cell-1",
    page_events_max=10,
    acknowledgement_seconds_max=0.2,
    producer_start_seconds_max=0.2,
    producer_stop_seconds_max=0.02,
    poll_seconds_min=0.001,
    poll_seconds_max=0.005,
    leadership_poll_seconds=0.01,
    retry_seconds_min=0.0005,
    retry_seconds_max=0.002,
)
STEPS = ["start", "publish:nothing", "publish:half", "publish:all", "stop"]


async def until(condition: Callable[[], bool], seconds: float = 5.0) -> None:
    """Wait for a condition of the running relay."""
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.001)


async def relayed(relay: Relay, condition: Callable[[], bool]) -> None:
    """Run the relay until the condition holds, then stop it cleanly."""
    running = asyncio.create_task(relay.run())
    try:
        await until(lambda: condition() or running.done())
    finally:
        await relay.stop()
        await running


def assert_complete(topic: dict[int, list[KafkaRecord]], store: ListStore) -> None:
    """Per partition: first occurrences in the log's order; together: the whole log."""
    seen: set[int] = set()
    for records in topic.values():
        firsts = list(dict.fromkeys(from_record(*record).position for record in records))
        assert firsts == sorted(firsts)
        seen.update(firsts)
    assert seen == {event.position for event in store.log}


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("times", [1, 3])
async def test_a_failure_at_any_step_skips_nothing(step: str, times: int) -> None:
    store, position = ListStore(), MemoryPosition()
    store.grow(45)
    topic = Topic(faults=[step] * times if step != "stop" else ["publish:half", "stop"] * times)
    await relayed(
        Relay(store.port(), position, topic.producer, SETTINGS), lambda: position.position == 45
    )
    assert_complete(topic.partitions, store)
    assert topic.made >= 2
    assert topic.faults == []


async def test_full_pages_follow_at_once_and_a_stop_ends_the_wait_for_more() -> None:
    store, position, topic = ListStore(), MemoryPosition(), Topic()
    store.grow(45)
    for_ages = replace(
        SETTINGS, gather_seconds_max=60.0, gather_longest_from_events_per_second=0.001
    )
    await relayed(
        Relay(store.port(), position, topic.producer, for_ages), lambda: position.position == 45
    )
    assert_complete(topic.partitions, store)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.sampled_from(STEPS[:4]), max_size=12), st.integers(0, 3), st.integers(0, 3))
def test_no_sequence_of_failures_skips_anything(
    faults: list[str], outages: int, answers_lost: int
) -> None:
    async def scenario() -> None:
        store = ListStore(outages=outages)
        position = MemoryPosition(answers_lost=answers_lost)
        store.grow(60)
        topic = Topic(faults=list(faults))
        await relayed(
            Relay(store.port(), position, topic.producer, SETTINGS), lambda: position.position == 60
        )
        assert_complete(topic.partitions, store)

    asyncio.run(scenario())


async def test_the_position_never_runs_ahead_of_the_acknowledgements() -> None:
    store, topic = ListStore(), Topic(faults=["publish:half"] * 4)
    store.grow(30)

    def check() -> None:
        count = sum(len({from_record(*r).position for r in rs}) for rs in topic.partitions.values())
        assert count % 10 == 0
        assert count == position.position + 10

    position = MemoryPosition(before_move=check)
    await relayed(
        Relay(store.port(), position, topic.producer, SETTINGS), lambda: position.position == 30
    )


class FrozenProducer(FaultyProducer):
    """Neither acknowledges nor stops, as with a broker that is frozen."""

    async def publish(self, partition: int, records: object) -> None:
        await asyncio.sleep(3600)

    async def stop(self) -> None:
        await asyncio.sleep(3600)


async def test_a_frozen_broker_costs_a_producer_and_nothing_else() -> None:
    store, position, topic = ListStore(), MemoryPosition(), Topic()
    store.grow(20)
    frozen = iter([True])

    def producers() -> EventProducer:
        return FrozenProducer(topic) if next(frozen, False) else topic.producer()

    await relayed(
        Relay(store.port(), position, producers, SETTINGS), lambda: position.position == 20
    )
    assert_complete(topic.partitions, store)


async def test_a_lasting_freeze_abandons_a_bounded_number_of_producers() -> None:
    store, made = ListStore(), []
    store.grow(5)

    def producers() -> EventProducer:
        made.append(FrozenProducer(Topic()))
        return made[-1]

    quick = replace(SETTINGS, acknowledgement_seconds_max=0.01, producer_stop_seconds_max=0.001)
    relay = Relay(store.port(), MemoryPosition(), producers, quick)
    running = asyncio.create_task(relay.run())
    await asyncio.sleep(0.2)
    await relay.stop()
    await running
    assert len(made) == 4


async def test_an_idle_relay_is_woken_and_does_not_oversleep_an_append() -> None:
    store, position, topic = ListStore(), MemoryPosition(), Topic()
    slow = replace(SETTINGS, poll_seconds_min=60.0, poll_seconds_max=60.0)
    relay = Relay(store.port(), position, topic.producer, slow)
    running = asyncio.create_task(relay.run())
    await asyncio.sleep(0.01)
    for _ in range(20):
        store.grow(1)
        relay.wake()
        await until(lambda: position.position == len(store.log), 1.0)
    await relay.stop()
    await running


async def test_another_log_stops_the_relay_and_says_what_to_do() -> None:
    store, topic = ListStore(), Topic()
    store.grow(5)
    position = MemoryPosition(position=5, identity=uuid4())
    with pytest.raises(AnotherIncarnation, match="rebuild"):
        await Relay(store.port(), position, topic.producer, SETTINGS).run()
    assert topic.partitions == {}


async def test_a_log_replaced_while_running_is_noticed_before_its_events_go_out() -> None:
    store, position, topic = ListStore(), MemoryPosition(), Topic()
    store.grow(5)
    relay = Relay(store.port(), position, topic.producer, SETTINGS)
    running = asyncio.create_task(relay.run())
    await until(lambda: position.position == 5)
    store.identity = uuid4()
    store.grow(5)
    with pytest.raises(AnotherIncarnation, match="Rebuild"):
        await asyncio.wait_for(running, 1)
    assert sum(map(len, topic.partitions.values())) == 5


async def test_a_gap_in_the_log_stops_the_relay() -> None:
    store, topic = ListStore(), Topic()
    store.grow(9)
    del store.log[4]
    with pytest.raises(LogIsNotDense):
        await Relay(store.port(), MemoryPosition(), topic.producer, SETTINGS).run()
    assert topic.partitions == {}


async def test_stops_while_nothing_answers() -> None:
    store, topic = ListStore(outages=10**9), Topic(faults=["start"] * 10_000)

    class Down(MemoryPosition):
        async def try_lead(self) -> bool:
            raise CheckpointUnavailable("down")

    for position in (MemoryPosition(), Down()):
        relay = Relay(store.port(), position, topic.producer, SETTINGS)
        running = asyncio.create_task(relay.run())
        await asyncio.sleep(0.02)
        async with asyncio.timeout(1):
            await relay.stop()
            await running
