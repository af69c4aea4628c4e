"""Encoding v1 is for ever: pinned chain values, which both implementations must reproduce.

`chain_vectors.json` was computed once. If this fails, the code is wrong, never the file: a log
that was written with the encoding must verify in every later version.
"""

import json
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg

from ledger.event_store import chain
from ledger.event_store.port import Append, Committed, NewEvent, StreamHead, Unit
from ledger.event_store.postgres import PostgresEventStore
from schemas.envelope import Recorded

VECTORS = json.loads(Path(__file__).with_name("chain_vectors.json").read_text())
INCARNATION = UUID(VECTORS["incarnation"])
GENESIS = bytes.fromhex(VECTORS["genesis"])
RECORDED_AT = datetime.fromisoformat(VECTORS["recorded_at"])


def expected() -> list[Recorded]:
    """The file's events in the order of the log."""
    return [as_recorded(position, event) for position, event in enumerate(VECTORS["events"], 1)]


def as_recorded(position: int, event: dict[str, Any]) -> Recorded:
    ids = {name: event[name] and UUID(event[name]) for name in ("correlation_id", "causation_id")}
    return Recorded(
        position=position,
        stream_id=event["stream_id"],
        stream_version=event["stream_version"],
        type=event["type"],
        schema_version=event["schema_version"],
        payload=bytes.fromhex(event["payload"]),
        command_id=UUID(event["command_id"]),
        occurred_at=datetime.fromisoformat(event["occurred_at"]),
        recorded_at=RECORDED_AT,
        actor=event["actor"],
        batch_index=event["batch_index"],
        batch_size=event["batch_size"],
        chain=bytes.fromhex(event["chain"]),
        **ids,
    )


def test_python_reproduces_them() -> None:
    log = expected()
    previous = chain.genesis(INCARNATION)
    assert previous == GENESIS
    for recorded in log:
        previous = chain.link(previous, recorded, INCARNATION)
        assert previous == recorded.chain, recorded.position
    assert chain.verify(log, INCARNATION) is None


async def test_the_server_reproduces_them(
    database_url: str, superuser: "asyncpg.Connection[asyncpg.Record]"
) -> None:
    """A row at position 0, recorded far in the future, fixes the server's clock."""
    assert await superuser.fetchval("SELECT ledger.genesis($1)", INCARNATION) == GENESIS
    await superuser.execute("ALTER TABLE ledger.log DISABLE TRIGGER ALL")
    await superuser.execute("UPDATE ledger.log SET incarnation = $1", INCARNATION)
    await superuser.execute(
        "INSERT INTO ledger.events VALUES "
        "(0, 'clock', 1, 'Clock', 1, '', $1, NULL, NULL, now(), $2, '', 0, 1, $3)",
        uuid4(), RECORDED_AT, GENESIS,
    )  # fmt: skip
    for setting in (
        "TimeZone = 'Asia/Kathmandu'",
        "DateStyle = 'SQL, DMY'",
        "bytea_output = escape",
    ):
        name = await superuser.fetchval("SELECT current_database()")
        await superuser.execute(f"ALTER DATABASE {name} SET {setting}")
    store = await PostgresEventStore.connect(database_url)
    log = expected()
    streams = {recorded.stream_id for recorded in log}
    units = tuple(unit_of(first, log) for first in log if first.batch_index == 0)
    done = await store.append(Append(uuid4(), units, dict.fromkeys(streams, StreamHead())))
    assert isinstance(done, Committed)
    assert await store.read_log(after_position=0, limit=100) == log
    await store.close()


def unit_of(first: Recorded, log: list[Recorded]) -> Unit:
    """The command that wrote `first` and what follows it under the same id."""
    events = tuple(
        NewEvent(r.stream_id, r.stream_version, r.type, r.schema_version, r.payload, r.occurred_at)
        for r in log
        if r.command_id == first.command_id
    )
    return Unit(
        first.command_id,
        first.actor,
        events,
        correlation_id=first.correlation_id,
        causation_id=first.causation_id,
    )
