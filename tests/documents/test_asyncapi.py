"""The AsyncAPI document is what the code says, and its examples are what the relay publishes."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from pydantic import TypeAdapter

from consumers.asyncapi import document, text
from consumers.asyncapi_commands import EXAMPLES
from consumers.cloudevents import from_record
from consumers.command_records import Place, Received, read_record
from consumers.known_commands import COMMANDS, FACTS, understood
from consumers.topics import EVENTS_TOPIC
from schemas.catalog import our_events
from schemas.events import decode
from schemas.outcomes import Outcome

FILE = Path(__file__).parents[2] / "docs" / "asyncapi.json"
DOCUMENT = document()
MESSAGES: dict[str, dict[str, Any]] = DOCUMENT["components"]["messages"]


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for name, inner in value.items():
            if name == "$ref":
                yield inner
            yield from references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from references(inner)


def at(reference: str) -> Any:
    found: Any = DOCUMENT
    for name in reference.removeprefix("#/").split("/"):
        found = found[name]
    return found


def test_the_file_is_up_to_date() -> None:
    assert FILE.read_text(encoding="utf-8") == text(), (
        "run: python -m consumers.asyncapi > docs/asyncapi.json"
    )


def test_every_event_is_a_message_of_the_channel_and_of_the_operation() -> None:
    names = {f"{event.__name__}.v{event.SCHEMA_VERSION}" for event in our_events()}
    channel = DOCUMENT["channels"][EVENTS_TOPIC]
    assert channel["address"] == EVENTS_TOPIC
    assert set(channel["messages"]) == names <= set(MESSAGES)
    operation = DOCUMENT["operations"]["readEvents"]
    assert operation["action"] == "receive"
    read = {message["$ref"].rpartition("/")[2] for message in operation["messages"]}
    assert read == names


def test_every_reference_leads_somewhere() -> None:
    found = list(references(DOCUMENT))
    assert found
    assert all(at(reference) is not None for reference in found)


def the_example_that_fits(name: str) -> dict[str, Any]:
    message = MESSAGES[name]
    (example,) = message["examples"]
    for part in example.keys() & {"headers", "payload"}:
        schema = {"components": DOCUMENT["components"], **message[part]}
        Draft202012Validator(schema).validate(example[part])
    return dict(example)


@pytest.mark.parametrize("name", sorted(DOCUMENT["channels"][EVENTS_TOPIC]["messages"]))
def test_an_example_fits_its_schemas_and_is_read_by_a_consumer(name: str) -> None:
    message, example = MESSAGES[name], the_example_that_fits(name)
    headers = [(key, value.encode()) for key, value in example["headers"].items()]
    key = example["headers"]["ce_subject"].encode()
    published = from_record(key, json.dumps(example["payload"]).encode(), headers)
    event = decode(published.type, published.schema_version, published.payload)
    assert type(event).__name__ == message["name"]
    assert message["summary"]


def test_every_command_and_fact_is_a_message_of_the_commands_channel() -> None:
    names = {*(f"command.{name}" for name in COMMANDS), *(f"fact.{name}" for name in FACTS)}
    assert set(DOCUMENT["channels"]["ledger.commands"]["messages"]) == names
    assert "RecordDueFacts" not in COMMANDS


@pytest.mark.parametrize("name", sorted(EXAMPLES))
def test_an_example_of_a_command_fits_its_schemas_and_is_understood(name: str) -> None:
    example = the_example_that_fits(f"command.{name}")
    headers = [(key, value.encode()) for key, value in example["headers"].items()]
    place = Place("ledger.commands", 0, 0)
    received = read_record(
        place, b"p-1", json.dumps(example["payload"]).encode(), headers, "ledger.commands"
    )
    assert isinstance(received, Received)
    assert type(understood(received, datetime(2026, 3, 1, tzinfo=UTC)).command).__name__ == name


@pytest.mark.parametrize("name", ["CommandAccepted", "CommandRefused"])
def test_an_example_of_an_outcome_fits_its_schema(name: str) -> None:
    outcome = TypeAdapter[Any](Outcome).validate_python(the_example_that_fits(name)["payload"])
    assert type(outcome).__name__ == name
