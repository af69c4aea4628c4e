"""What the console works with, put together by the composition root."""

import asyncio
from collections import Counter
from dataclasses import dataclass, field

from starlette.requests import Request
from starlette.types import ASGIApp

from api.services import Services


@dataclass(frozen=True, slots=True)
class ConsoleServices:
    """Everything behind the pages."""

    api: ASGIApp
    """The ledger's HTTP API, asked in the process."""
    ledger: Services
    """Behind it; the console uses who may sign in, and the settings to write amounts by."""
    ending: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when the process is to stop: no page is kept live any longer."""
    live: Counter[str] = field(default_factory=Counter)
    """How many pages are kept live for whom."""


def services_of(request: Request) -> ConsoleServices:
    """The services of the application a request came to."""
    services: ConsoleServices = request.app.state.services
    return services
