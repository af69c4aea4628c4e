"""The article's walk through the real pipeline, and what other programs see of it."""

import json
import time
from typing import Any
from uuid import uuid4

from command_line.ledger_command import Up
from confluent_kafka import Consumer
from end_to_end.steps import defined, issued, read, redeemed, sold

SECONDS_MAX = 60


def consumed(up: Up, profile: str, count: int) -> list[Any]:
    """The profile's records as librdkafka reads them."""
    consumer = Consumer(
        {
            "bootstrap.servers": up.ready["kafka_bootstrap_servers"],
            "group.id": uuid4().hex,
            "auto.offset.reset": "earliest",
        }
    )
    consumer.subscribe(["ledger.events"])
    found: dict[str, Any] = {}
    deadline = time.monotonic() + SECONDS_MAX
    while len(found) < count and time.monotonic() < deadline:
        record = consumer.poll(0.5)
        if record is None or record.error() or record.key() != profile.encode():
            continue
        found.setdefault(dict(record.headers())["ce_id"].decode(), record)
    consumer.close()
    return list(found.values())


def test_another_kafka_client_reads_the_walk_in_order(up: Up) -> None:
    profile = f"p-{uuid4()}"
    reward = issued(up, defined(up), profile)
    assert up.balance(profile) == 10
    redemption = redeemed(up, profile)
    assert up.balance(profile) == 0
    transaction = sold(up, profile, redemption["id"])
    records = consumed(up, profile, 5)
    types = [dict(record.headers())["ce_type"].decode() for record in records]
    assert types == [
        "ProfileRegistered",
        "RewardIssued",
        "RedemptionMade",
        "TransactionAttached",
        "TransactionLinked",
    ]
    assert len({record.partition() for record in records}) == 1
    made = json.loads(records[2].value())
    assert made["movements"] == [
        {"lot": reward["id"], "from": "available", "to": "redeemed", "amount_minor": 1000}
    ]
    linked = json.loads(records[4].value())
    assert linked["transaction_id"] == transaction["id"]
    versions = [int(dict(record.headers())["ce_streamversion"]) for record in records]
    assert versions == [1, 2, 3, 4, 5]


def test_a_walk_goes_on_after_a_restart_and_after_a_kill(up: Up) -> None:
    profile = f"p-{uuid4()}"
    issued(up, defined(up), profile)
    assert up.stop() == 0
    up.start()
    assert up.balance(profile) == 10
    redemption = redeemed(up, profile)
    up.process.kill()
    up.process.wait()
    up.start()
    assert up.balance(profile) == 0
    transaction = sold(up, profile, redemption["id"])
    shown = read(up, f"/transactions/{transaction['id']}")
    assert shown["redemption_id"] == redemption["id"]
    assert shown["redemption_total"] == 10
    balances = [entry["balance"] for entry in read(up, f"/profiles/{profile}/history")]
    assert balances == [0, 10, 0, 0, 0]
    assert len(consumed(up, profile, 5)) == 5
