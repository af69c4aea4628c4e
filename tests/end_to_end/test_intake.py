"""Commands over Kafka into a running ledger: the example publisher, a kill, another's topic."""

import asyncio
import json
import signal
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from command_line.ledger_command import Up
from confluent_kafka import Consumer, Producer
from end_to_end.steps import defined, issued, read

ROOT = Path(__file__).parents[2]
SECONDS_MAX = 90
SOURCE = "/examples/webshop"

sys.path.append(str(ROOT / "examples"))
from publish_commands import outcomes, publish  # noqa: E402


def producer(up: Up) -> Producer:
    servers = up.ready["kafka_bootstrap_servers"]
    return Producer({"bootstrap.servers": servers, "enable.idempotence": True})


async def test_the_example_publisher_does_what_it_says(up: Up) -> None:
    servers, profile, order = up.ready["kafka_bootstrap_servers"], f"p-{uuid4()}", uuid4().hex[:8]
    for replayed in (False, True):
        script = await asyncio.create_subprocess_exec(
            sys.executable,
            str(ROOT / "examples" / "publish_commands.py"),
            *("--servers", servers, "--profile", profile, "--order", order),
            stdout=asyncio.subprocess.PIPE,
        )
        said = (await script.communicate())[0].decode()
        assert said.count("accepted") == 5, said
        assert "RedemptionMade" in said
        assert up.balance(profile) == 0, replayed
    sale = read(up, f"/transactions/external/sale-{order}")
    assert sale["redemption_total"] == 10


async def test_killed_in_the_middle_of_a_burst_it_loses_and_doubles_nothing(up: Up) -> None:
    profiles = [f"p-{uuid4()}" for _ in range(4)]
    definition = defined(up)
    for profile in profiles:
        issued(up, definition, profile, "1000")
    burst = {f"{uuid4()}": profiles[number % 4] for number in range(1_200)}
    out = producer(up)
    for event_id, profile in burst.items():
        data = {"profile_id": profile, "amount": "0.01"}
        publish(out, "MakeRedemption", data, event_id, profile, "ledger.commands")
    out.flush()
    deadline = time.monotonic() + SECONDS_MAX
    while up.balance(profiles[0]) == 1000:
        assert time.monotonic() < deadline
        await asyncio.sleep(0.01)
    up.stop(signal.SIGKILL)
    up.start()
    servers = up.ready["kafka_bootstrap_servers"]
    found = await asyncio.to_thread(outcomes, servers, set(burst))
    assert Counter(each["outcome"] for each in found.values()) == {"accepted": 1_200}
    assert [up.balance(profile) for profile in profiles] == [997] * 4
    made = {each["events"][-1]["ids"]["redemption_id"] for each in found.values() if each["events"]}
    assert len(made) == 1_200


async def test_another_source_has_a_topic_of_its_own(up: Up) -> None:
    servers, source, profile = up.ready["kafka_bootstrap_servers"], uuid4().hex[:8], f"p-{uuid4()}"
    issued(up, defined(up), profile)
    topic = f"ledger.commands.{source}"
    admin = AIOKafkaAdminClient(bootstrap_servers=servers)
    await admin.start()
    await admin.create_topics([NewTopic(topic, 1, 1)])
    await admin.close()
    out = producer(up)
    event_id = f"{uuid4()}"
    data = {"profile_id": profile, "amount": "4"}
    publish(out, "MakeRedemption", data, event_id, profile, topic)
    out.flush()
    found = await asyncio.to_thread(outcomes, servers, {event_id})
    assert found[event_id]["command"]["topic_source"] == source
    assert up.balance(profile) == 6


async def test_what_nobody_can_read_is_buried_sealed_with_the_reason(up: Up) -> None:
    servers, canary = up.ready["kafka_bootstrap_servers"], f"canary-{uuid4()}"
    out = producer(up)
    out.produce("ledger.commands", value=f"not JSON: {canary}", headers=[("ce_id", b"x")])
    out.flush()
    (letter,) = await asyncio.to_thread(letters, servers, 1)
    headers = {name: value.decode() for name, value in letter["headers"]}
    assert "JSON" in headers["ledger_reason"] or "CloudEvents" in headers["ledger_reason"]
    assert headers["ledger_topic"] == "ledger.commands"
    assert letter["value"].startswith("sealed:")
    assert canary not in json.dumps(letter["value"])


def letters(servers: str, count: int) -> list[dict[str, Any]]:
    consumer = Consumer(
        {
            "bootstrap.servers": servers,
            "group.id": f"letters-{uuid4()}",
            "auto.offset.reset": "earliest",
        }
    )
    consumer.subscribe(["ledger.commands.dead-letter"])
    found: list[dict[str, Any]] = []
    deadline = time.monotonic() + SECONDS_MAX
    while len(found) < count and time.monotonic() < deadline:
        record = consumer.poll(0.5)
        if record is not None and not record.error():
            found.append({"headers": record.headers(), "value": (record.value() or b"").decode()})
    consumer.close()
    return found


@pytest.fixture(autouse=True)
def _alive(up: Up) -> None:
    assert up.ready["url"]
