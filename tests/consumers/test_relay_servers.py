"""The relay between a real PostgreSQL and a real Kafka, read by another client."""

import asyncio
import time
from collections import defaultdict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import cast
from uuid import uuid4

import asyncpg
import confluent_kafka
import pytest

from consumers.cloudevents import Published, from_record
from consumers.partitions import partition_of
from consumers.producer import BATCH_BYTES_MAX, KafkaEventProducer
from consumers.published_position import (
    AnotherIncarnation,
    CheckpointUnavailable,
    Claimed,
    Fenced,
    PostgresPublishedPosition,
)
from consumers.relay import Relay, RelaySettings
from consumers.topics import EventsTopic, TopicRefused, ensure_topic
from ledger.event_store.port import EVENT_BYTES_MAX, EventStoreBroken
from tests.consumers.fakes import ListStore, recorded
from tests.consumers.test_relay_loop import until

PARTITIONS = 5
SETTINGS = RelaySettings(
    partitions=PARTITIONS, source="/ledger/test", cell="cell-1", leadership_poll_seconds=0.05
)
READ_SECONDS_MAX = 15.0


@dataclass(frozen=True)
class Bench:
    """One topic, one database, one log, and relays between them."""

    kafka: str
    database_url: str
    topic: str
    store: ListStore

    def checkpoint(self) -> PostgresPublishedPosition:
        return PostgresPublishedPosition(self.database_url, "events")

    def relay(self, settings: RelaySettings = SETTINGS) -> Relay:
        producers = partial(KafkaEventProducer, self.kafka, self.topic)
        return Relay(self.store.port(), self.checkpoint(), producers, settings)

    async def read(self, positions: int) -> dict[int, list[Published]]:
        return await asyncio.to_thread(read_all, self.kafka, self.topic, positions)


@pytest.fixture
async def bench(kafka: str, database_url: str, topic_name: Callable[[], str]) -> Bench:
    """Servers ready for a relay: topic and table exist."""
    made = Bench(kafka, database_url, topic_name(), ListStore())
    await ensure_topic(kafka, EventsTopic(made.topic, PARTITIONS))
    return made


def read_all(kafka: str, topic: str, positions: int) -> dict[int, list[Published]]:
    """Per partition everything in the topic, until so many different positions were seen."""
    consumer = confluent_kafka.Consumer(
        {"bootstrap.servers": kafka, "group.id": uuid4().hex, "enable.auto.commit": False}
    )
    consumer.assign(
        [
            confluent_kafka.TopicPartition(topic, number, confluent_kafka.OFFSET_BEGINNING)
            for number in range(PARTITIONS)
        ]
    )
    found: dict[int, list[Published]] = defaultdict(list)
    seen: set[int] = set()
    deadline = time.monotonic() + READ_SECONDS_MAX
    try:
        while len(seen) < positions:
            assert time.monotonic() < deadline, f"only {len(seen)} of {positions} arrived"
            # Waits its whole time limit unless it gets as many as it asked for.
            messages = consumer.consume(1_000, 0.2)
            for message in messages:
                assert message.error() is None
                assert message.timestamp()[0] == confluent_kafka.TIMESTAMP_LOG_APPEND_TIME
                headers = cast(list[tuple[str, bytes | None]], message.headers())
                published = from_record(message.key(), message.value(), headers)
                found[message.partition() or 0].append(published)
                seen.add(published.position)
    finally:
        consumer.close()
    return found


def assert_in_order(found: dict[int, list[Published]], store: ListStore) -> None:
    """Every stream's first occurrences are dense from 1, each key in the one right partition."""
    versions: dict[str, int] = defaultdict(int)
    for partition, events in found.items():
        for event in events:
            assert partition == partition_of(event.subject, PARTITIONS)
            assert event.payload == store.log[event.position - 1].payload
            assert event.stream_version <= versions[event.stream_id] + 1
            versions[event.stream_id] = max(versions[event.stream_id], event.stream_version)
    assert versions == {event.stream_id: event.stream_version for event in store.log}


async def stopped(relay: Relay, running: "asyncio.Task[None]") -> None:
    """Stop it cleanly and let its errors out."""
    await relay.stop()
    await running


async def test_another_client_reads_every_event_in_order(bench: Bench) -> None:
    bench.store.grow(2_000)
    relay = bench.relay()
    running = asyncio.create_task(relay.run())
    await until(lambda: relay.published_position == 2_000, 20)
    bench.store.grow(50)
    relay.wake()
    await until(lambda: relay.published_position == 2_050)
    await stopped(relay, running)
    found = await bench.read(2_050)
    assert_in_order(found, bench.store)
    assert sum(map(len, found.values())) == 2_050


async def test_the_second_relay_waits_and_takes_over(bench: Bench) -> None:
    bench.store.grow(300)
    first, second = bench.relay(), bench.relay()
    first_running = asyncio.create_task(first.run())
    await until(lambda: first.published_position == 300)
    second_running = asyncio.create_task(second.run())
    await asyncio.sleep(0.3)
    bench.store.grow(100)
    await until(lambda: first.published_position == 400)
    assert second.published_position == 0
    await stopped(first, first_running)
    bench.store.grow(100)
    await until(lambda: second.published_position == 500)
    assert first.published_position == 400
    await stopped(second, second_running)
    assert_in_order(await bench.read(500), bench.store)


async def test_a_relay_whose_session_was_ended_leads_again_and_skips_nothing(bench: Bench) -> None:
    bench.store.grow(100)
    relay = bench.relay()
    running = asyncio.create_task(relay.run())
    await until(lambda: relay.published_position == 100)
    admin = await asyncpg.connect(bench.database_url)
    ended = await admin.fetchval(
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
        "WHERE application_name = 'ledger-relay' AND datname = current_database()"
    )
    assert ended == 1
    bench.store.grow(100)
    await until(lambda: relay.published_position == 200)
    assert await admin.fetchval("SELECT epoch FROM ledger.relay_checkpoint") == 2
    await admin.close()
    await stopped(relay, running)
    assert_in_order(await bench.read(200), bench.store)


async def test_a_fenced_relay_moves_nothing(bench: Bench) -> None:
    first, second = bench.checkpoint(), bench.checkpoint()
    identity = bench.store.identity
    assert await first.try_lead()
    mine = await first.claim(identity)
    await first.move(mine, 10)
    assert not await second.try_lead()
    await first.release()
    assert await second.try_lead()
    assert await second.claim(identity) == Claimed(mine.epoch + 1, 10)
    with pytest.raises(CheckpointUnavailable):
        await first.move(mine, 20)
    # A leader that only slept: its connection is back, its epoch is over.
    assert not await first.try_lead()
    with pytest.raises(Fenced):
        await first.move(mine, 20)
    assert (await second.claim(identity)).position == 10
    await first.release()
    await second.release()


async def test_the_position_never_runs_backwards(bench: Bench) -> None:
    checkpoint = bench.checkpoint()
    assert await checkpoint.try_lead()
    claimed = await checkpoint.claim(bench.store.identity)
    await checkpoint.move(claimed, 10)
    with pytest.raises(Fenced):
        await checkpoint.move(claimed, 9)
    with pytest.raises(AnotherIncarnation, match="Rebuild"):
        await checkpoint.claim(uuid4())
    await checkpoint.release()


async def test_without_the_migration_the_relay_ends_and_says_so(bench: Bench) -> None:
    """Nothing but a person can mend it: trying for ever would hide it."""
    admin = await asyncpg.connect(bench.database_url)
    await admin.execute("DROP TABLE ledger.relay_checkpoint")
    await admin.close()
    with pytest.raises(EventStoreBroken, match="ledger migrate"):
        await asyncio.wait_for(bench.relay().run(), 10)


async def test_the_application_may_move_a_position_but_not_delete_it(bench: Bench) -> None:
    admin = await asyncpg.connect(bench.database_url)
    role = f"app_{uuid4().hex[:8]}"
    await admin.execute(f"CREATE ROLE {role} LOGIN PASSWORD 'word' IN ROLE ledger_application")
    url = f"postgresql://{role}:word@{bench.database_url.rpartition('@')[2]}"
    checkpoint = PostgresPublishedPosition(url, "events")
    assert await checkpoint.try_lead()
    await checkpoint.move(await checkpoint.claim(bench.store.identity), 10)
    await checkpoint.release()
    await admin.execute(f"SET ROLE {role}")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await admin.execute("DELETE FROM ledger.relay_checkpoint")
    await admin.execute(f"RESET ROLE; DROP ROLE {role}")
    await admin.close()


async def test_the_largest_events_pass(bench: Bench) -> None:
    large = b'"' + b"x" * (EVENT_BYTES_MAX - 2) + b'"'
    for position in range(1, 5):
        payload = b"{}" if position == 2 else large
        bench.store.log.append(recorded(position, "account-1", position, payload))
    assert BATCH_BYTES_MAX <= EVENT_BYTES_MAX
    relay = bench.relay()
    running = asyncio.create_task(relay.run())
    await until(lambda: relay.published_position == 4)
    await stopped(relay, running)
    assert_in_order(await bench.read(4), bench.store)


async def test_waits_for_kafka_and_postgres_without_an_end(bench: Bench) -> None:
    bench.store.grow(1)
    nowhere = replace(bench, kafka="127.0.0.1:1")
    relay = nowhere.relay()
    running = asyncio.create_task(relay.run())
    with suppress(TimeoutError):
        await asyncio.wait_for(asyncio.shield(running), 0.7)
    assert not running.done()
    assert relay.published_position == 0
    await asyncio.wait_for(stopped(relay, running), 5)


async def test_a_topic_with_another_number_of_partitions_is_refused(bench: Bench) -> None:
    await ensure_topic(bench.kafka, EventsTopic(bench.topic, PARTITIONS))
    with pytest.raises(TopicRefused, match=f"has {PARTITIONS} partitions, configured are 7"):
        await ensure_topic(bench.kafka, EventsTopic(bench.topic, 7))


def test_the_default_client_partitioner_agrees(kafka: str, topic_name: Callable[[], str]) -> None:
    name = topic_name()
    asyncio.run(ensure_topic(kafka, EventsTopic(name, 7)))
    wrong: list[str] = []
    acknowledged: list[str] = []
    producer = confluent_kafka.Producer({"bootstrap.servers": kafka, "partitioner": "murmur2"})
    for number in range(500):
        key = f"profile-{number}-{'é' * (number % 4)}"

        def check(error: object, message: confluent_kafka.Message, key: str = key) -> None:
            acknowledged.append(key)
            if error or message.partition() != partition_of(key, 7):
                wrong.append(key)

        producer.produce(name, key=key.encode(), value=b"{}", on_delivery=check)
    producer.flush(READ_SECONDS_MAX)
    assert (len(acknowledged), wrong) == (500, [])
