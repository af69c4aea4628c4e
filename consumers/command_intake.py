"""The intake: commands from Kafka through the same committer as those over HTTP.

A batch at a time: read, commit, publish the outcomes, and only then move the offsets. Whatever
fails in between is done again from the batch's start, and (source, id) makes a second time a
repeat. Commands of one key go one after the other, in their order; different keys go together.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

import structlog
from aiokafka import ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type
from tenacity.wait import wait_exponential_jitter

from consumers.command_records import Place, Received, Unread, read_record
from consumers.intake_broker import subscribe_to_commands
from consumers.known_commands import NotUnderstood, Read, understood
from consumers.outcomes import (
    Message,
    accepted,
    dead_letter_message,
    outcome_message,
    reference,
    refused,
)
from consumers.raw_records import Limits, Subscription
from ledger.event_store.port import EventStoreUnavailable
from ledger.personal.naming import CHANGE_IDENTITIES
from ledger.rejections import Rejection
from ledger.submission import Answer, OutcomeUnknown, Overloaded, Submission, Unavailable
from schemas.outcomes import CommandAccepted, CommandRefused

STOP_SECONDS_MAX = 15.0
UNPROCESSABLE = 422
_LATER = (EventStoreUnavailable, Overloaded, OutcomeUnknown, Unavailable)
"""Faults that pass: the same command again, under the same key."""

Outcome = CommandAccepted | CommandRefused


class Commands(Protocol):
    """What the intake needs of the committer."""

    async def submit(self, submission: Submission) -> Answer:
        """The answer, after it is durable."""
        ...


class Reception(Protocol):
    """What makes a submission of a command: its fingerprint, and its personal data sealed."""

    async def whole(self, received: Received) -> Received:
        """A command with all its data, where some came sealed."""
        ...

    async def submissions(
        self, arrived: Sequence[tuple[Received, Read]]
    ) -> Sequence[Submission | Rejection]:
        """One each, in order."""
        ...

    async def sealed(self, unread: Unread) -> str:
        """The value of a record nobody could read, for the dead letters."""
        ...


class Publisher(Protocol):
    """Publishes outcomes and dead letters."""

    async def publish(self, outcomes: Sequence[Message], dead_letters: Sequence[Message]) -> None:
        """Return when all of it is acknowledged by all replicas."""
        ...

    async def close(self) -> None:
        """Give up the connection; it may be used again."""
        ...


@dataclass(frozen=True, slots=True)
class IntakeSettings:
    """Where commands come from, and every bound of the loop."""

    bootstrap_servers: str
    topic: str = "ledger.commands"
    source: str = "/ledger"
    security: Any = None
    batch_records_max: int = 1_000
    poll_seconds: float = 0.05
    retry_seconds_min: float = 0.1
    retry_seconds_max: float = 5.0


class CommandIntake:
    """Start `run()` as a task; `stop()` ends it after the batch in hand. Any number share work."""

    def __init__(
        self,
        committer: Commands,
        reception: Reception,
        publisher: Publisher,
        *,
        clock: Callable[[], datetime],
        settings: IntakeSettings,
    ) -> None:
        self._committer = committer
        self._reception = reception
        self._publisher = publisher
        self._clock = clock
        self._settings = settings
        self._subscription: Subscription | None = None
        self._stopping = asyncio.Event()
        self._log = structlog.get_logger("intake")
        self.last_error: str | None = None
        """Why the last attempt failed; None once one succeeded."""

    async def run(self) -> None:
        """Work until `stop()`."""
        try:
            while not self._stopping.is_set():
                if await self._started():
                    await self._stopping.wait()
        finally:
            await self._close()

    async def stop(self) -> None:
        """Let `run()` return; what was not answered is read again by the next one."""
        self._stopping.set()

    async def _started(self) -> bool:
        settings = self._settings
        self._subscription = subscribe_to_commands(
            settings.bootstrap_servers,
            settings.topic,
            self._handle,
            Limits(settings.batch_records_max, settings.poll_seconds, settings.security),
        )
        try:
            await self._subscription.broker.start()
        except Exception as error:
            await self._close()
            self._failed(error)
            await self._pause(settings.retry_seconds_max)
            return False
        return True

    async def _close(self) -> None:
        subscription, self._subscription = self._subscription, None
        if subscription is not None:
            with suppress(KafkaError, OSError, TimeoutError):
                async with asyncio.timeout(STOP_SECONDS_MAX):
                    await subscription.broker.stop()
        await self._publisher.close()

    async def _handle(self, records: Sequence[ConsumerRecord]) -> None:
        """One batch of Kafka. Never raises: the library would go on with the next one."""
        if self._stopping.is_set() or self._subscription is None:
            return
        consumer = self._subscription.consumer
        try:
            await self.take(records)
            await consumer.commit(_ends(records))
        except Exception as error:
            self._failed(error)
            await self._pause(self._settings.retry_seconds_min)
            _seek_back(consumer, records)
        else:
            self.last_error = None

    async def take(self, records: Sequence[ConsumerRecord]) -> None:
        """Commit a batch and publish what became of each."""
        read = [self._read(record) for record in records]
        letters = [each for each in read if isinstance(each, Unread)]
        for letter in letters:
            self._log.warning("not_a_command", reason=letter.reason, **letter.place._asdict())
        outcomes = await self._outcomes([each for each in read if isinstance(each, Received)])
        now = self._clock()
        await self._publisher.publish(
            [outcome_message(of, outcome, self._settings.source, now) for of, outcome in outcomes],
            [dead_letter_message(each, await self._reception.sealed(each)) for each in letters],
        )

    def _read(self, record: ConsumerRecord) -> Received | Unread:
        place = Place(record.topic, record.partition, record.offset)
        return read_record(place, record.key, record.value, record.headers, self._settings.topic)

    async def _outcomes(self, received: Sequence[Received]) -> list[tuple[Received, Outcome]]:
        outcomes: dict[Place, Outcome] = {}
        arrived: list[tuple[Received, Read]] = []
        for each in received:
            try:
                whole = await self._reception.whole(each)
                arrived.append((each, understood(whole, self._clock())))
            except NotUnderstood as wrong:
                outcomes[each.place] = CommandRefused(
                    command=reference(each),
                    code=wrong.code,
                    status=UNPROCESSABLE,
                    detail=wrong.detail,
                    errors=wrong.errors,
                )
        chains: dict[object, list[tuple[Received, Read]]] = defaultdict(list)
        for each, read in arrived:
            chains[each.place if each.key is None else each.key].append((each, read))
        later = {place for chain in chains.values() for place in _told_before(chain)}
        at_once = [told for told in arrived if told[0].place not in later]
        submissions = await self._reception.submissions(at_once)
        ready = {each.place: of for (each, _), of in zip(at_once, submissions, strict=True)}
        for found in await asyncio.gather(
            *(self._one_by_one(chain, ready) for chain in chains.values())
        ):
            outcomes |= found
        return [(each, outcomes[each.place]) for each in received]

    async def _one_by_one(
        self,
        chain: Sequence[tuple[Received, Read]],
        ready: Mapping[Place, Submission | Rejection],
    ) -> dict[Place, Outcome]:
        """The commands of one key: each after the one before it has its answer."""
        outcomes: dict[Place, Outcome] = {}
        for each, read in chain:
            if each.place in ready:
                to_submit = ready[each.place]
            else:
                (to_submit,) = await self._reception.submissions([(each, read)])
            outcomes[each.place] = await self._outcome(each, to_submit)
        return outcomes

    async def _outcome(self, received: Received, to_submit: Submission | Rejection) -> Outcome:
        if isinstance(to_submit, Rejection):
            return refused(received, to_submit)
        try:
            return accepted(received, await self._answered(to_submit))
        except Rejection as rejection:
            return refused(received, rejection)
        except ValueError as error:
            self._log.warning("command_too_large", error=str(error), **received.place._asdict())
            detail = "Send less: the ledger keeps at most 512 KiB for one event."
            return CommandRefused(
                command=reference(received),
                code="command_too_large",
                status=UNPROCESSABLE,
                detail=detail,
            )

    async def _answered(self, submission: Submission) -> Answer:
        """Ask until there is an answer, under the same key."""

        def told(state: RetryCallState) -> None:
            error = state.outcome and state.outcome.exception()
            self._failed(error or TimeoutError())

        async for attempt in AsyncRetrying(
            retry=retry_if_exception_type(_LATER),
            wait=wait_exponential_jitter(
                multiplier=self._settings.retry_seconds_min,
                max=self._settings.retry_seconds_max,
                jitter=self._settings.retry_seconds_min,
            ),
            stop=lambda _: self._stopping.is_set(),
            sleep=self._pause,
            before_sleep=told,
            reraise=True,
        ):
            with attempt:
                return await self._committer.submit(submission)
        raise AssertionError("unreachable")

    def _failed(self, error: BaseException) -> None:
        self.last_error = repr(error)
        self._log.warning("intake_waits", error=self.last_error)

    async def _pause(self, seconds: float) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), seconds)


def _told_before(chain: Sequence[tuple[Received, Read]]) -> Iterator[Place]:
    """Those that name their profile by an identity which one before them may have attached."""
    changed = False
    for each, read in chain:
        if changed and getattr(read.command, "profile_id_handle", None) is not None:
            yield each.place
        changed = changed or isinstance(read.command, CHANGE_IDENTITIES)


def _ends(records: Sequence[ConsumerRecord]) -> dict[TopicPartition, int]:
    ends: dict[TopicPartition, int] = {}
    for record in records:
        place = TopicPartition(record.topic, record.partition)
        ends[place] = max(record.offset + 1, ends.get(place, 0))
    return ends


def _seek_back(consumer: Any, records: Sequence[ConsumerRecord]) -> None:
    """Read the batch again; a partition that is another's by now is its business."""
    first: dict[TopicPartition, int] = {}
    for record in records:
        place = TopicPartition(record.topic, record.partition)
        first[place] = min(record.offset, first.get(place, record.offset))
    for place in consumer.assignment() & set(first):
        consumer.seek(place, first[place])
