"""The expiry worker: writes down what time alone has done to quiet accounts.

A balance is right without it, since every read and decision looks at the clock; what it adds are
the facts in the log. It sweeps the due profiles page by page, by name: a page whose facts the read
model has not seen yet, or that fails, never keeps the sweep from those behind it.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import structlog
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type
from tenacity.wait import wait_exponential_jitter

from ledger.event_store.port import EventStoreUnavailable
from ledger.submission import Accepted, Answer, OutcomeUnknown, Overloaded, Submission, Unavailable
from schemas.rewards import RecordDueFacts

CLIENT = "expiry-worker"
PROFILES_MAX = 100
"""A page, and so the most commands of one worker that wait at once."""

_LATER = (EventStoreUnavailable, Overloaded, OutcomeUnknown, Unavailable)
"""Faults that pass: the same profiles again, after a pause."""


class Commands(Protocol):
    """What the worker needs of the committer."""

    async def submit(self, submission: Submission) -> Answer:
        """The answer, after it is durable."""
        ...


class DueProfiles(Protocol):
    """The read model's answer: profiles with something due at `now`, after a name, in order.

    Raises EventStoreUnavailable when the database gives no answer.
    """

    def __call__(self, now: datetime, *, after: str, limit: int) -> Awaitable[Sequence[str]]: ...


@dataclass(frozen=True, slots=True)
class ExpirySettings:
    """Every pause of the loop."""

    poll_seconds: float = 60.0
    retry_seconds_min: float = 0.5
    retry_seconds_max: float = 30.0


class ExpiryWorker:
    """Start `run()` as a task; `stop()` ends it after the page in hand."""

    def __init__(
        self,
        committer: Commands,
        due: DueProfiles,
        *,
        clock: Callable[[], datetime],
        settings: ExpirySettings | None = None,
    ) -> None:
        self._committer = committer
        self._due = due
        self._clock = clock
        self._settings = settings or ExpirySettings()
        self._stopping = asyncio.Event()
        self._log = structlog.get_logger("expiry")
        self.facts_recorded = 0

    async def stop(self) -> None:
        """End `run()` soon. What is already submitted is committed all the same."""
        self._stopping.set()

    async def run(self) -> None:
        """Sweep, wait, sweep again, until `stop()`."""
        while not self._stopping.is_set():
            recorded = await self.sweep()
            if recorded:
                self._log.info("due_facts_recorded", events=recorded)
            await self._pause(self._settings.poll_seconds)

    async def sweep(self) -> int:
        """Go once over everything due; the number of events written."""
        recorded, after = 0, ""
        while not self._stopping.is_set():
            page = await self._retrying(after)
            if page is None:
                break
            profiles, events = page
            recorded += events
            if len(profiles) < PROFILES_MAX:
                break
            after = profiles[-1]
        self.facts_recorded += recorded
        return recorded

    async def _retrying(self, after: str) -> tuple[Sequence[str], int] | None:
        """One page, tried until it succeeds; None when stopped meanwhile."""

        def stopping(_state: RetryCallState) -> bool:
            return self._stopping.is_set()

        def told(state: RetryCallState) -> None:
            error = state.outcome and state.outcome.exception()
            self._log.warning("expiry_waits", error=repr(error), attempt=state.attempt_number)

        try:
            async for attempt in AsyncRetrying(
                retry=retry_if_exception_type(_LATER),
                wait=wait_exponential_jitter(
                    multiplier=self._settings.retry_seconds_min,
                    max=self._settings.retry_seconds_max,
                    jitter=self._settings.retry_seconds_min,
                ),
                stop=stopping,
                sleep=self._pause,
                before_sleep=told,
                reraise=True,
            ):
                with attempt:
                    return await self._page(after)
        except _LATER:
            return None
        return None

    async def _page(self, after: str) -> tuple[Sequence[str], int]:
        profiles = await self._due(self._clock(), after=after, limit=PROFILES_MAX)
        answers = await asyncio.gather(
            *(self._record(profile_id) for profile_id in profiles), return_exceptions=True
        )
        events = 0
        for profile_id, answer in zip(profiles, answers, strict=True):
            if isinstance(answer, _LATER):
                raise answer
            if isinstance(answer, Exception):
                # One account that can't be decided is somebody's work, not the end of all others.
                self._log.warning("expiry_refused", profile_id=profile_id, error=repr(answer))
            elif isinstance(answer, BaseException):
                raise answer
            else:
                events += len(answer.events) if isinstance(answer, Accepted) else 0
        return profiles, events

    async def _record(self, profile_id: str) -> Answer:
        command = RecordDueFacts(profile_id=profile_id)
        return await self._committer.submit(
            Submission(command, client=CLIENT, actor=CLIENT, patient=True)
        )

    async def _pause(self, seconds: float) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), seconds)
