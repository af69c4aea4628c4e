"""The AsyncAPI document of what goes over Kafka: events out, commands in, outcomes back.

`python -m consumers.asyncapi > docs/asyncapi.json` writes it.
FastStream describes the reader (channel, operation, server); what it can't know is added here:
each event as a message of its own with its headers, its payload's schema and an example.
"""

import json
import sys
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from pydantic.json_schema import models_json_schema

from consumers import asyncapi_commands
from consumers.cloudevents import to_record
from consumers.projector_document import projector_app
from consumers.topics import EVENTS_TOPIC, EventsTopic
from ledger.programme.counters import counter_stream
from ledger.programme.state import PROGRAMME_STREAM
from ledger.receipts.state import RECEIPT_EVENTS, receipt_stream
from ledger.streams import account_stream
from ledger.transactions.state import TRANSACTION_EVENTS, transaction_stream
from schemas.catalog import file_name, opened, our_events
from schemas.envelope import Recorded
from schemas.events import Event, encode
from schemas.programme import ProgrammeSettingsChanged
from schemas.reward_definitions import (
    DefinitionIssueCounted,
    DefinitionTerms,
    RewardDefinitionArchived,
)

CONTENT_TYPE = "application/json"
_INCARNATION = UUID("6f1c1e0a-0000-4000-8000-000000000001")
_OCCURRED_AT = datetime(2026, 2, 9, 23, 0, tzinfo=UTC)
_HEADERS = {
    "ce_specversion": "Always 1.0.",
    "ce_id": "Stream, version and incarnation: the same in every repeat of an event.",
    "ce_type": "The event's type.",
    "ce_source": "Which ledger it is from: the setting LEDGER_SOURCE.",
    "ce_subject": "The record's key: the profile, or for what is no account's, the stream.",
    "ce_time": "When it occurred, in UTC.",
    "ce_position": "Its place in the whole log.",
    "ce_streamversion": "Its place in its stream: 1, 2, 3, … without gaps.",
    "ce_schemaversion": "The version of the payload's schema.",
    "ce_incarnation": "The log's identity. Where it changes, positions mean other events.",
    "ce_cell": "The database it is from, where several feed one topic.",
    "ce_correlationid": "What it belongs to, where that is known.",
    "content-type": f"Always {CONTENT_TYPE}.",
}
_OPTIONAL = {"ce_correlationid"}
_DESCRIPTION = f"""\
Every event of the ledger, in the order of its stream, as CloudEvents 1.0 in Kafka's binary mode:
the attributes are `ce_` headers, the value is the stored payload, byte for byte.

The key is the profile for everything on a profile's account, else the stream; one key, one
partition, by Kafka's own murmur2. The topic has {EventsTopic().partitions} partitions unless
LEDGER_PARTITIONS says otherwise. An event may come again: `ce_id` tells. Optional fields and
values of enumerations may be added at any time; any other change is a new schema version.
"""


def document() -> dict[str, Any]:
    """The whole document."""
    described: dict[str, Any] = json.loads(projector_app().schema.to_specification().to_json())
    (channel,) = described["channels"].values()
    (operation,) = described["operations"].values()
    (server,) = described["servers"].values()
    events = sorted(our_events(), key=file_name)
    names = [file_name(event).removesuffix(".json") for event in events]
    payloads, definitions = _payloads(events)
    place = f"#/channels/{EVENTS_TOPIC}/messages"
    messages, schemas = asyncapi_commands.messages_and_schemas()
    described |= {
        "info": {
            "title": "Rewards ledger: events, commands and outcomes",
            "version": "1.0.0",
            "description": _DESCRIPTION,
            "license": {"name": "Apache-2.0"},
        },
        "servers": {"kafka": server},
        "channels": {
            EVENTS_TOPIC: channel
            | {
                "servers": [{"$ref": "#/servers/kafka"}],
                "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in names},
            }
        }
        | asyncapi_commands.channels(),
        "operations": {
            "readEvents": operation | {"messages": [{"$ref": f"{place}/{name}"} for name in names]}
        }
        | asyncapi_commands.operations(),
        "components": {
            "messages": {
                name: _message(event, payload)
                for name, event, payload in zip(names, events, payloads, strict=True)
            }
            | messages,
            "schemas": {"Headers": _headers()} | schemas | definitions,
        },
    }
    return described


def text() -> str:
    """The document as its file holds it."""
    return json.dumps(document(), indent=2, ensure_ascii=False) + "\n"


def _payloads(events: list[type[Event]]) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    found, whole = models_json_schema(
        [(event, "validation") for event in events],
        ref_template="#/components/schemas/{model}",
    )
    return [found[event, "validation"] for event in events], opened(whole["$defs"])


def _message(event: type[Event], payload: dict[str, Any]) -> dict[str, Any]:
    example = _example(event)
    return {
        "name": event.__name__,
        "title": f"{event.__name__}, schema version {event.SCHEMA_VERSION}",
        "summary": (event.__doc__ or "").split("\n\n", maxsplit=1)[0].replace("\n    ", " "),
        "contentType": CONTENT_TYPE,
        "headers": {"$ref": "#/components/schemas/Headers"},
        "correlationId": {"location": "$message.header#/ce_correlationid"},
        "payload": payload,
        "bindings": {
            "kafka": {
                "key": {"type": "string", "description": _HEADERS["ce_subject"]},
                "bindingVersion": "0.5.0",
            }
        },
        "examples": [{"name": "example", **example}],
    }


def _example(event: type[Event]) -> dict[str, Any]:
    """What the relay would publish for the event's example."""
    stored = event.model_validate(event.EXAMPLE)
    record = to_record(
        Recorded(
            position=4_711,
            stream_id=_stream(event),
            stream_version=3,
            type=event.__name__,
            schema_version=event.SCHEMA_VERSION,
            payload=encode(stored),
            command_id=_INCARNATION,
            correlation_id=None,
            causation_id=None,
            occurred_at=_OCCURRED_AT,
            recorded_at=_OCCURRED_AT,
            actor="till",
            batch_index=0,
            batch_size=1,
            chain=b"",
        ),
        source="/ledger",
        incarnation=_INCARNATION,
        cell="main",
    )
    return {
        "headers": {name: value.decode() for name, value in record.headers},
        "payload": json.loads(record.value),
    }


def _stream(event: type[Event]) -> str:
    """A stream such an event stands in."""
    if issubclass(event, TRANSACTION_EVENTS):
        return transaction_stream(event.EXAMPLE["transaction_id"])
    if issubclass(event, RECEIPT_EVENTS):
        return receipt_stream(event.EXAMPLE["receipt_ref"])
    if issubclass(event, (DefinitionTerms, RewardDefinitionArchived, ProgrammeSettingsChanged)):
        return PROGRAMME_STREAM
    if issubclass(event, DefinitionIssueCounted):
        return counter_stream(event.EXAMPLE["definition_id"])
    return account_stream(event.EXAMPLE.get("profile_id", "p-1"))


def _headers() -> dict[str, Any]:
    return {
        "type": "object",
        "description": "CloudEvents attributes; every value is text in UTF-8.",
        "required": [name for name in _HEADERS if name not in _OPTIONAL],
        "properties": {
            name: {"type": "string", "description": meaning} for name, meaning in _HEADERS.items()
        },
    }


if __name__ == "__main__":
    sys.stdout.write(text())
