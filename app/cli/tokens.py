"""`ledger token`: who may call the API."""

import asyncio
from typing import Annotated

import asyncpg
import typer

from api.tokens import SCOPES, Tokens, UnknownScope
from app.cli.console import MISUSED, fail, say, telling
from app.cli.options import DataDir, settings_for_a_person
from app.own_servers import existing_database
from app.settings import Settings
from ledger.event_store.faults import FAULTS, meaning

group = typer.Typer(help="Tokens of the API.", no_args_is_help=True)


@group.callback()
def _group() -> None:
    pass


@group.command("create")
def create(
    client: Annotated[
        str, typer.Option("--client", help="Who calls. Idempotency keys belong to the client.")
    ],
    scope: Annotated[
        list[str],
        typer.Option("--scope", help=f"What it may do; repeat for more. {', '.join(SCOPES)}."),
    ],
    name: Annotated[str, typer.Option("--name", help="A note for people.")] = "",
    data_dir: DataDir = None,
) -> None:
    """Make a token and print it: this is the only time it can be seen."""
    settings = settings_for_a_person(data_dir=data_dir)
    if not 1 <= len(client) <= 100 or not client.isprintable():
        fail("--client: give 1 to 100 printable characters.", MISUSED)
    for each in scope:
        if each not in SCOPES:
            fail(f"--scope: {UnknownScope(each)}", MISUSED)
    with telling() as teller, existing_database(settings, teller) as complete:
        token = asyncio.run(_created(complete, client, scope, name))
    say(token)


async def _created(settings: Settings, client: str, scopes: list[str], name: str) -> str:
    assert settings.database_url is not None
    url = settings.database_url.get_secret_value()
    try:
        async with asyncpg.create_pool(url, min_size=1, max_size=1) as pool:
            return await Tokens(pool).create(client, scopes, name)
    except FAULTS as error:
        raise meaning(error) from error
