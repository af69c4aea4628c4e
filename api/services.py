"""What the routes work with, put together by the composition root."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Protocol

import asyncpg
from fastapi import Request

from api.health import HealthReport
from api.operations import Operations
from api.programme import CurrentSettings
from api.sessions import Sessions
from api.tokens import Tokens
from api.users import Users
from ledger.committer import Committer
from ledger.decider import ProgrammeSettings
from ledger.event_store.port import EventStore
from ledger.imports.kept import KeptImports
from ledger.personal.vault import Vault
from projections.reading import FreshReads


class CommandQueue(Protocol):
    """Where commands wait that are answered before they are decided."""

    async def put(  # noqa: PLR0913 - the attributes of a CloudEvent
        self,
        *,
        key: str | None,
        id: str,  # noqa: A002 - as CloudEvents call it
        source: str,
        type: str,  # noqa: A002
        time: datetime,
        content: bytes,
        personal: str | None,
    ) -> None:
        """Return when it is safe from any crash. Commands of one `key` keep their order.

        Raises:
            ConnectionError: the queue can't be reached, or gave no answer; it may be queued.
        """
        ...


class Imports(Protocol):
    """Who carries out imports."""

    kept: KeptImports

    def wake(self) -> None:
        """Something has come; sparing it the wait for the next look."""
        ...


@dataclass(frozen=True, slots=True)
class Services:
    """Everything behind the routes."""

    committer: Committer
    store: EventStore
    reads: FreshReads
    pool: "asyncpg.Pool[Any]"
    tokens: Tokens
    users: Users
    sessions: Sessions
    health: Callable[[], Awaitable[HealthReport]]
    clock: Callable[[], datetime]
    programme: CurrentSettings
    vault: Vault
    imports: Imports
    operations: Operations
    queue: CommandQueue | None = None
    """None where no Kafka is configured."""

    @property
    def settings(self) -> ProgrammeSettings:
        """The programme's settings, as far as this process knows them."""
        return self.programme.settings

    def at(self, moment: datetime) -> "Services":
        """The same, as far as they read, at another moment than now."""
        return replace(self, clock=lambda: moment)


def services_of(request: Request) -> Services:
    """The services of the app a request came to."""
    services: Services = request.app.state.services
    return services
