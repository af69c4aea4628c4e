"""Kafka as it is: brokers, our topics, and how far our groups of consumers have read them."""

import asyncio
import re
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any, Final

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from api.operations import Group, GroupPartition, Kafka
from app.kafka_access import FAULTS, REQUEST_MILLISECONDS_MAX
from consumers.intake_broker import GROUP as INTAKE_GROUP
from consumers.intake_broker import dead_letter_topic, topics_pattern
from consumers.projector_broker import group_of
from projections.read_models import ALL

PROJECTOR: Final = "projector"
INTAKE: Final = "intake"
TOPICS_MAX: Final = 100
"""Each other source has a topic of its own; more of them are not looked at one by one."""

log = structlog.get_logger("operations")


@dataclass(frozen=True, slots=True)
class Topics:
    """The topics of one deployment."""

    events: str
    commands: str
    outcomes: str

    @property
    def dead_letters(self) -> str:
        """Where records go that nobody could read."""
        return dead_letter_topic(self.commands)


async def look_at_kafka(
    servers: str,
    topics: Topics,
    checkpoints: Mapping[int, int] | None,
    security: dict[str, Any],
) -> Kafka:
    """Ask the cluster; raises one of FAULTS when it does not answer.

    `checkpoints` has for each partition of the events the next offset of the read model furthest
    behind: the projector keeps them itself, and gives Kafka no more than a hint now and then.
    None is not known.
    """
    async with _admin(servers, security) as admin, asking_consumer(servers, security) as consumer:
        cluster, numbers = await asyncio.gather(
            admin.describe_cluster(), _partitions(admin, topics)
        )
        commands = [name for name in numbers if re.match(topics_pattern(topics.commands), name)]
        read = [topics.events, *commands, topics.dead_letters]
        places = [TopicPartition(name, n) for name in read for n in range(numbers.get(name, 0))]
        ends = await consumer.end_offsets(places) if places else {}
        begins = await consumer.beginning_offsets(places) if places else {}
        committed, described = await _groups(admin)
    # Who has read nothing yet begins with the first record there is.
    projected = None
    if checkpoints is not None:
        projected = begins | {TopicPartition(topics.events, n): o for n, o in checkpoints.items()}
    taken = None if committed is None else begins | committed
    groups = [
        _group(group_of(ALL), PROJECTOR, described, _of(places, [topics.events]), projected, ends),
        _group(INTAKE_GROUP, INTAKE, described, _of(places, commands), taken, ends),
    ]
    letters = _of(places, [topics.dead_letters])
    return Kafka(
        servers,
        sorted(f"{broker['host']}:{broker['port']}" for broker in cluster["brokers"]),
        numbers,
        groups,
        sum(ends[place] - begins[place] for place in letters),
    )


async def partitions_of(servers: str, topic: str, security: dict[str, Any]) -> int:
    """How many partitions a topic has; none where there is no such topic."""
    async with _admin(servers, security) as admin:
        if topic not in await admin.list_topics():
            return 0
        (described,) = await admin.describe_topics([topic])
        return len(described["partitions"])


async def _partitions(admin: Any, topics: Topics) -> dict[str, int]:
    """How many partitions each of our topics has, as far as they are there."""
    pattern = re.compile(topics_pattern(topics.commands))
    ours = {topics.events, topics.outcomes, topics.dead_letters}
    names = sorted(n for n in await admin.list_topics() if n in ours or pattern.match(n))
    described = await admin.describe_topics(names[:TOPICS_MAX]) if names else []
    return {each["topic"]: len(each["partitions"]) for each in described}


_Committed = dict[TopicPartition, int]
_Described = dict[str, tuple[str, int]]


async def _groups(admin: Any) -> tuple[_Committed | None, _Described]:
    """How far the intake has committed; the state of each group, and how many are in it.

    Where it is not known, nothing is made up.
    """
    try:
        intake = await admin.list_consumer_group_offsets(INTAKE_GROUP)
        # One at a time: the client misreads an answer about several.
        answers = [
            *await admin.describe_consumer_groups([group_of(ALL)]),
            *await admin.describe_consumer_groups([INTAKE_GROUP]),
        ]
    except KafkaError as error:
        # A cluster that has never had a group has nobody to ask yet. The rest is told all the same.
        log.warning("groups_unknown", error=repr(error))
        return None, {}
    groups = (group for answer in answers for group in answer.to_object()["groups"])
    committed = {place: found.offset for place, found in intake.items() if found.offset >= 0}
    return committed, {group["group"]: (group["state"], len(group["members"])) for group in groups}


def _of(places: Iterable[TopicPartition], names: Sequence[str]) -> list[TopicPartition]:
    return [place for place in places if place.topic in names]


def _group(  # noqa: PLR0913, PLR0917 - what was asked of each
    name: str,
    reads_for: str,
    described: Mapping[str, tuple[str, int]],
    places: Sequence[TopicPartition],
    at: Mapping[TopicPartition, int] | None,
    ends: Mapping[TopicPartition, int],
) -> Group:
    state, members = described.get(name, ("", 0))
    partitions = [GroupPartition(p.topic, p.partition, (at or {}).get(p), ends[p]) for p in places]
    return Group(name, reads_for, state or "Unknown", members, partitions)


@asynccontextmanager
async def _admin(servers: str, security: dict[str, Any]) -> AsyncIterator[Any]:
    admin = AIOKafkaAdminClient(
        bootstrap_servers=servers, request_timeout_ms=REQUEST_MILLISECONDS_MAX, **security
    )
    try:
        await admin.start()
        yield admin
    finally:
        await admin.close()


@asynccontextmanager
async def asking_consumer(servers: str, security: dict[str, Any]) -> AsyncIterator[Any]:
    """A consumer of no group, which commits nothing and creates no topic."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=servers,
        group_id=None,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        request_timeout_ms=REQUEST_MILLISECONDS_MAX,
        **security,
    )
    try:
        await consumer.start()
        # What it has started begins to run: before that it can't be stopped.
        await asyncio.sleep(0)
        yield consumer
    finally:
        with suppress(*FAULTS):
            await consumer.stop()
