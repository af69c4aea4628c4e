"""The catalog: the JSON Schema of every event, by version, and of every command.

`events/` and `commands/` are generated: `python -m schemas.catalog` writes them, and refuses to
where a change would break whoever reads the events or sends the commands. An event's schema leaves
room for fields of later days; a command's does not, since unknown fields of a command are refused.
"""

import importlib
import json
import pkgutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

import schemas
from schemas.commands import Command
from schemas.events import Event, known_events

FOLDER = Path(__file__).parent
DIALECT = "https://json-schema.org/draft/2020-12/schema"

Schema = dict[str, Any]


def documents() -> dict[str, Schema]:
    """Every schema by its path below the catalog, as the classes are now."""
    events = {f"events/{file_name(cls)}": event_schema(cls) for cls in our_events()}
    commands = {f"commands/{cls.__name__}.json": _command_schema(cls) for cls in our_commands()}
    return dict(sorted((events | commands).items()))


def file_name(event: type[Event]) -> str:
    """The file of an event's schema."""
    return f"{event.__name__}.v{event.SCHEMA_VERSION}.json"


def our_events() -> tuple[type[Event], ...]:
    """All events of the contract; a test may define others."""
    _import_all()
    return tuple(cls for cls in known_events() if cls.__module__.startswith("schemas."))


def our_commands() -> tuple[type[Command], ...]:
    """All commands: the classes nothing is built on. The others are parts of them."""
    _import_all()
    found = (cls for cls in _descendants(Command) if not cls.__subclasses__())
    return tuple(cls for cls in found if cls.__module__.startswith("schemas."))


def event_schema(event: type[Event]) -> Schema:
    """What a payload looks like. Readers pass over fields they don't know, so any may follow."""
    schema = opened(event.model_json_schema(schema_generator=_AsStored))
    return {
        "$schema": DIALECT,
        "$id": file_name(event),
        **schema,
        "examples": [event.EXAMPLE],
    }


def opened(schema: Any) -> Any:
    """The schema with room for fields of later days, in its parts too."""
    if isinstance(schema, dict):
        return {
            name: opened(value)
            for name, value in schema.items()
            if not (name == "additionalProperties" and value is False)
        }
    return [opened(value) for value in schema] if isinstance(schema, list) else schema


def text_of(schema: Schema) -> str:
    """A schema as its file holds it."""
    return json.dumps(schema, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def committed() -> dict[str, Schema]:
    """Every schema as the files hold it."""
    return {
        path.relative_to(FOLDER).as_posix(): json.loads(path.read_text(encoding="utf-8"))
        for path in sorted(FOLDER.glob("*/*.json"))
    }


class _AsStored(GenerateJsonSchema):
    """A command may say one thing in several ways; what is stored is one of them."""

    def function_before_schema(
        self, schema: core_schema.BeforeValidatorFunctionSchema
    ) -> JsonSchemaValue:
        """What the reading before has led to."""
        return self.generate_inner(schema["schema"])


def _command_schema(command: type[Command]) -> Schema:
    return {
        "$schema": DIALECT,
        "$id": f"{command.__name__}.json",
        **command.model_json_schema(),
    }


def _descendants(cls: type[Command]) -> Iterator[type[Command]]:
    for child in cls.__subclasses__():
        yield child
        yield from _descendants(child)


def _import_all() -> None:
    """Classes are known once their module is imported."""
    for module in pkgutil.iter_modules(schemas.__path__):
        if not module.ispkg:
            importlib.import_module(f"schemas.{module.name}")
