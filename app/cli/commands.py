"""The command `ledger`."""

from collections.abc import Callable
from importlib.metadata import version
from typing import Annotated

import typer

from app.cli.console import INTERRUPTED, MISUSED, fail
from app.cli.databases import doctor, migrate
from app.cli.demo import demo
from app.cli.documents import asyncapi, kafka, openapi, settings
from app.cli.imports import group as imports
from app.cli.personal_data import group as personal_data
from app.cli.read_models import group as read_models
from app.cli.replay import replay
from app.cli.serving import serve_roles, up
from app.cli.tokens import group as token
from app.cli.users import group as user
from app.demo.data import DemoDataDiffer, NoDemoData
from app.demo.walk import WalkFailed
from app.embedded import EmbeddedServerError
from app.http_server import PortTaken
from app.master_key import NoMasterKey
from app.own_servers import NoLedger
from app.prepare import NotPrepared
from app.running import PartFailed
from app.service import Unconfigured
from app.settings import BadSettings
from ledger.event_store.port import EventStoreBroken, EventStoreUnavailable
from ledger.personal.master import WrongMasterKey

ledger = typer.Typer(
    name="ledger",
    help="A rewards ledger: every balance can be explained, event by event."
    "\n\nNew here? `ledger demo` shows the four steps of a reward on servers of its own.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
_COMMANDS: dict[str, Callable[..., None]] = {
    "demo": demo,
    "up": up,
    "serve": serve_roles,
    "migrate": migrate,
    "doctor": doctor,
    "replay": replay,
    "settings": settings,
    "openapi": openapi,
    "asyncapi": asyncapi,
}
for name, command in _COMMANDS.items():
    ledger.command(name)(command)
ledger.add_typer(token, name="token")
ledger.add_typer(user, name="user")
ledger.add_typer(imports, name="import")
ledger.add_typer(kafka, name="kafka")
ledger.add_typer(personal_data, name="personal-data")
ledger.add_typer(read_models, name="read-models")

_EXPECTED = (
    DemoDataDiffer,
    EmbeddedServerError,
    EventStoreBroken,
    EventStoreUnavailable,
    NoDemoData,
    NoLedger,
    NoMasterKey,
    NotPrepared,
    PartFailed,
    PortTaken,
    Unconfigured,
    WalkFailed,
    WrongMasterKey,
)
"""Their messages are written for whoever runs the command."""


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"rewards-ledger {version('rewards-ledger')}")
        raise typer.Exit


@ledger.callback()
def _options(
    _: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    pass


def main() -> None:
    """Run a command. What goes wrong is one clear line and an exit status, not a traceback."""
    try:
        ledger()
    except BadSettings as error:
        fail(f"some settings can't be used:\n{error}", MISUSED)
    except _EXPECTED as error:
        fail(str(error) or repr(error))
    except KeyboardInterrupt:
        fail("interrupted", INTERRUPTED)
    except Exception as error:
        fail(f"unexpectedly, {type(error).__name__}: {error}. Please report this.")
