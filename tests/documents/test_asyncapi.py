"""The AsyncAPI document is what the code says, and its examples are what the relay publishes."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from consumers.asyncapi import document, text
from consumers.cloudevents import from_record
from consumers.topics import EVENTS_TOPIC
from schemas.catalog import our_events
from schemas.events import decode

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
    assert set(MESSAGES) == set(channel["messages"]) == names
    (operation,) = DOCUMENT["operations"].values()
    assert operation["action"] == "receive"
    read = {message["$ref"].rpartition("/")[2] for message in operation["messages"]}
    assert read == names


def test_every_reference_leads_somewhere() -> None:
    found = list(references(DOCUMENT))
    assert found
    assert all(at(reference) is not None for reference in found)


@pytest.mark.parametrize("name", sorted(MESSAGES))
def test_an_example_fits_its_schemas_and_is_read_by_a_consumer(name: str) -> None:
    message = MESSAGES[name]
    (example,) = message["examples"]
    for part in ("headers", "payload"):
        schema = {"components": DOCUMENT["components"], **message[part]}
        Draft202012Validator(schema).validate(example[part])
    headers = [(key, value.encode()) for key, value in example["headers"].items()]
    key = example["headers"]["ce_subject"].encode()
    published = from_record(key, json.dumps(example["payload"]).encode(), headers)
    event = decode(published.type, published.schema_version, published.payload)
    assert type(event).__name__ == message["name"]
    assert message["summary"]
