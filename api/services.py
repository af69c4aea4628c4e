"""What the routes work with, put together by the composition root."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import asyncpg
from fastapi import Request

from api.health import HealthReport
from api.programme import CurrentSettings
from api.tokens import Tokens
from ledger.committer import Committer
from ledger.decider import ProgrammeSettings
from ledger.event_store.port import EventStore
from ledger.personal.vault import Vault
from projections.reading import FreshReads


@dataclass(frozen=True, slots=True)
class Services:
    """Everything behind the routes."""

    committer: Committer
    store: EventStore
    reads: FreshReads
    pool: "asyncpg.Pool[Any]"
    tokens: Tokens
    health: Callable[[], Awaitable[HealthReport]]
    clock: Callable[[], datetime]
    programme: CurrentSettings
    vault: Vault

    @property
    def settings(self) -> ProgrammeSettings:
        """The programme's settings, as far as this process knows them."""
        return self.programme.settings


def services_of(request: Request) -> Services:
    """The services of the app a request came to."""
    services: Services = request.app.state.services
    return services
