"""The servers a command works with: those the settings name, else our own in the data directory."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import structlog
from pydantic import SecretStr

from app.embedded import EmbeddedServerError, EmbeddedServers
from app.embedded.holding import Hold
from app.running import Part, pause
from app.settings import Settings

LOOK_SECONDS = 0.5
RETRY_SECONDS = 5.0
STOP_SECONDS_MAX = 60.0

Told = Callable[[str], None]

log = structlog.get_logger("servers")


class NoLedger(Exception):
    """There is nothing to look at; the message says where one was looked for."""


@contextmanager
def servers_for(
    settings: Settings, told: Told, *, kafka: bool = True
) -> Iterator[tuple[Settings, EmbeddedServers | None]]:
    """The settings with every address filled in, and our own servers if some were needed.

    They run, or are shared with the process that runs them, until this ends.
    """
    own_postgres = settings.database_url is None
    own_kafka = kafka and settings.kafka_bootstrap_servers is None
    if not (own_postgres or own_kafka):
        yield settings, None
        return
    embedded = EmbeddedServers(
        settings.data_dir,
        progress=told,
        postgres=own_postgres,
        kafka=own_kafka,
        postgres_port=settings.postgres_port,
        kafka_port=settings.kafka_port,
        postgres_bin=settings.postgres_bin,
        cache_dir=settings.cache_dir,
        maven_mirror=settings.maven_mirror,
    )
    with embedded:
        yield _completed(settings, embedded), embedded


@contextmanager
def existing_database(settings: Settings, told: Told) -> Iterator[Settings]:
    """The settings with the address of a database that is there already.

    Raises:
        NoLedger: none is named, and the data directory holds none.
    """
    named = settings.database_url is not None
    if not named and not (settings.data_dir / "postgres" / "data").is_dir():
        raise NoLedger(
            f"There is no ledger in {settings.data_dir}. Name its folder (--data-dir), or its"
            " database (LEDGER_DATABASE_URL), or make one with `ledger up`."
        )
    with servers_for(settings, told, kafka=False) as (complete, _):
        yield complete


@contextmanager
def servers_if_running(settings: Settings, told: Told) -> Iterator[Settings]:
    """The settings, completed from servers of ours that another process runs there already."""
    complete = settings.database_url is not None and settings.kafka_bootstrap_servers is not None
    holder = None if complete else Hold(settings.data_dir.absolute()).holder()
    if holder is None or not holder.alive:
        yield settings
        return
    with servers_for(settings, told) as (completed, _):
        yield completed


def mending(embedded: EmbeddedServers) -> Part:
    """A server of ours that dies comes back at the same address; everybody else just waits."""
    stopping = asyncio.Event()

    async def run() -> None:
        while not stopping.is_set():
            try:
                for name in await asyncio.to_thread(embedded.mend):
                    log.warning("server_restarted", server=name)
                await pause(stopping, LOOK_SECONDS)
            except EmbeddedServerError as error:
                log.warning("server_not_restarted", reason=error.message)
                await pause(stopping, RETRY_SECONDS)

    async def stop() -> None:
        stopping.set()

    return Part("the servers", run, stop, STOP_SECONDS_MAX)


def _completed(settings: Settings, embedded: EmbeddedServers) -> Settings:
    found = embedded.servers
    addresses: dict[str, object] = {}
    if found.database_url:
        addresses["database_url"] = SecretStr(found.database_url)
        addresses["owner_database_url"] = SecretStr(found.owner_database_url)
    if found.kafka_bootstrap_servers:
        addresses["kafka_bootstrap_servers"] = found.kafka_bootstrap_servers
    return settings.model_copy(update=addresses)
