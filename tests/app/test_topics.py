"""The topic: waited for in the background, checked, and no part waits for one that never comes."""

import asyncio
from uuid import uuid4

import pytest

from app.running import PartFailed, run_parts
from app.settings import Settings
from app.topics import TopicKeeper, events_topic
from consumers.topics import TopicRefused


def keeper(servers: str, topic: str, partitions: int = 3) -> TopicKeeper:
    settings = Settings(kafka_bootstrap_servers=servers, events_topic=topic, partitions=partitions)
    return events_topic(settings, servers)


async def forever() -> None:
    await asyncio.sleep(3600)


async def test_parts_begin_once_the_topic_is_there(kafka: str) -> None:
    topic = keeper(kafka, f"test.{uuid4().hex}")
    begun, stopping = asyncio.Event(), asyncio.Event()

    async def run() -> None:
        begun.set()
        await stopping.wait()

    async def stop() -> None:
        pass

    parts = [topic.part_of_its_own(), topic.part("reader", run, stop)]
    running = asyncio.create_task(run_parts(parts, stopping))
    await asyncio.wait_for(begun.wait(), 20)
    assert topic.is_ready
    stopping.set()
    await asyncio.wait_for(running, 5)


async def test_a_stop_ends_the_wait_for_a_kafka_that_is_away() -> None:
    topic = keeper("127.0.0.1:1", "t")
    stopping = asyncio.Event()

    async def stop() -> None:
        raise AssertionError("it has not begun")

    parts = [topic.part_of_its_own(), topic.part("reader", forever, stop)]
    running = asyncio.create_task(run_parts(parts, stopping))
    await asyncio.sleep(0.3)
    stopping.set()
    await asyncio.wait_for(running, 5)


async def test_a_topic_that_is_otherwise_ends_the_process_at_once(kafka: str) -> None:
    name = f"test.{uuid4().hex}"
    first = keeper(kafka, name)
    stopping = asyncio.Event()
    making = asyncio.create_task(run_parts([first.part_of_its_own()], stopping))
    await asyncio.wait_for(first.wait(), 20)
    stopping.set()
    await making

    other = keeper(kafka, name, partitions=5)
    parts = [other.part_of_its_own(), other.part("reader", forever, forever)]
    with pytest.raises(PartFailed, match="has 3 partitions, configured are 5") as failed:
        await asyncio.wait_for(run_parts(parts, asyncio.Event()), 15)
    assert isinstance(failed.value.__cause__, TopicRefused)
