"""Reading the topic of dead letters, the newest first, and showing of each what may be shown."""

import asyncio
import base64
import binascii
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from heapq import merge
from typing import Any, Final

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from api.operations import Letter, Letters
from app.kafka_access import FAULTS
from app.operations.kafka import asking_consumer, partitions_of
from app.operations.masking import masked
from ledger.personal.sealing import Unopenable
from ledger.personal.vault import Vault

ANSWER_SECONDS_MAX: Final = 8.0
VALUE_BYTES_MAX: Final = 128 * 1024
"""A larger one is told of, and not shown: a page of them has to fit into memory."""
_POLL_MILLISECONDS: Final = 200
_OURS: Final = frozenset(
    {
        "ledger_reason",
        "ledger_topic",
        "ledger_partition",
        "ledger_offset",
        "ledger_source",
        "content-type",
    }
)
"""Headers the intake writes; it never puts into them what was sent."""
_HEADERS_MAX: Final = 32


@dataclass(frozen=True, slots=True)
class _Page:
    """What lies before `ends`, as far as a page may need it."""

    records: Mapping[int, Sequence[ConsumerRecord]]
    begins: Mapping[int, int]
    ends: Mapping[int, int]
    total: int


class DeadLetters:
    """The topic of one deployment. Connects for each question; operators ask now and then."""

    def __init__(self, servers: str, topic: str, vault: Vault, security: dict[str, Any]) -> None:
        """`security` goes to the client as it is."""
        self._servers = servers
        self._topic = topic
        self._vault = vault
        self._security = security

    async def page(self, size: int, rest: Mapping[int, int] | None) -> Letters:
        """The newest letters, or the newest of those that lie before `rest`.

        Raises:
            ConnectionError: Kafka gave no answer in time.
        """
        try:
            async with asyncio.timeout(ANSWER_SECONDS_MAX):
                count = await partitions_of(self._servers, self._topic, self._security)
                async with asking_consumer(self._servers, self._security) as consumer:
                    read = await self._read(consumer, range(count), size, rest)
        except FAULTS as error:
            raise ConnectionError(str(error) or type(error).__name__) from error
        newest = _newest_first(read.records)[:size]
        ends = dict(read.ends)
        for record in newest:
            ends[record.partition] = min(record.offset, ends[record.partition])
        is_more = any(end > read.begins[partition] for partition, end in ends.items())
        letters = [await self._letter(record) for record in newest]
        return Letters(letters, read.total, ends if is_more and newest else None)

    async def _read(
        self,
        consumer: AIOKafkaConsumer,
        numbers: Iterable[int],
        size: int,
        rest: Mapping[int, int] | None,
    ) -> _Page:
        places = [TopicPartition(self._topic, number) for number in numbers]
        if not places:
            return _Page({}, {}, {}, 0)
        begins = await consumer.beginning_offsets(places)
        last = await consumer.end_offsets(places)
        ends = {
            place: last[place] if rest is None else min(rest.get(place.partition, 0), last[place])
            for place in places
        }
        wanted = {place: end for place, end in ends.items() if end > begins[place]}
        found: dict[TopicPartition, list[ConsumerRecord]] = {place: [] for place in wanted}
        consumer.assign(list(wanted))
        for place, end in wanted.items():
            consumer.seek(place, max(begins[place], end - size))
        while wanted:
            batch = await consumer.getmany(*wanted, timeout_ms=_POLL_MILLISECONDS)
            for place, records in batch.items():
                found[place] += [r for r in records if r.offset < ends[place]]
            for place in list(wanted):
                if await consumer.position(place) >= ends[place]:
                    consumer.pause(place)
                    del wanted[place]
        return _Page(
            {place.partition: records for place, records in found.items()},
            {place.partition: begin for place, begin in begins.items()},
            {place.partition: max(end, begins[place]) for place, end in ends.items()},
            sum(last[place] - begins[place] for place in places),
        )

    async def _letter(self, record: ConsumerRecord) -> Letter:
        value = record.value or b""
        payload, state = None, "too_large"
        if len(value) <= VALUE_BYTES_MAX:
            payload, state = await self._payload(value)
        return Letter(
            record.partition,
            record.offset,
            datetime.fromtimestamp(max(0, record.timestamp) / 1000, UTC),
            None if record.key is None else _shape(record.key),
            dict(_headers(record)),
            len(value),
            payload,
            state,
        )

    async def _payload(self, value: bytes) -> tuple[str | None, str]:
        """The shape of what was sent, as far as its key still opens it."""
        sealed = value.decode(errors="replace")
        try:
            opened = (await self._vault.opened([sealed]))[sealed]
            if opened is None:
                return None, "erased"
            return _shape(base64.b64decode(opened["value"])), "masked"
        except (Unopenable, KeyError, TypeError, binascii.Error):
            return None, "unopenable"


def _newest_first(records: Mapping[int, Sequence[ConsumerRecord]]) -> list[ConsumerRecord]:
    """By time across the partitions; in each, whatever clocks say, in its order."""
    backwards = (reversed(each) for each in records.values())
    return list(merge(*backwards, key=lambda record: -record.timestamp))


def _headers(record: ConsumerRecord) -> Iterator[tuple[str, str]]:
    for name, value in record.headers[:_HEADERS_MAX]:
        text = (value or b"").decode(errors="replace")
        yield (name, text) if name in _OURS else (masked(name), masked(text))


def _shape(content: bytes) -> str:
    return masked(content.decode(errors="replace"))
