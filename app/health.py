"""What /readyz tells: each dependency as it is now, and how far the read side lags.

Commands need PostgreSQL and nothing else. Kafka, the relay and lag only make it `degraded`.
"""

import asyncio
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import asyncpg

from api.health import Component, HealthReport
from api.operations import Lag
from app.kafka_access import FAULTS as KAFKA_FAULTS
from app.kafka_access import brokers_alive
from ledger.event_store.faults import FAULTS, meaning
from projections.progress import progress_of
from projections.projection import Projection
from projections.read_models import ALL

QUESTION_SECONDS_MAX = 2.0
KAFKA_SECONDS_MAX = 5.0
KAFKA_BELIEVED_SECONDS = 3.0
"""So long an answer about Kafka is given again: asking opens connections."""

# How much of the log follows on a position.
_LAG = """
SELECT greatest((SELECT coalesce(max(position), 0) FROM ledger.events) - $1, 0) AS events,
  coalesce(extract(epoch FROM clock_timestamp() - (
    SELECT recorded_at FROM ledger.events WHERE position = $1 + 1)), 0) AS seconds"""

PUBLISHED = """
SELECT coalesce(max(published_position), 0) FROM ledger.relay_checkpoint WHERE relay = $1"""


# Whoever leads holds this lock, in whichever process it is.
_LED = """
SELECT EXISTS (
  SELECT FROM pg_locks, hashtextextended('relay_checkpoint:' || $1, 0) AS key
  WHERE locktype = 'advisory' AND objsubid = 1 AND granted
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
    AND classid = ((key >> 32) & 4294967295)::oid AND objid = (key & 4294967295)::oid)"""

PARKED = " UNION ALL ".join(
    f"SELECT '{projection.name}' AS name, count(*) AS streams FROM {projection.streams.fullname} "  # noqa: S608
    "WHERE parked_at_version IS NOT NULL"
    for projection in ALL
)


@dataclass(frozen=True, slots=True)
class _Answer:
    """What PostgreSQL knows of the others."""

    unpublished: Lag
    unfolded: Lag
    last: Projection
    """The read model that is folded least far."""
    is_led: bool
    parked: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Asked:
    """Where to ask, and what counts as too much lag."""

    relay: str
    lag_events_max: int
    lag_seconds_max: float
    kafka_bootstrap_servers: str | None
    kafka_security: dict[str, Any]


class Health:
    """Asks every dependency at once, each within bounded time."""

    def __init__(
        self,
        pool: "asyncpg.Pool[Any]",
        asked: Asked,
        own_parts: Callable[[], tuple[Component, ...]] = tuple,
    ) -> None:
        """`own_parts` tells what only this process knows of its own parts."""
        self._pool = pool
        self._asked = asked
        self._own_parts = own_parts
        self._kafka: tuple[Component, float] | None = None
        self._asking_kafka = asyncio.Lock()

    async def __call__(self) -> HealthReport:
        """The report. Never raises: what can't be asked is what is wrong."""
        (postgres, found), kafka = await asyncio.gather(self._ask_postgres(), self._ask_kafka())
        components = [postgres, *self._own_parts(), *([kafka] if kafka else [])]
        if found is None:
            return HealthReport(tuple(components))
        relay = self._behind("relay", found.unpublished, "published")
        if not found.is_led:
            relay = Component("relay", False, "no relay is running", required=False)
        models = self._behind("read models", found.unfolded, f"folded into {found.last.name}")
        components += [relay, models, *_parked(found.parked)]
        return HealthReport(tuple(components), found.unfolded.events, found.unfolded.seconds)

    async def _ask_postgres(self) -> tuple[Component, _Answer | None]:
        relay = self._asked.relay
        try:
            async with asyncio.timeout(QUESTION_SECONDS_MAX), self._pool.acquire() as connection:
                unpublished = await lag_after(
                    connection, await connection.fetchval(PUBLISHED, relay)
                )
                # One look each: where there is more to look at, the next question goes on.
                folded = {
                    each: (await progress_of(connection, each, looks_max=1)).position
                    for each in ALL
                }
                last = min(folded, key=lambda each: folded[each])
                unfolded = await lag_after(connection, folded[last])
                is_led = bool(await connection.fetchval(_LED, relay))
                parked = await connection.fetch(PARKED)
        except FAULTS as error:
            reason = (
                f"no answer within {QUESTION_SECONDS_MAX:.0f} s"
                if isinstance(error, TimeoutError)
                else str(meaning(error))
            )
            return Component("postgresql", False, reason, required=True), None
        by_name = {row["name"]: row["streams"] for row in parked if row["streams"]}
        answers = Component("postgresql", True, "answers", required=True)
        return answers, _Answer(unpublished, unfolded, last, is_led, by_name)

    def _behind(self, name: str, lag: Lag, done: str) -> Component:
        detail = (
            f"{lag.events} events of the log follow on what is {done}, the first is "
            f"{lag.seconds:.1f} s old"
            if lag.events
            else "nothing waits"
        )
        asked = self._asked
        ok = lag.events <= asked.lag_events_max and lag.seconds <= asked.lag_seconds_max
        return Component(name, ok, detail, required=False)

    async def _ask_kafka(self) -> Component | None:
        if self._asked.kafka_bootstrap_servers is None:
            return None
        async with self._asking_kafka:
            if self._kafka and time.monotonic() - self._kafka[1] < KAFKA_BELIEVED_SECONDS:
                return self._kafka[0]
            component = await self._kafka_now(self._asked.kafka_bootstrap_servers)
            self._kafka = (component, time.monotonic())
            return component

    async def _kafka_now(self, servers: str) -> Component:
        try:
            async with asyncio.timeout(KAFKA_SECONDS_MAX):
                alive = await brokers_alive(servers, self._asked.kafka_security)
        except KAFKA_FAULTS as error:
            detail = f"{servers} does not answer: {str(error) or type(error).__name__}"
            return Component("kafka", False, detail, required=False)
        return Component("kafka", True, f"{alive} broker(s) at {servers}", required=False)


async def lag_after(connection: Any, position: int) -> Lag:
    """How much of the log follows on a position."""
    row = await connection.fetchrow(_LAG, position)
    return Lag(int(row["events"]), max(0.0, float(row["seconds"])))


def _parked(by_name: Mapping[str, int]) -> Iterator[Component]:
    """Streams whose next event can't be folded: their rows are true as of an earlier one."""
    if by_name:
        listed = ", ".join(f"{name}: {streams}" for name, streams in sorted(by_name.items()))
        yield Component("parked streams", False, listed, required=False)
