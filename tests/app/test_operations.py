"""Asking all parts: what each tells, and what is told of one that gives no answer."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import asyncpg
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from api.operations import Letters
from app.operations.dead_letters import DeadLetters
from app.operations.kafka import Topics
from app.operations.look import Looking, Place
from app.operations.rates import Rates
from app.stores import named
from consumers.command_records import Place as RecordPlace
from consumers.command_records import Unread
from consumers.intake_broker import GROUP
from consumers.outcomes import dead_letter_message
from consumers.projector_faults import note_failure
from consumers.reception import SealingReception
from ledger.event_store.postgres import PostgresEventStore
from ledger.personal.master import MasterKeys, from_text, new_master_key
from ledger.personal.postgres_keys import PostgresKeys
from ledger.personal.vault import Vault
from projections.read_models import ALL
from tests.app.test_health import write_events

NO_TOPICS = Topics("e", "c", "o")
NAME = "ledger/9.9.9 api,expiry 4711"


@pytest.fixture
async def pool(database_url: str) -> AsyncIterator["asyncpg.Pool[Any]"]:
    async with asyncpg.create_pool(
        database_url, min_size=1, max_size=6, server_settings={"application_name": NAME}
    ) as opened:
        yield opened


@pytest.fixture
async def vault(pool: "asyncpg.Pool[Any]") -> Vault:
    return await Vault.open(PostgresKeys(pool, MasterKeys(from_text(new_master_key()))))


def looking(
    pool: "asyncpg.Pool[Any]", vault: Vault, servers: str | None = None, **of: Any
) -> Looking:
    topics = of.get("topics", NO_TOPICS)
    return Looking(
        pool, vault, Place("events", "1.2.3", servers, topics, {}), lambda: datetime.now(UTC)
    )


async def test_postgresql_tells_of_everything(
    database_url: str, pool: "asyncpg.Pool[Any]", vault: Vault
) -> None:
    await write_events(database_url, 5)
    await note_failure(pool, ALL[0], "TimeoutError()")
    await note_failure(pool, ALL[0], "DeadlockDetectedError()\x00")
    await note_failure(pool, None, "KafkaConnectionError()")
    async with pool.acquire() as leading:
        await leading.execute(
            "SELECT pg_advisory_lock(hashtextextended('relay_checkpoint:events', 0))"
        )
        report = await looking(pool, vault).look()
    assert report.version == "1.2.3"
    assert report.kafka is None
    assert report.log.told is not None
    assert report.log.told.position == 5
    assert report.relay.told is not None
    assert report.relay.told.leader is not None
    assert report.relay.told.lag.events == 5
    assert report.read_side.told is not None
    first, *others = report.read_side.told.models
    assert first.lag.events == 5
    assert first.last_failure is not None
    assert first.last_failure.error == "DeadlockDetectedError()"
    assert [each.last_failure for each in others] == [None] * len(others)
    assert report.read_side.told.last_failure is not None
    assert report.read_side.told.last_failure.error == "KafkaConnectionError()"
    assert report.programs.told is not None
    (program,) = report.programs.told
    assert (program.version, program.roles, program.pid) == ("9.9.9", ["api", "expiry"], 4711)


async def test_an_empty_log_has_no_hash(pool: "asyncpg.Pool[Any]", vault: Vault) -> None:
    report = await looking(pool, vault).look()
    assert report.log.told is not None
    assert (report.log.told.position, report.log.told.chain) == (0, None)


async def test_all_the_roles_there_are_fit_into_a_name() -> None:
    name = named(("api", "relay", "projector", "expiry", "intake"))
    assert len(name) < 63
    assert name.startswith("ledger/")


async def test_postgresql_away_is_told_of_and_nothing_is_raised(
    pool: "asyncpg.Pool[Any]", vault: Vault, server_url: str, database_url: str
) -> None:
    name = database_url.rpartition("/")[2]
    admin = await asyncpg.connect(server_url)
    await admin.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
    await admin.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1", name
    )
    await admin.close()
    report = await looking(pool, vault, "127.0.0.1:1").look()
    for asked in (report.database, report.log, report.read_side, report.relay, report.programs):
        assert asked.told is None
        assert asked.fault
    assert report.kafka is not None
    assert report.kafka.told is None
    assert "127.0.0.1:1 does not answer" in str(report.kafka.fault)


async def test_kafka_away_keeps_nothing_else_back(pool: "asyncpg.Pool[Any]", vault: Vault) -> None:
    asking = looking(pool, vault, "127.0.0.1:1")
    report = await asking.look()
    assert report.database.told is not None
    assert report.kafka is not None
    assert report.kafka.told is None
    with pytest.raises(ConnectionError):
        await asking.dead_letters(5, None)
    with pytest.raises(ConnectionError):
        await looking(pool, vault).dead_letters(5, None)


def test_a_rate_is_measured_and_never_invented() -> None:
    now = 0.0
    rates = Rates(lambda: now)
    assert rates.of("a", 100) is None
    now = 1.0
    assert rates.of("a", 150) is None
    now = 4.0
    measured = rates.of("a", 300)
    assert measured is not None
    assert (measured.events_per_second, measured.seconds) == (50.0, 4.0)
    now = 4.5
    assert rates.of("a", 900) == measured
    assert rates.of("a", 10) is None  # built anew, or another log
    assert rates.of("b", 5) is None


# ── With a Kafka ─────────────────────────────────────────────────────────────────────────────────


async def topics_of(kafka: str) -> Topics:
    """Topics of the test's own."""
    name = uuid4().hex[:8]
    topics = Topics(f"{name}.events", f"{name}.commands", f"{name}.outcomes")
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await admin.start()
    made = {topics.events: 3, topics.commands: 2, f"{topics.commands}.shop": 1}
    made |= {topics.outcomes: 2, topics.dead_letters: 2}
    await admin.create_topics([NewTopic(each, n, 1) for each, n in made.items()])
    await admin.close()
    return topics


async def publish(kafka: str, topic: str, partition: int, *values: bytes, **more: Any) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=kafka)
    await producer.start()
    for value in values:
        await producer.send_and_wait(topic, value, partition=partition, **more)
    await producer.stop()


@asynccontextmanager
async def reading(kafka: str, topic: str, group: str) -> AsyncIterator[AIOKafkaConsumer]:
    """A member of a group, once it has its partitions."""
    consumer = AIOKafkaConsumer(
        topic, bootstrap_servers=kafka, group_id=group, enable_auto_commit=False
    )
    await consumer.start()
    try:
        async with asyncio.timeout(60):
            while not consumer.assignment():
                await asyncio.sleep(0.02)
        yield consumer
    finally:
        await consumer.stop()


async def test_kafka_tells_of_brokers_topics_and_groups(
    pool: "asyncpg.Pool[Any]", vault: Vault, kafka: str
) -> None:
    topics = await topics_of(kafka)
    await publish(kafka, topics.events, 1, b"a", b"b", b"c")
    await publish(kafka, topics.dead_letters, 0, b"d")
    await pool.executemany(
        "INSERT INTO projections.checkpoints (projection, version, incarnation, topic, partition, "
        "next_offset) SELECT $1, $2, incarnation, $3, 1, $4 FROM ledger.log",
        [(e.name, e.version, topics.events, 2 if e.name == "journal" else 3) for e in ALL],
    )
    await publish(kafka, topics.commands, 1, b"a", b"b")
    async with reading(kafka, topics.commands, GROUP) as consumer:
        place = TopicPartition(topics.commands, 1)
        await consumer.commit({place: 1})
        report = await looking(pool, vault, kafka, topics=topics).look()
    assert report.kafka is not None
    assert report.kafka.fault is None
    found = report.kafka.told
    assert found is not None
    assert len(found.brokers) == 1
    assert found.topics == {
        topics.events: 3,
        topics.commands: 2,
        f"{topics.commands}.shop": 1,
        topics.outcomes: 2,
        topics.dead_letters: 2,
    }
    assert found.dead_letters == 1
    projector, intake = found.groups
    assert (projector.reads_for, projector.members) == ("projector", 0)
    assert [(p.partition, p.offset, p.end, p.lag) for p in projector.partitions] == [
        (0, 0, 0, 0),
        (1, 2, 3, 1),
        (2, 0, 0, 0),
    ]
    assert (intake.name, intake.reads_for) == (GROUP, "intake")
    assert (intake.state, intake.members) == ("Stable", 1)
    assert {(p.topic, p.partition): p.lag for p in intake.partitions} == {
        (topics.commands, 0): 0,
        (topics.commands, 1): 1,
        (f"{topics.commands}.shop", 0): 0,
    }


async def test_a_kafka_without_topics_has_nothing_to_tell(
    pool: "asyncpg.Pool[Any]", vault: Vault, kafka: str
) -> None:
    asking = looking(pool, vault, kafka, topics=Topics("no.e", "no.c", "no.o"))
    report = await asking.look()
    assert report.kafka is not None
    assert report.kafka.told is not None
    assert report.kafka.told.topics == {}
    assert await asking.dead_letters(5, None) == Letters([], 0, None)


async def test_dead_letters_are_read_backwards_and_masked(
    database_url: str, pool: "asyncpg.Pool[Any]", vault: Vault, kafka: str
) -> None:
    topics = await topics_of(kafka)
    store = await PostgresEventStore.connect(database_url)
    reception = SealingReception(vault, store)
    for number in range(5):
        value = b'{"profile_id": "anna-%d", "name": "Anna Smith"' % number
        place = RecordPlace(topics.commands, 1, number)
        unread = Unread(place, b"p-1", "default", "Not JSON.", value)
        message = dead_letter_message(unread, await reception.sealed(unread))
        await publish(
            kafka, topics.dead_letters, number % 2, message.value, headers=message.headers
        )
    await publish(
        kafka, topics.dead_letters, 0, b"anna@example.org", headers=[("x-anna", b"Anna 1")]
    )
    await publish(kafka, topics.dead_letters, 0, b"s" * 200_000)
    await store.close()
    letters = DeadLetters(kafka, topics.dead_letters, vault, {})
    first = await letters.page(3, None)
    assert first.total == 7
    assert [letter.payload_state for letter in first.letters] == [
        "too_large",
        "unopenable",
        "masked",
    ]
    strange = first.letters[1]
    assert dict(strange.headers) == {"x-xxxx": "Xxxx 0".lower()}
    last = first.letters[2]
    assert last.payload == '{"profile_id": "xxxx-0", "name": "xxxx xxxxx"'
    assert last.headers["ledger_reason"] == "Not JSON."
    assert last.headers["ledger_offset"] == "4"
    rest = await letters.page(50, first.rest)
    assert [letter.headers["ledger_offset"] for letter in rest.letters] == ["3", "2", "1", "0"]
    assert rest.rest is None
    assert "nna" not in repr((first, rest)).replace("Unknown", "")


async def test_an_erased_letter_can_be_opened_by_nobody(
    database_url: str, pool: "asyncpg.Pool[Any]", vault: Vault, kafka: str
) -> None:
    topics = await topics_of(kafka)
    sealed = await vault.sealed("p-1", {"value": "eA=="})
    await publish(kafka, topics.dead_letters, 0, sealed.text.encode())
    await vault.keys.destroy([sealed.key.key_id])
    (letter,) = (await DeadLetters(kafka, topics.dead_letters, vault, {}).page(5, None)).letters
    assert (letter.payload, letter.payload_state) == (None, "erased")


async def test_many_looks_at_a_time_ask_kafka_once(pool: "asyncpg.Pool[Any]", vault: Vault) -> None:
    asking = looking(pool, vault, "127.0.0.1:1")
    began = time.monotonic()
    reports = await asyncio.gather(*(asking.look() for _ in range(5)))
    assert time.monotonic() >= began
    assert len({id(report.kafka) for report in reports}) == 1
