"""The topics, made or checked before anything is published or read.

Kafka may be away when a process starts, and that must not keep the API from its work: the parts
that need a topic wait for it here, while the others run.
"""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial

import structlog

from app.kafka_access import FAULTS, security_of
from app.running import Part, pause
from app.settings import Settings
from consumers.intake_broker import dead_letter_topic
from consumers.topics import EventsTopic, create_missing, ensure_topic

RETRY_SECONDS_MIN = 0.2
RETRY_SECONDS_MAX = 5.0


def events_topic(settings: Settings, bootstrap_servers: str) -> "TopicKeeper":
    """The keeper of the events' topic."""
    topic = EventsTopic(settings.events_topic, settings.partitions, settings.replication_factor)
    ensure = partial(ensure_topic, bootstrap_servers, topic, **security_of(settings))
    return TopicKeeper("the topic", ensure, bootstrap_servers)


def command_topics(settings: Settings, bootstrap_servers: str) -> "TopicKeeper":
    """The keeper of the topics that commands come by, and what became of them goes to."""
    names = (
        settings.commands_topic,
        settings.outcomes_topic,
        dead_letter_topic(settings.commands_topic),
    )
    topics = [EventsTopic(name, settings.partitions, settings.replication_factor) for name in names]
    ensure = partial(create_missing, bootstrap_servers, topics, **security_of(settings))
    return TopicKeeper("the topics of commands", ensure, bootstrap_servers)


class TopicKeeper:
    """Tries until its topics are there, as they have to be."""

    def __init__(
        self, name: str, ensure: Callable[[], Awaitable[None]], bootstrap_servers: str
    ) -> None:
        self.name = name
        self._ensure = ensure
        self._bootstrap_servers = bootstrap_servers
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
        return Part(self.name, self.run, self.stop)

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
                await self._ensure()
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
