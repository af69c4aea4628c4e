"""`ledger up`: everything, on servers of our own where none are named.

Two processes: one answers, the other carries events on.
"""

import asyncio
import os
import signal
import socket
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from api.tokens import ALL, Tokens
from app.data_dir import keep_token, kept_token
from app.http_server import PortTaken, listen
from app.own_servers import Told, mending, servers_for
from app.prepare import prepare, until_reachable
from app.read_side import read_side
from app.service import Plan, Running, serve
from app.settings import Settings

OWN_CLIENT = "ledger-up"


@dataclass(frozen=True)
class Ready:
    """What a script or a person needs to know once everything works."""

    url: str
    token: str
    database_url: str
    kafka_bootstrap_servers: str
    pid: int


OnReady = Callable[[Ready, Running, Settings], Awaitable[None]]


def run_up(
    settings: Settings,
    told: Told,
    on_ready: OnReady,
    at_rest: Callable[[Settings], None] = lambda _: None,
) -> None:
    """Start servers and roles, call `on_ready`, stay until asked to stop; then stop everything.

    `at_rest` comes before the roles: the database is ready, and nobody works on it yet.

    Raises:
        EmbeddedServerError, NotPrepared, PortTaken, PartFailed, EventStoreBroken: it can't run.
    """
    # Before the event loop takes over, a plain kill is the same as Ctrl-C.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    listening = _listen(settings, told)
    try:
        with servers_for(settings, told) as (complete, embedded):
            told("Database: preparing")
            asyncio.run(_prepared(complete, told))
            at_rest(complete)

            async def ready(running: Running) -> None:
                await on_ready(await _described(complete, running), running, complete)

            told("Service: starting")
            beside = [read_side(complete)]
            if embedded:
                beside.append(mending(embedded))
            serve(Plan(complete, ("api", "expiry", "intake"), told, ready, beside, listening))
    finally:
        listening.close()


async def _prepared(settings: Settings, told: Told) -> None:
    assert settings.database_url is not None
    application = settings.database_url.get_secret_value()
    owner = (settings.owner_database_url or settings.database_url).get_secret_value()
    await until_reachable(owner, told)
    await prepare(owner, application)


def _listen(settings: Settings, told: Told) -> socket.socket:
    """The port that was asked for; another only where none was."""
    try:
        return listen(settings.host, settings.port)
    except PortTaken:
        if "port" in settings.model_fields_set:
            raise
        listening = listen(settings.host, 0)
        taken, free = settings.port, listening.getsockname()[1]
        told(f"Port {taken} is taken by another program: using {free}")
        return listening


async def _described(settings: Settings, running: Running) -> Ready:
    assert settings.database_url is not None
    assert settings.kafka_bootstrap_servers is not None
    assert running.url is not None
    return Ready(
        url=running.url,
        token=await _token(settings, running),
        database_url=settings.database_url.get_secret_value(),
        kafka_bootstrap_servers=settings.kafka_bootstrap_servers,
        pid=os.getpid(),
    )


async def _token(settings: Settings, running: Running) -> str:
    """The token of the last start if it still opens everything, else a new one."""
    tokens = Tokens(running.stores.pool)
    kept = kept_token(settings.data_dir)
    if kept is not None:
        caller = await tokens.caller(kept)
        if caller is not None and ALL in caller.scopes:
            return kept
    token = await tokens.create(OWN_CLIENT, [ALL], "ledger up")
    keep_token(settings.data_dir, token)
    return token
