"""Options that several commands share."""

from pathlib import Path
from typing import Annotated, Any

import typer

from app.logs import set_up_logs
from app.settings import Settings, read_settings

DataDir = Annotated[
    Path | None,
    typer.Option("--data-dir", help="Where servers of our own keep their data [.ledger]."),
]
Host = Annotated[str | None, typer.Option("--host", help="The address to listen on [127.0.0.1].")]
PortOption = Annotated[
    int | None, typer.Option("--port", help="The port of the API [8080]; 0 takes a free one.")
]
AsJson = Annotated[bool, typer.Option("--json", help="JSON instead of text.")]


def settings_for_a_person(**chosen: Any) -> Settings:
    """The settings, with less and plainer logging unless they say otherwise."""
    settings = read_settings(**chosen)
    wanted = {"log_level": "warning", "log_format": "console"}
    unset = {name: value for name, value in wanted.items() if name not in settings.model_fields_set}
    settings = settings.model_copy(update=unset)
    set_up_logs(settings)
    return settings
