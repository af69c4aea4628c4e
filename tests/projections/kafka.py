"""A log, a topic, a relay and projectors on real servers."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

from consumers.producer import KafkaEventProducer
from consumers.projector import Projector, ProjectorSettings
from consumers.published_position import PostgresPublishedPosition
from consumers.relay import Relay, RelaySettings
from projections.projection import Projection
from tests.projections.conftest import ReadSide

PARTITIONS = 4
SECONDS_MAX = 60.0


@dataclass(frozen=True)
class Street:
    """The way from the log over Kafka to the read models."""

    read_side: ReadSide
    bootstrap_servers: str
    topic: str

    def settings(self, **changes: Any) -> ProjectorSettings:
        fast: dict[str, Any] = {"poll_seconds": 0.01, "retry_seconds_min": 0.02}
        return ProjectorSettings(self.bootstrap_servers, self.topic, **(fast | changes))

    def projector(self, *projections: Projection, **changes: Any) -> Projector:
        return Projector(projections, self.read_side.pool, self.settings(**changes))

    @asynccontextmanager
    async def relay(self) -> AsyncIterator[Relay]:
        checkpoint = PostgresPublishedPosition(self.read_side.url, "events")
        relay = Relay(
            self.read_side.writer.store,
            checkpoint,
            partial(KafkaEventProducer, self.bootstrap_servers, self.topic),
            RelaySettings(partitions=PARTITIONS, source="/ledger/test", cell="cell-1"),
        )
        async with running(relay):
            yield relay

    async def arrived(self, projection: Projection) -> None:
        """Until every stream is folded to its head or parked, or the time is up."""
        async with asyncio.timeout(SECONDS_MAX):
            while await self.behind(projection):
                await asyncio.sleep(0.02)

    async def behind(self, projection: Projection) -> int:
        return int(
            await self.read_side.pool.fetchval(
                "SELECT count(*) FROM (SELECT stream_id, max(stream_version) AS head "
                "FROM ledger.events WHERE starts_with(stream_id, $1) GROUP BY stream_id) e "
                f"LEFT JOIN {projection.streams.fullname} s USING (stream_id) "
                "WHERE coalesce(s.stream_version, 0) < e.head AND s.parked_at_version IS NULL",
                projection.category,
            )
        )


@asynccontextmanager
async def running(process: Any) -> AsyncIterator[None]:
    """Run something with `run()` and `stop()` meanwhile; its errors come out."""
    task = asyncio.create_task(process.run())
    try:
        yield
    finally:
        await process.stop()
        await task


async def until(condition: Any, seconds_max: float = SECONDS_MAX) -> None:
    async with asyncio.timeout(seconds_max):
        while not condition():
            await asyncio.sleep(0.01)
