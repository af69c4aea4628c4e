"""What the commands about access share: the database, and one pool for as long as it takes."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import asyncpg

from app.cli.console import say, telling
from app.cli.options import settings_for_a_person
from app.own_servers import existing_database
from ledger.event_store.faults import FAULTS, meaning

Result = TypeVar("Result")


def with_pool(
    data_dir: Path | None, work: "Callable[[asyncpg.Pool[Any]], Awaitable[Result]]"
) -> Result:
    """Do something with the database there is already.

    Raises:
        NoLedger: there is none.
        EventStoreUnavailable: it is down.
    """
    settings = settings_for_a_person(data_dir=data_dir)
    with telling() as teller, existing_database(settings, teller) as complete:
        assert complete.database_url is not None
        return asyncio.run(_done(complete.database_url.get_secret_value(), work))


def told(documents: Sequence[Mapping[str, Any]], names: Sequence[str], *, as_json: bool) -> None:
    """Show each as a line of what these fields hold, or all of them as JSON."""
    if as_json:
        say(json.dumps(documents, indent=2))
        return
    for document in documents:
        say("  ".join(f"{name}={_plain(document[name])}" for name in names))


def _plain(value: Any) -> str:
    if isinstance(value, list):
        return ",".join(value)
    return "-" if value is None else json.dumps(value) if isinstance(value, str) else str(value)


async def _done(url: str, work: "Callable[[asyncpg.Pool[Any]], Awaitable[Result]]") -> Result:
    try:
        async with asyncpg.create_pool(url, min_size=1, max_size=1) as pool:
            return await work(pool)
    except FAULTS as error:
        raise meaning(error) from error
