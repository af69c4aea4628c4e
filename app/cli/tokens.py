"""`ledger token`: which programs may call the API."""

from typing import Annotated

import typer

from api.administrators import LastAdministrator
from api.documents.access import token_document
from api.tokens import SCOPES, Tokens, UnknownScope
from app.cli.access import told, with_pool
from app.cli.console import MISUSED, fail, say
from app.cli.options import AsJson, DataDir

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
    if not 1 <= len(client) <= 100 or not client.isprintable():
        fail("--client: give 1 to 100 printable characters.", MISUSED)
    for each in scope:
        if each not in SCOPES:
            fail(f"--scope: {UnknownScope(each)}", MISUSED)
    say(with_pool(data_dir, lambda pool: Tokens(pool).create(client, scope, name)))


@group.command("list")
def list_all(
    everything: Annotated[bool, typer.Option("--all", help="Revoked ones too.")] = False,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """Show the tokens: whose, what they may do, when they were used last; never the token."""
    rows = with_pool(data_dir, lambda pool: Tokens(pool).list())
    shown = [token_document(row) for row in rows if everything or row["revoked_at"] is None]
    names = ("id", "client", "name", "created_at", "last_used_at", "revoked_at", "scopes")
    told(shown, names, as_json=as_json)


@group.command("revoke")
def revoke(
    token_id: Annotated[int, typer.Argument(metavar="ID", help="As `ledger token list` shows it.")],
    data_dir: DataDir = None,
) -> None:
    """Revoke a token: nothing is done with it any more from 5 seconds on."""
    try:
        found = with_pool(data_dir, lambda pool: Tokens(pool).revoke(token_id))
    except LastAdministrator as error:
        fail(str(error))
    if not found:
        fail(f"there is no token {token_id}.")
    say(f"Token {token_id} is revoked.")
