"""The topic of the events, made or checked before anything is published or read.

Kafka may be away when a process starts, and that must not keep the API from its work: the parts
that need the topic wait for it here, while the others run.
"""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from app.kafka_access import FAULTS, security_of
from app.running import Part, pause
from app.settings import Settings
from consumers.topics import EventsTopic, ensure_topic

RETRY_SECONDS_MIN = 0.2
RETRY_SECONDS_MAX = 5.0


class TopicKeeper:
    """Tries until the topic is there, as it has to be."""

    def __init__(self, settings: Settings, bootstrap_servers: str) -> None:
        self._bootstrap_servers = bootstrap_servers
        self._security = security_of(settings)
        self._topic = EventsTopic(
            settings.events_topic, settings.partitions, settings.replication_factor
        )
        self._ready = asyncio.Event()
        self._stopping = asyncio.Event()
        self._log = structlog.get_logger("topic")

    @property
    def is_ready(self) -> bool:
        """Whether the topic has been seen."""
        return self._ready.is_set()

    async def run(self) -> None:
        """Make or check the topic, then keep still until `stop()`.

        Raises:
            TopicRefused: it is there, but not as configured: publishing would break the order.
        """
        try:
            await self._keep()
        finally:
            # Whoever waits for the topic must not wait for one that never comes.
            self._stopping.set()

    async def stop(self) -> None:
        """End `run()` and everything that waits here."""
        self._stopping.set()

    async def wait(self) -> bool:
        """Wait for the topic; False when the process stops first."""
        waits = [
            asyncio.create_task(self._ready.wait()),
            asyncio.create_task(self._stopping.wait()),
        ]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
        return self._ready.is_set()

    def part_of_its_own(self) -> Part:
        """The part that makes and keeps the topic."""
        return Part("the topic", self.run, self.stop)

    def part(
        self,
        name: str,
        run: Callable[[], Awaitable[None]],
        stop: Callable[[], Awaitable[None]],
        stop_seconds_max: float = 20.0,
    ) -> Part:
        """A part that begins as soon as the topic is there."""
        begun = asyncio.Event()

        async def run_after() -> None:
            if await self.wait():
                begun.set()
                await run()

        async def stop_if_begun() -> None:
            if begun.is_set():
                await stop()

        return Part(name, run_after, stop_if_begun, stop_seconds_max)

    async def _keep(self) -> None:
        seconds = RETRY_SECONDS_MIN
        while not self._stopping.is_set():
            try:
                await ensure_topic(self._bootstrap_servers, self._topic, **self._security)
            except FAULTS as error:
                reason = str(error) or type(error).__name__
                self._log.warning(
                    "waiting_for_kafka", servers=self._bootstrap_servers, reason=reason
                )
                await pause(self._stopping, seconds)
                seconds = min(seconds * 2, RETRY_SECONDS_MAX)
            else:
                self._ready.set()
                await self._stopping.wait()
