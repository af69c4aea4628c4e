"""Canaries through the real pipeline: no table, record or log shows them, and erased is erased."""

import json
import time
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
from command_line.ledger_command import Up, run_ledger
from confluent_kafka import Consumer
from end_to_end.steps import defined, issued, made, read
from psycopg import sql

from api.examples import TRANSACTION_BODY

CANARY = f"canary{uuid4().hex}"
SECONDS_MAX = 60


def whole_database(up: Up) -> bytes:
    """Every row of every table, as text and as the bytes behind a bytea."""
    found = b""
    with psycopg.connect(up.ready["database_url"]) as connection:
        tables = connection.execute(
            "SELECT schemaname, tablename FROM pg_tables "
            "WHERE schemaname NOT IN ('pg_catalog', 'information_schema') "
            "AND has_table_privilege(format('%I.%I', schemaname, tablename), 'SELECT')"
        ).fetchall()
        assert len(tables) > 15
        for name in tables:
            table = sql.Identifier(*name)
            with connection.cursor().copy(sql.SQL("COPY {} TO STDOUT").format(table)) as rows:
                text = b"".join(map(bytes, rows))
            found += text
            with connection.cursor().copy(
                sql.SQL("COPY {} TO STDOUT (FORMAT binary)").format(table)
            ) as rows:
                found += b"".join(map(bytes, rows))
    return found


def whole_topic(up: Up) -> bytes:
    """Every record up to the last event of the log."""
    with psycopg.connect(up.ready["database_url"]) as connection:
        row = connection.execute("SELECT max(position) FROM ledger.events").fetchone()
    head = row[0] if row else 0
    consumer = Consumer(
        {
            "bootstrap.servers": up.ready["kafka_bootstrap_servers"],
            "group.id": uuid4().hex,
            "auto.offset.reset": "earliest",
        }
    )
    consumer.subscribe(["ledger.events"])
    found, seen = b"", set()
    deadline = time.monotonic() + SECONDS_MAX
    while len(seen) < head and time.monotonic() < deadline:
        record: Any = consumer.poll(0.5)
        if record is None or record.error():
            continue
        headers = dict(record.headers())
        seen.add(int(headers["ce_position"]))
        found += record.value() + b"".join(headers.values()) + (record.key() or b"")
    consumer.close()
    assert len(seen) == head
    return found


def logs(up: Up) -> bytes:
    """What all processes and servers have logged."""
    files = [up.data_dir.with_suffix(".log"), *up.data_dir.rglob("*.log")]
    return b"".join(file.read_bytes() for file in files if file.is_file())


def in_clear(up: Up) -> bool:
    """Whether the canary can be read anywhere."""
    canary = CANARY.encode()
    return any(canary in where for where in (whole_database(up), whole_topic(up), logs(up)))


def refusals(up: Up, profile: str) -> None:
    """Requests that fail with the canary in them: nobody may quote it."""
    for path, body in (
        ("/rewards", {"profile_id": profile, "meta": {"x": CANARY}}),
        (f"/profiles/{profile}/redeem", {"amount": 9_999, "meta": {"x": CANARY}}),
        ("/transactions", {"receipt_email": CANARY, "items": CANARY}),
    ):
        headers = {"Idempotency-Key": uuid4().hex}
        answer = up.request("POST", f"/api/v3{path}", body, **headers)
        assert answer.status_code == 422
        assert CANARY not in answer.text


def test_canaries_are_seen_by_nobody_but_who_may_ask_and_by_nobody_once_erased(
    up: Up, tmp_path: Path
) -> None:
    profile = f"p-{uuid4()}"
    meta = {"meta": {"note": CANARY}}
    definition = defined(up)
    body = {"reward_definition_id": definition, "profile_id": profile, "value_initial": 25}
    reward = made(up, "/rewards", body | meta)
    redemption = made(up, f"/profiles/{profile}/redeem", {"amount": 5} | meta)
    line = TRANSACTION_BODY["items"][0] | meta
    sale = (
        TRANSACTION_BODY
        | meta
        | {
            "profile_id": profile,
            "redemption_id": redemption["id"],
            "external_id": uuid4().hex,
            "receipt_email": f"{CANARY}@example.org",
            "custom_fields": {"c": CANARY},
            "items": [line],
            "payments": [{"amount": 10, "meta": {"c": CANARY}}],
        }
    )
    transaction = made(up, "/transactions", sale)
    refusals(up, profile)
    paths = (
        f"/rewards/{reward['id']}",
        f"/redemptions/{redemption['id']}",
        f"/transactions/{transaction['id']}",
    )
    assert all(CANARY in json.dumps(read(up, path)) for path in paths)
    assert not in_clear(up)

    answer = up.request("DELETE", f"/api/v3/profiles/{profile}/personal-data")
    receipts = tmp_path / "receipts"
    receipts.write_text(answer.text)
    assert all(CANARY not in json.dumps(read(up, path)) for path in paths)
    assert up.balance(profile) == 20

    # What comes later is readable again, and no later erasure of the old reaches it.
    live = made(up, "/rewards", body | meta)
    assert CANARY in json.dumps(read(up, f"/rewards/{live['id']}"))
    again = run_ledger("personal-data", "reapply-erasures", "--data-dir", str(up.data_dir))
    assert again.stdout.startswith("0 keys"), again.stderr
    for name in ("rewards", "redemptions", "transactions"):
        rebuilt = run_ledger("read-models", "rebuild", name, "--data-dir", str(up.data_dir))
        assert rebuilt.returncode == 0, rebuilt.stderr
    assert all(CANARY not in json.dumps(read(up, path)) for path in paths)
    told = run_ledger(
        "personal-data", "reapply-erasures", "--receipts", str(receipts),
        "--data-dir", str(up.data_dir),
    )  # fmt: skip
    assert told.stdout.startswith("0 keys"), told.stderr
    assert up.stop() == 0
    up.start()
    assert up.balance(profile) == 45
    assert all(CANARY not in json.dumps(read(up, path)) for path in paths)


def test_a_new_master_key_takes_over_without_a_pause(up: Up) -> None:
    profile = f"p-{uuid4()}"
    issued(up, defined(up), profile)
    body = {"amount": 1, "meta": {"note": CANARY}}
    redemption = made(up, f"/profiles/{profile}/redeem", body)
    file = up.data_dir / "secrets" / "master.key"
    old = file.read_text().strip()
    new = run_ledger("personal-data", "new-master-key").stdout.strip()
    both = {"LEDGER_MASTER_KEY": new, "LEDGER_MASTER_KEY_PREVIOUS": old}
    up.variables |= both
    assert up.stop() == 0
    up.start()
    arguments = ("personal-data", "rotate-master-key", "--data-dir", str(up.data_dir))
    assert run_ledger(*arguments).returncode != 0
    rotated = run_ledger(*arguments, **both)
    assert rotated.returncode == 0, rotated.stderr
    assert "keys are wrapped anew" in rotated.stdout
    del up.variables["LEDGER_MASTER_KEY_PREVIOUS"]
    assert up.stop() == 0
    up.start()
    assert read(up, f"/redemptions/{redemption['id']}")["meta"] == body["meta"]
    file.write_text(new)
    del up.variables["LEDGER_MASTER_KEY"]
