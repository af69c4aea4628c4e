"""From the log over a real Kafka into the read models, whatever happens on the way."""

import asyncio
from contextlib import suppress
from dataclasses import replace
from uuid import uuid4

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.errors import KafkaTimeoutError

from consumers.cloudevents import to_record
from consumers.projector import Projector
from consumers.projector_broker import group_of
from consumers.published_position import AnotherIncarnation
from consumers.topics import EventsTopic, ensure_topic
from projections.projection import Projection
from projections.read_models import ALL, balances, journal, redemptions
from projections.reconcile import reconcile
from tests.projections.conftest import ReadSide
from tests.projections.histories import Chance, issued
from tests.projections.kafka import PARTITIONS, Street, running, until


@pytest.fixture
async def street(read_side: ReadSide, kafka: str) -> Street:
    topic = f"test.ledger.events.{uuid4().hex}"
    await ensure_topic(kafka, EventsTopic(topic, PARTITIONS))
    return Street(read_side, kafka, topic)


async def expected_rows(street: Street, projection: Projection) -> list[tuple[object, ...]]:
    """What a fold of the log itself gives."""
    side = street.read_side
    for table in (projection.table, projection.notes, projection.streams):
        await side.pool.execute(f"TRUNCATE {table.fullname}")
    await side.apply(projection, *await side.log())
    return await side.rows(projection)


@pytest.mark.parametrize(
    "projection", [balances.PROJECTION, journal.PROJECTION], ids=lambda each: each.name
)
async def test_what_is_appended_arrives(street: Street, projection: Projection) -> None:
    await street.read_side.writer.append_all(Chance(1, profiles=9).history(600))
    projector = street.projector(projection)
    async with street.relay(), running(projector):
        await street.arrived(projection)
        await street.read_side.writer.append(("account-new", issued("new", 9_001, 100)))
        await street.arrived(projection)
        await until(lambda: projector.lag == 0)
        assert not projector.troubles
        assert projector.position == 601
    rows = await street.read_side.rows(projection)
    assert rows == await expected_rows(street, projection)


async def test_killed_in_the_middle_another_goes_on(street: Street) -> None:
    projection = balances.PROJECTION
    await street.read_side.writer.append_all(Chance(2, profiles=9).history(900))
    async with street.relay():
        for _ in range(3):
            projector = street.projector(projection, batch_records_max=20)
            task = asyncio.create_task(projector.run())
            await until(lambda p=projector: p.position > 0)
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
            assert await street.behind(projection)
        async with running(street.projector(projection)):
            await street.arrived(projection)
    rows = await street.read_side.rows(projection)
    assert rows == await expected_rows(street, projection)


async def test_two_runners_share_the_partitions(street: Street) -> None:
    projection = redemptions.PROJECTION
    async with street.relay(), running(street.projector(projection, batch_records_max=10)):
        await street.read_side.writer.append_all(Chance(3, profiles=9).history(300))
        async with running(street.projector(projection, batch_records_max=10)):
            await street.read_side.writer.append_all(
                [(f"account-late-{n}", issued(f"late-{n}", 5_000 + n, 100)) for n in range(200)]
            )
            await street.arrived(projection)
    rows = await street.read_side.rows(projection)
    assert rows == await expected_rows(street, projection)


async def test_a_strange_record_is_a_dead_letter_and_the_rest_goes_on(street: Street) -> None:
    projection = balances.PROJECTION
    producer = AIOKafkaProducer(bootstrap_servers=street.bootstrap_servers)
    await producer.start()
    for value, headers in (
        (b"\xff not json", [("content-type", b"application/json")]),
        (None, [("ce_id", None)]),
    ):
        await producer.send_and_wait(street.topic, value, b"x", partition=0, headers=headers)
    await producer.stop()
    await street.read_side.writer.append_all(Chance(4, profiles=9).history(100))
    async with street.relay(), running(street.projector(projection)):
        await street.arrived(projection)
    letters = await street.read_side.pool.fetch(
        'SELECT topic, partition, "offset" FROM projections.dead_letters ORDER BY 3'
    )
    assert [tuple(row) for row in letters] == [(street.topic, 0, 0), (street.topic, 0, 1)]


async def test_a_value_postgres_refuses_parks_its_stream_and_the_rest_goes_on(
    street: Street,
) -> None:
    projection, side = balances.PROJECTION, street.read_side
    too_much = [("account-p-7", issued("p-7", n, amount)) for n, amount in ((1, 5), (2, 2**63))]
    others = [(f"account-q-{n}", issued(f"q-{n}", 100 + n, 100)) for n in range(30)]
    await side.writer.append_all([*others[:10], *too_much, *others[10:]])
    projector = street.projector(projection)
    async with street.relay(), running(projector):
        await street.arrived(projection)
        assert not projector.troubles
    assert await side.parked(projection) == {"account-p-7": 2}
    assert [row[1] for row in await side.rows(projection)] == [5, *[100] * 30]


async def test_another_logs_events_stop_it(street: Street) -> None:
    await street.read_side.writer.append(("account-p-1", issued("p-1", 1, 100)))
    (event,) = await street.read_side.log()
    record = to_record(event, source="/x", incarnation=uuid4(), cell="c")
    producer = AIOKafkaProducer(bootstrap_servers=street.bootstrap_servers)
    await producer.start()
    await producer.send_and_wait(
        street.topic, record.value, record.key, partition=0, headers=record.headers
    )
    await producer.stop()
    projector = street.projector(balances.PROJECTION)
    with pytest.raises(AnotherIncarnation):
        await asyncio.wait_for(projector.run(), 30)
    assert await street.read_side.rows(balances.PROJECTION) == []


async def test_a_moved_checkpoint_fences_and_the_projector_reads_it_again(street: Street) -> None:
    projection = balances.PROJECTION
    side = street.read_side
    async with street.relay(), running(street.projector(projection)) as _:
        await side.writer.append_all(Chance(5, profiles=9).history(100))
        await street.arrived(projection)
        # Somebody else has read on, and back: the runner's own idea of it counts no more.
        await side.pool.execute("UPDATE projections.checkpoints SET next_offset = 0")
        await side.writer.append_all(
            [(f"account-late-{n}", issued(f"late-{n}", 5_000 + n, 100)) for n in range(50)]
        )
        await street.arrived(projection)
    rows = await side.rows(projection)
    assert rows == await expected_rows(street, projection)


async def test_a_lost_database_is_waited_for(street: Street) -> None:
    projection = balances.PROJECTION
    side = street.read_side
    projector = street.projector(projection)
    await side.pool.execute("ALTER TABLE projections.balances_v1 RENAME TO away")
    await side.writer.append_all(Chance(6, profiles=9).history(50))
    async with street.relay(), running(projector):
        await until(lambda: projector.troubles)
        await side.pool.execute("ALTER TABLE projections.away RENAME TO balances_v1")
        await street.arrived(projection)
        await until(lambda: not projector.troubles)
    assert await side.rows(projection) == await expected_rows(street, projection)


async def test_a_client_that_finds_no_broker_is_replaced(
    street: Street, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that lost its picture of the cluster would ask in vain for ever."""
    asked, answer = [], AIOKafkaConsumer.end_offsets

    async def lost(consumer: AIOKafkaConsumer, places: object) -> object:
        asked.append(consumer)
        if consumer is asked[0]:
            raise KafkaTimeoutError("no answer")
        return await answer(consumer, places)

    monkeypatch.setattr(AIOKafkaConsumer, "end_offsets", lost)
    projection, side = balances.PROJECTION, street.read_side
    projector = street.projector(projection)
    await side.writer.append_all(Chance(7, profiles=9).history(50))
    async with street.relay(), running(projector):
        await street.arrived(projection)
        await until(lambda: not projector.troubles)
    assert len(set(map(id, asked))) == 2


async def test_one_read_model_that_fails_keeps_none_of_the_others_back(street: Street) -> None:
    side, others = street.read_side, (redemptions.PROJECTION, journal.PROJECTION)
    projector = street.projector(balances.PROJECTION, *others, batch_records_max=20)
    await side.pool.execute("ALTER TABLE projections.balances_v1 RENAME TO away")
    await side.writer.append_all(Chance(9, profiles=9).history(200))
    async with street.relay(), running(projector):
        for other in others:
            await street.arrived(other)
        assert projector.troubles.keys() == {"balances"}
        await side.pool.execute("ALTER TABLE projections.away RENAME TO balances_v1")
        await street.arrived(balances.PROJECTION)
        await until(lambda: projector.lag == 0 and not projector.troubles)
    for projection in (balances.PROJECTION, *others):
        assert await side.rows(projection) == await expected_rows(street, projection)


async def test_a_read_model_that_comes_later_reads_from_the_start_for_itself(
    street: Street,
) -> None:
    side = street.read_side
    await side.writer.append_all(Chance(10, profiles=9).history(100))
    async with street.relay():
        async with running(street.projector(balances.PROJECTION)):
            await street.arrived(balances.PROJECTION)
        async with running(street.projector(balances.PROJECTION, redemptions.PROJECTION)):
            await street.arrived(redemptions.PROJECTION)
            await side.writer.append(("account-p-1", issued("p-1", 9_000, 100)))
            await street.arrived(balances.PROJECTION)
    for projection in (balances.PROJECTION, redemptions.PROJECTION):
        assert await side.rows(projection) == await expected_rows(street, projection)


def test_runners_with_the_same_read_models_share_a_group_and_others_do_not() -> None:
    some, more = (balances.PROJECTION, journal.PROJECTION), ALL
    assert group_of(some) == group_of(reversed(some))
    assert group_of(some) != group_of(more)
    newer = replace(balances.PROJECTION, version=2)
    assert group_of(some) != group_of((newer, journal.PROJECTION))


async def test_the_projector_finds_what_kafka_lost(street: Street) -> None:
    projection, side = balances.PROJECTION, street.read_side
    await side.writer.append_all(Chance(8, profiles=9).history(100))

    async def published() -> int:
        return await side.writer.store.head()

    settings = street.settings(reconcile_seconds=0.05, reconcile_margin_events=0)
    async with running(Projector([projection], side.pool, settings, published)):
        async with street.relay():
            await street.arrived(projection)
        # Nobody publishes this one: it stands for a record that Kafka lost.
        await side.writer.append(("account-p-1", issued("p-1", 9_000, 100)))
        await street.arrived(projection)


@pytest.mark.parametrize("projection", ALL, ids=lambda each: each.name)
async def test_a_lost_last_record_is_found_and_folded(
    read_side: ReadSide, projection: Projection
) -> None:
    await read_side.writer.append_all(Chance(7).history(60))
    log = await read_side.log()
    await read_side.apply(projection, *log[:40])
    before = await reconcile(read_side.pool, projection, up_to_position=40)
    assert before == {}
    repaired = await reconcile(read_side.pool, projection, up_to_position=len(log))
    assert sum(repaired.values()) == (20 if projection.category == "account" else 0)
    assert await reconcile(read_side.pool, projection, up_to_position=len(log)) == {}
