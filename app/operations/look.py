"""All parts asked at once. What gives no answer in time says so, and keeps nothing else back."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, TypeVar

import asyncpg

from api.operations import Asked, Kafka, Letters, Report
from app.kafka_access import FAULTS as KAFKA_FAULTS
from app.operations import database
from app.operations.dead_letters import DeadLetters
from app.operations.kafka import Topics, look_at_kafka
from app.operations.rates import Rates
from ledger.event_store.faults import FAULTS, meaning
from ledger.personal.vault import Vault

QUESTION_SECONDS_MAX: Final = 2.0
KAFKA_SECONDS_MAX: Final = 5.0
BELIEVED_SECONDS: Final = 2.0
"""So long an answer about Kafka is given again: asking opens connections."""

Part = TypeVar("Part")


@dataclass(frozen=True, slots=True)
class Place:
    """Where the parts of one deployment are."""

    relay: str
    version: str
    kafka_bootstrap_servers: str | None
    topics: Topics
    security: dict[str, Any]


class Looking:
    """The operations of one process. It remembers its last look, for the rates."""

    def __init__(
        self,
        pool: "asyncpg.Pool[Any]",
        vault: Vault,
        place: Place,
        clock: Callable[[], datetime],
    ) -> None:
        self._pool = pool
        self._place = place
        self._clock = clock
        self._rates = Rates()
        self._kafka: tuple[Asked[Kafka], float] | None = None
        self._asking_kafka = asyncio.Lock()
        self._letters: DeadLetters | None = None
        if place.kafka_bootstrap_servers is not None:
            topic = place.topics.dead_letters
            self._letters = DeadLetters(place.kafka_bootstrap_servers, topic, vault, place.security)

    async def look(self) -> Report:
        """The report. Never raises: what can't be asked is told as that."""
        pool, place = self._pool, self._place
        told, log, read_side, relay, programs, kafka = await asyncio.gather(
            _asked(database.database(pool)),
            _asked(database.log_head(pool)),
            _asked(database.read_side(pool, self._rates)),
            _asked(database.relay_state(pool, place.relay)),
            _asked(database.programs(pool)),
            self._ask_kafka(),
        )
        now, version = self._clock(), place.version
        return Report(now, version, told, log, read_side, relay, programs, kafka)

    async def dead_letters(self, size: int, rest: Mapping[int, int] | None) -> Letters:
        """A page of dead letters.

        Raises:
            ConnectionError: Kafka can't be reached, or none is configured.
        """
        if self._letters is None:
            raise ConnectionError("no Kafka is configured")
        return await self._letters.page(size, rest)

    async def _ask_kafka(self) -> Asked[Kafka] | None:
        servers = self._place.kafka_bootstrap_servers
        if servers is None:
            return None
        async with self._asking_kafka:
            if self._kafka and time.monotonic() - self._kafka[1] < BELIEVED_SECONDS:
                return self._kafka[0]
            asked = await self._kafka_now(servers)
            self._kafka = (asked, time.monotonic())
            return asked

    async def _kafka_now(self, servers: str) -> Asked[Kafka]:
        topics = self._place.topics
        offsets = await _asked(database.checkpoints(self._pool, topics.events))
        try:
            async with asyncio.timeout(KAFKA_SECONDS_MAX):
                found = await look_at_kafka(servers, topics, offsets.told, self._place.security)
        except KAFKA_FAULTS as error:
            reason = str(error) or type(error).__name__
            return Asked(None, f"{servers} does not answer: {reason}")
        return Asked(found)


async def _asked(question: Awaitable[Part]) -> Asked[Part]:
    try:
        async with asyncio.timeout(QUESTION_SECONDS_MAX):
            return Asked(await question)
    except FAULTS as error:
        if isinstance(error, TimeoutError):
            return Asked(None, f"no answer within {QUESTION_SECONDS_MAX:.0f} s")
        return Asked(None, str(meaning(error)))
