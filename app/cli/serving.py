"""`ledger up` and `ledger serve`: processes that stay."""

from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from app.cli.console import Teller, say, telling
from app.cli.options import DataDir, Host, PortOption, settings_for_a_person
from app.data_dir import remove_ready_file, token_file, write_ready_file
from app.logs import set_up_logs
from app.own_servers import servers_if_running
from app.service import Plan, Running, serve
from app.settings import Settings, read_settings
from app.up import Ready, run_up
from app.wiring import ROLES


class Served(StrEnum):
    """What one process can be."""

    API = "api"
    RELAY = "relay"
    PROJECTOR = "projector"
    EXPIRY = "expiry"
    INTAKE = "intake"
    ALL = "all"


def up(
    data_dir: DataDir = None,
    port: PortOption = None,
    ready_file: Annotated[
        Path | None,
        typer.Option(
            "--ready-file",
            help="Write url, token, database_url, kafka_bootstrap_servers and pid here as JSON"
            " once everything is ready; removed at the end.",
        ),
    ] = None,
) -> None:
    """Start everything and stay: PostgreSQL, Kafka, migrations, and all roles.

    Servers of yours are used where LEDGER_DATABASE_URL and LEDGER_KAFKA_BOOTSTRAP_SERVERS name
    them; else PostgreSQL and Apache Kafka are started in the data directory. Ctrl-C stops it all.
    """
    settings = settings_for_a_person(data_dir=data_dir, port=port)
    if ready_file is not None:
        remove_ready_file(ready_file)
    try:
        with telling() as teller:

            async def ready(found: Ready, _: Running, complete: Settings) -> None:
                teller.end()
                if ready_file is not None:
                    write_ready_file(ready_file, asdict(found))
                _announce(found, complete)

            run_up(settings, teller, ready)
    finally:
        if ready_file is not None:
            remove_ready_file(ready_file)


def serve_roles(
    what: Annotated[list[Served], typer.Argument(help="The roles of this process.")],
    host: Host = None,
    port: PortOption = None,
    data_dir: DataDir = None,
) -> None:
    """Run one role or several as a process of its own, on the servers the settings name.

    Run `ledger migrate` first. Any number of api, projector and expiry processes work side by
    side; of several relays one leads and the others stand by. Without addresses in the settings
    it joins the servers of a `ledger up` on the same data directory.
    """
    settings = read_settings(host=host, port=port, data_dir=data_dir)
    set_up_logs(settings)
    wanted = {role.value for role in what}
    roles = tuple(role for role in ROLES if role in wanted or Served.ALL in what)
    teller = Teller(spinner=False)
    with servers_if_running(settings, teller) as complete:
        serve(Plan(complete, roles, teller))


def _announce(ready: Ready, settings: Settings) -> None:
    say(f"The ledger is ready.  API     {ready.url}/api/v3")
    say(f"                      Docs    {ready.url}/docs")
    say(f"                      Console {ready.url}/console")
    say(f"                      Token   {ready.token}")
    say(f"                              (kept in {token_file(settings.data_dir)})")
    say("Press Ctrl-C to stop.")
