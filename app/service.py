"""One process from start to end: wait for the database, run the roles, stop cleanly."""

import asyncio
import os
import socket
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

import httpx
import structlog
import uvloop

from app.garbage import settle
from app.http_server import listen, url_of
from app.running import Part, pause, run_parts, stop_on_signals
from app.settings import Settings
from app.stores import Stores
from app.wiring import WITH_KAFKA, Role, Wiring
from consumers import closed_connections

READY_POLL_SECONDS = 0.1
BEHIND_THE_TILLS = 15
"""A process that no till waits for lets those go first that one does, on the same machine."""
QUESTION_SECONDS_MAX = 10.0
CAUSE_TOLD_AFTER = 20
"""So many polls of /readyz pass in silence: a start is briefly unready and that is no news."""

log = structlog.get_logger("process")


class Unconfigured(Exception):
    """A role lacks an address; the message names the setting."""


@dataclass(frozen=True)
class Running:
    """A process that works: what comes after the start may use it."""

    stores: Stores
    stopping: asyncio.Event
    url: str | None = None


AfterStart = Callable[[Running], Awaitable[None]]


@dataclass(frozen=True)
class Plan:
    """What one process does."""

    settings: Settings
    roles: Sequence[Role]
    told: Callable[[str], None]
    """Learns what is waited for."""
    after_start: AfterStart | None = None
    """Runs once everything is ready; it may end the process by setting `stopping`."""
    beside: Sequence[Part] = field(default_factory=tuple)
    """Further parts that stop last."""
    listening: socket.socket | None = None
    """Where to serve; None binds what the settings say."""


def serve(plan: Plan) -> None:
    """Run to the end, on the faster event loop.

    Raises:
        Unconfigured, PortTaken, PartFailed, EventStoreBroken: it can't run, or not any more.
    """
    closed_connections.told_as_kafka_errors()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(plan))


async def _serve(plan: Plan) -> None:
    settings = plan.settings
    database_url = required(settings, plan.roles)
    listening = plan.listening
    if "api" in plan.roles and listening is None:
        listening = listen(settings.host, settings.port)
    stopping = asyncio.Event()
    with stop_on_signals(stopping):
        stores = await _unless_stopped(
            stopping,
            Stores.open_when_there(
                database_url, settings.database_connections, plan.told, plan.roles
            ),
        )
        if stores is None:
            return
        try:
            process = await Wiring(settings, database_url, stores, listening).build(plan.roles)
            is_tls = settings.tls_cert_file is not None
            url = url_of(listening, is_tls=is_tls) if listening else None
            running = Running(stores, stopping, url)
            first = Part("what follows the start", lambda: _after_start(plan, running))
            settle()
            if "api" not in plan.roles:
                os.nice(BEHIND_THE_TILLS)
            log.info("started", roles=list(plan.roles), url=url)
            await run_parts([first, *process.parts, *plan.beside], stopping)
            log.info("stopped")
        finally:
            await stores.close()
            if listening:
                listening.close()


def required(settings: Settings, roles: Sequence[Role]) -> str:
    """The database's address, after a look at all that the roles need.

    Raises:
        Unconfigured: something is missing.
    """
    if WITH_KAFKA.intersection(roles) and not settings.kafka_bootstrap_servers:
        raise Unconfigured(
            f"LEDGER_KAFKA_BOOTSTRAP_SERVERS is not set, and {' and '.join(roles)} need Kafka."
            " Set it, or run `ledger up`, which starts a Kafka of its own."
        )
    if settings.database_url is None:
        raise Unconfigured(
            "LEDGER_DATABASE_URL is not set. Set it, or run `ledger up`, which starts a PostgreSQL"
            " of its own."
        )
    return settings.database_url.get_secret_value()


async def _after_start(plan: Plan, running: Running) -> None:
    if plan.after_start is not None:
        url = running.url
        if url is None or await until_ready(url, running.stopping, plan.told):
            await plan.after_start(running)
    await running.stopping.wait()


async def until_ready(url: str, stopping: asyncio.Event, told: Callable[[str], None]) -> bool:
    """Wait until /readyz says ok; False when the process is to stop first."""
    polls = 0
    # It asks itself, by an address that its certificate is not for.
    asking = httpx.AsyncClient(timeout=QUESTION_SECONDS_MAX, trust_env=False, verify=False)  # noqa: S501
    async with asking as client:
        while not stopping.is_set():
            cause = await _cause(client, url)
            if cause is None:
                return True
            polls += 1
            if polls >= CAUSE_TOLD_AFTER:
                told(f"waiting for {cause}")
            await pause(stopping, READY_POLL_SECONDS)
    return False


async def _cause(client: httpx.AsyncClient, url: str) -> str | None:
    try:
        answer = (await client.get(f"{url}/readyz")).json()
    except (httpx.HTTPError, ValueError) as error:
        return f"the API: {error!r}"
    if answer.get("status") == "ok":
        return None
    return "; ".join(answer.get("causes", ())) or "the API to be ready"


async def _unless_stopped(stopping: asyncio.Event, work: Awaitable[Stores]) -> Stores | None:
    """The work's result, or None when the process is asked to stop before it is there."""
    task = asyncio.ensure_future(work)
    asked = asyncio.create_task(stopping.wait())
    await asyncio.wait({task, asked}, return_when=asyncio.FIRST_COMPLETED)
    asked.cancel()
    if not task.done():
        task.cancel()
        await asyncio.wait({task})
        return None
    return task.result()
