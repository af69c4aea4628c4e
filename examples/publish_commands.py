"""Publish commands to the rewards ledger, and read what became of each.

    pip install confluent-kafka
    python examples/publish_commands.py --servers 127.0.0.1:9094 --profile p-1

Sends the four steps of a reward as CloudEvents in Kafka's binary mode: define, issue, redeem,
record the sale, and link both by your own names for them. Run it twice with the same --order and
nothing happens twice: an id (with its source) names a command for ever.
"""

import argparse
import json
import time
import uuid
from collections.abc import Iterator
from typing import Any

from confluent_kafka import Consumer, Producer

COMMANDS, OUTCOMES = "ledger.commands", "ledger.outcomes"
SOURCE = "/examples/webshop"
OUTCOME_SECONDS_MAX = 60.0


def steps(profile: str, order: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """The commands, each with its type."""
    yield (
        "AddRewardDefinition",
        {
            "name": "Birthday Reward",
            "handle": f"birthday-{order}",
            "value": "10",
            "type": "birthday",
            "period": "30",
        },
    )
    yield "IssueReward", {"profile_id": profile, "reward_definition_handle": f"birthday-{order}"}
    yield (
        "MakeRedemption",
        {"profile_id": profile, "amount": "10", "external_id": f"redemption-{order}"},
    )
    yield (
        "RecordTransaction",
        {
            "profile_id": profile,
            "external_id": f"sale-{order}",
            "total": "10",
            "transacted_at": time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime()),
            "timezone": "UTC",
            "items": [
                {
                    "name": "Birthday Cake",
                    "quantity": "1",
                    "price_current": 9.99,
                    "price_sell": 9.99,
                }
            ],
        },
    )
    yield (
        "LinkRedemption",
        {
            "transaction_external_id": f"sale-{order}",
            "redemption_external_id": f"redemption-{order}",
        },
    )


def publish(
    producer: Producer, kind: str, data: dict[str, Any], event_id: str, key: str, topic: str
) -> None:
    """One command. Keyed by the profile: commands of one key are decided in their order."""
    headers = {
        "ce_specversion": "1.0",
        "ce_id": event_id,
        "ce_source": SOURCE,
        "ce_type": kind,
        "content-type": "application/json",
    }
    producer.produce(
        topic,
        key=key,
        value=json.dumps(data),
        headers=[(name, text.encode()) for name, text in headers.items()],
    )


def outcomes(servers: str, ids: set[str], topic: str = OUTCOMES) -> dict[str, dict[str, Any]]:
    """What became of these commands; waits until there is an outcome of each."""
    consumer = Consumer(
        {
            "bootstrap.servers": servers,
            "group.id": f"example-{uuid.uuid4()}",
            "auto.offset.reset": "earliest",
        }
    )
    consumer.subscribe([topic])
    found: dict[str, dict[str, Any]] = {}
    deadline = time.monotonic() + OUTCOME_SECONDS_MAX
    while set(found) < ids and time.monotonic() < deadline:
        record = consumer.poll(0.5)
        if record is None or record.error():
            continue
        outcome = json.loads(record.value() or b"{}")
        command = outcome["command"]
        if command["source"] == SOURCE and command["id"] in ids:
            found[command["id"]] = outcome
    consumer.close()
    return found


def main() -> None:
    """Publish, wait, tell."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--servers", default="127.0.0.1:9094", help="Kafka's addresses")
    parser.add_argument("--profile", default="p-1", help="whom the reward is for")
    parser.add_argument("--order", default=uuid.uuid4().hex[:8], help="your own number")
    parser.add_argument("--topic", default=COMMANDS, help="the topic your access rules name")
    given = parser.parse_args()
    producer = Producer({"bootstrap.servers": given.servers, "enable.idempotence": True})
    sent: dict[str, str] = {}
    for number, (kind, data) in enumerate(steps(given.profile, given.order), start=1):
        event_id = f"{given.order}-{number}"
        sent[event_id] = kind
        publish(producer, kind, data, event_id, given.profile, given.topic)
    producer.flush()
    found = outcomes(given.servers, set(sent))
    for event_id, kind in sent.items():
        outcome = found.get(event_id, {"outcome": "no outcome yet"})
        said = outcome.get("code") or ", ".join(e["type"] for e in outcome.get("events", ()))
        print(f"{event_id:>12}  {kind:<20} {outcome['outcome']:<9} {said}")


if __name__ == "__main__":
    main()
