"""The part of the AsyncAPI document that a publisher of commands needs: what to send, what comes
back, and where it goes if nobody can read it."""

from typing import Any

from pydantic.json_schema import models_json_schema

from consumers.intake_broker import dead_letter_topic
from consumers.known_commands import COMMANDS, FACTS
from schemas.outcomes import CommandAccepted, CommandRefused

COMMANDS_TOPIC = "ledger.commands"
OUTCOMES_TOPIC = "ledger.outcomes"
DEAD_LETTERS_TOPIC = dead_letter_topic(COMMANDS_TOPIC)
CONTENT_TYPE = "application/json"

_COMMAND_HEADERS = {
    "ce_specversion": "Always 1.0.",
    "ce_id": "The sender's own id. With ce_source it names the command for ever: sent again, it is "
    "answered again and done once.",
    "ce_source": "Who sends, as a URI reference. The topic says whose word it is.",
    "ce_type": "The command's type, or that of a fact that happened elsewhere.",
    "ce_time": "When a fact happened, RFC 3339. A command happens when it is decided.",
    "content-type": f"{CONTENT_TYPE}; or application/cloudevents+json for the structured mode, "
    "where the value holds the attributes and `data`.",
}
_OUTCOME_HEADERS = {
    "ce_specversion": "Always 1.0.",
    "ce_id": "The topic's source, the command's ce_source and its ce_id, with slashes between.",
    "ce_type": "CommandAccepted or CommandRefused.",
    "ce_source": "Which ledger it is from.",
    "ce_subject": "The command's ce_id.",
    "ce_time": "When it was answered.",
    "content-type": f"Always {CONTENT_TYPE}.",
}
_LETTER_HEADERS = {
    "ledger_reason": "Why nobody could read it.",
    "ledger_topic": "Where it came from.",
    "ledger_partition": "Its partition there.",
    "ledger_offset": "Its offset there.",
    "ledger_source": "The source that topic stands for.",
    "content-type": "Always text/plain.",
}


EXAMPLES: dict[str, dict[str, Any]] = {
    "AddRewardDefinition": {
        "name": "Birthday Reward",
        "handle": "birthday-reward",
        "value": "10",
        "type": "birthday",
        "period": "30",
    },
    "IssueReward": {
        "profile_id": "p-1",
        "reward_definition_handle": "birthday-reward",
        "timezone": "Australia/Melbourne",
    },
    "MakeRedemption": {"profile_id": "p-1", "amount": "10", "external_id": "redemption-1"},
    "RecordTransaction": {
        "profile_id": "p-1",
        "external_id": "91040123233311",
        "total": "10",
        "transacted_at": "2026-02-10 00:00:00",
        "timezone": "Australia/Melbourne",
        "items": [
            {"name": "Birthday Cake", "quantity": "1", "price_current": 9.99, "price_sell": 9.99}
        ],
    },
    "LinkRedemption": {
        "transaction_external_id": "91040123233311",
        "redemption_external_id": "redemption-1",
    },
}
"""The article's four steps as a publisher sends them."""


def example_headers(kind: str, number: int) -> dict[str, str]:
    """The headers of an example."""
    return {
        "ce_specversion": "1.0",
        "ce_id": f"order-{number}",
        "ce_source": "/webshop",
        "ce_type": kind,
        "content-type": CONTENT_TYPE,
    }


def channels() -> dict[str, Any]:
    """The topics, with what is on them."""
    return {
        COMMANDS_TOPIC: _channel(
            COMMANDS_TOPIC,
            f"Commands, and facts of elsewhere. `{COMMANDS_TOPIC}.SOURCE` is the same for another "
            "source: write to the one your access rules name. Key by profile: commands of one key "
            "are decided in their order.",
            _command_names(),
        ),
        OUTCOMES_TOPIC: _channel(
            OUTCOMES_TOPIC,
            "What became of each command, under the command's key; at least once.",
            ["CommandAccepted", "CommandRefused"],
        ),
        DEAD_LETTERS_TOPIC: _channel(
            DEAD_LETTERS_TOPIC,
            "Records nobody could read as a command, with the reason; the value is encrypted.",
            ["DeadLetter"],
        ),
    }


def operations() -> dict[str, Any]:
    """What a publisher does with them."""
    return {
        "sendCommands": _operation("send", COMMANDS_TOPIC, _command_names()),
        "readOutcomes": _operation(
            "receive", OUTCOMES_TOPIC, ["CommandAccepted", "CommandRefused"]
        ),
        "readDeadLetters": _operation("receive", DEAD_LETTERS_TOPIC, ["DeadLetter"]),
    }


def messages_and_schemas() -> tuple[dict[str, Any], dict[str, Any]]:
    """The messages, and the schemas they refer to."""
    models: list[Any] = [*COMMANDS.values(), CommandAccepted, CommandRefused]
    found, whole = models_json_schema(
        [(model, "validation") for model in models],
        ref_template="#/components/schemas/{model}",
    )
    messages = {
        f"command.{name}": _message(name, found[command, "validation"], command.__doc__, "Command")
        for name, command in COMMANDS.items()
    }
    for number, (name, data) in enumerate(EXAMPLES.items(), start=1):
        example = {"name": "example", "headers": example_headers(name, number), "payload": data}
        messages[f"command.{name}"]["examples"] = [example]
    for name, command in FACTS.items():
        told = (
            f"Imported: it has happened elsewhere, at `ce_time`. The data are {command.__name__}'s."
        )
        messages[f"fact.{name}"] = _message(name, found[command, "validation"], told, "Command")
    for outcome in (CommandAccepted, CommandRefused):
        name = outcome.__name__
        messages[name] = _message(
            name, found[outcome, "validation"], outcome.__doc__, "Outcome"
        ) | {"examples": [{"name": "example", "payload": outcome.EXAMPLE}]}
    messages["DeadLetter"] = {
        "name": "DeadLetter",
        "title": "DeadLetter",
        "summary": "A record nobody could read, sealed.",
        "contentType": "text/plain",
        "headers": {"$ref": "#/components/schemas/DeadLetterHeaders"},
        "payload": {"type": "string"},
    }
    headers = {
        "CommandHeaders": _headers(_COMMAND_HEADERS, {"ce_time", "content-type"}),
        "OutcomeHeaders": _headers(_OUTCOME_HEADERS, set()),
        "DeadLetterHeaders": _headers(_LETTER_HEADERS, set()),
    }
    return messages, headers | dict(whole["$defs"])


def _command_names() -> list[str]:
    return [*(f"command.{name}" for name in COMMANDS), *(f"fact.{name}" for name in FACTS)]


def _channel(topic: str, description: str, names: list[str]) -> dict[str, Any]:
    return {
        "address": topic,
        "description": description,
        "servers": [{"$ref": "#/servers/kafka"}],
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in names},
        "bindings": {"kafka": {"topic": topic, "bindingVersion": "0.5.0"}},
    }


def _operation(action: str, topic: str, names: list[str]) -> dict[str, Any]:
    return {
        "action": action,
        "channel": {"$ref": f"#/channels/{topic}"},
        "messages": [{"$ref": f"#/channels/{topic}/messages/{name}"} for name in names],
    }


def _message(name: str, payload: Any, told: str | None, headers: str) -> dict[str, Any]:
    return {
        "name": name,
        "title": name,
        "summary": " ".join((told or "").split("\n\n", maxsplit=1)[0].split()),
        "contentType": CONTENT_TYPE,
        "headers": {"$ref": f"#/components/schemas/{headers}Headers"},
        "payload": payload,
    }


def _headers(meanings: dict[str, str], optional: set[str]) -> dict[str, Any]:
    return {
        "type": "object",
        "required": [name for name in meanings if name not in optional],
        "properties": {
            name: {"type": "string", "description": meaning} for name, meaning in meanings.items()
        },
    }
