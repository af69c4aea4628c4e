"""What /readyz tells: each dependency as it is now, and how far the read side lags.

Commands need PostgreSQL and nothing else. Kafka, the relay and lag only make it `degraded`.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import asyncpg

from api.health import Component, HealthReport
from app.kafka_access import FAULTS as KAFKA_FAULTS
from app.kafka_access import brokers_alive
from ledger.event_store.faults import FAULTS, meaning

QUESTION_SECONDS_MAX = 2.0
KAFKA_SECONDS_MAX = 5.0
KAFKA_BELIEVED_SECONDS = 3.0
"""So long an answer about Kafka is given again: asking opens connections."""

# One statement, so that all positions are of the same instant.
_LAG = """
WITH head AS (SELECT coalesce(max(position), 0) AS position FROM ledger.events),
     published AS (
       SELECT coalesce(max(published_position), 0) AS position
       FROM ledger.relay_checkpoint WHERE relay = $1),
     folded AS (
       SELECT coalesce(min(newest), 0) AS position FROM (
         SELECT max(position) AS newest FROM projections.checkpoints GROUP BY projection, version
       ) each)
SELECT head.position - behind.position AS events,
  coalesce(extract(epoch FROM clock_timestamp() - (
    SELECT recorded_at FROM ledger.events WHERE position = behind.position + 1)), 0) AS seconds
FROM head, published, folded,
  LATERAL (VALUES (1, published.position), (2, least(published.position, folded.position)))
    AS behind(nth, position)
ORDER BY behind.nth"""


@dataclass(frozen=True, slots=True)
class Lag:
    """So many events wait, the oldest for so long."""

    events: int
    seconds: float


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
        (postgres, lag), kafka = await asyncio.gather(self._ask_postgres(), self._ask_kafka())
        components = [postgres, *self._own_parts(), *([kafka] if kafka else [])]
        if lag is None:
            return HealthReport(tuple(components))
        unpublished, unfolded = lag
        components.append(self._behind("relay", unpublished, "published"))
        components.append(self._behind("read models", unfolded, "folded"))
        return HealthReport(tuple(components), unfolded.events, unfolded.seconds)

    async def _ask_postgres(self) -> tuple[Component, tuple[Lag, Lag] | None]:
        try:
            async with asyncio.timeout(QUESTION_SECONDS_MAX):
                rows = await self._pool.fetch(_LAG, self._asked.relay, timeout=QUESTION_SECONDS_MAX)
        except FAULTS as error:
            reason = (
                f"no answer within {QUESTION_SECONDS_MAX:.0f} s"
                if isinstance(error, TimeoutError)
                else str(meaning(error))
            )
            return Component("postgresql", False, reason, required=True), None
        unpublished, unfolded = (
            Lag(int(row["events"]), max(0.0, float(row["seconds"]))) for row in rows
        )
        answers = Component("postgresql", True, "answers", required=True)
        return answers, (unpublished, unfolded)

    def _behind(self, name: str, lag: Lag, done: str) -> Component:
        detail = (
            f"{lag.events} events are not {done} yet, the oldest for {lag.seconds:.1f} s"
            if lag.events
            else f"everything is {done}"
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
