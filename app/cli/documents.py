"""Small commands around the service: settings, the OpenAPI document, Kafka's jars."""

import json
from types import SimpleNamespace
from typing import Annotated, Any

import typer
from pydantic import SecretStr

from api.app import create_app
from app.cli.console import say, telling
from app.embedded import fetch_kafka
from app.prepare import place
from app.settings import PREFIX, read_settings
from app.settings_document import settings_as_markdown
from consumers.asyncapi import document as kafka_document

kafka = typer.Typer(help="The Apache Kafka that `ledger up` runs.", no_args_is_help=True)


@kafka.callback()
def _group() -> None:
    pass


@kafka.command("fetch")
def fetch() -> None:
    """Fetch Kafka's jars now (45 MB), so that later starts need no network."""
    settings = read_settings()
    with telling() as teller:
        folder = fetch_kafka(
            teller, cache_dir=settings.cache_dir, maven_mirror=settings.maven_mirror
        )
    say(f"All jars are in {folder}, each checked.")


def settings(
    markdown: Annotated[
        bool, typer.Option("--markdown", help="The page docs/settings.md instead.")
    ] = False,
) -> None:
    """Show the settings in force. Secrets are not shown."""
    if markdown:
        say(settings_as_markdown().rstrip("\n"))
        return
    current = read_settings()
    for name in type(current).model_fields:
        say(f"{PREFIX}{name.upper()}={_shown(name, getattr(current, name))}")


def openapi() -> None:
    """Print the OpenAPI document of the API."""
    # Only its routes are asked for; they look for the services when a request comes.
    nothing: Any = SimpleNamespace(health=None)
    say(json.dumps(create_app(nothing).openapi(), indent=2))


def asyncapi() -> None:
    """Print the AsyncAPI document of what goes over Kafka."""
    say(json.dumps(kafka_document(), indent=2, ensure_ascii=False))


def _shown(name: str, value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, SecretStr):
        return place(value.get_secret_value()) if name.endswith("database_url") else "(secret)"
    return str(value)
