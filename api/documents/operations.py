"""What operators look at, as the API shows it. What could not be asked has `ok: false`, and why."""

from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import datetime
from decimal import Decimal
from typing import Any, TypeVar

from api.operations import (
    Asked,
    Database,
    Failure,
    Group,
    Kafka,
    Lag,
    Letter,
    LogHead,
    Program,
    Rate,
    ReadModelState,
    ReadSide,
    RelayState,
    Report,
)
from schemas.times import utc_text

Part = TypeVar("Part")


def document(report: Report) -> dict[str, Any]:
    """All parts, each with whether it answered."""
    kafka = report.kafka or Asked(None, "no Kafka is configured")
    return {
        "at": utc_text(report.at),
        "version": report.version,
        "postgresql": _part(report.database, _database),
        "log": _part(report.log, _log),
        "read_models": _part(report.read_side, _read_side),
        "relay": _part(report.relay, _relay),
        "kafka": _part(kafka, _kafka) | {"is_configured": report.kafka is not None},
        "processes": _part(report.programs, lambda all_: {"processes": list(map(_program, all_))}),
    }


def letter_document(letter: Letter) -> dict[str, Any]:
    """A dead letter: where it lies, where it came from and why, and the shape of what it says."""
    headers = dict(letter.headers)
    return {
        "id": f"{letter.partition}-{letter.offset}",
        "partition": letter.partition,
        "offset": letter.offset,
        "written_at": utc_text(letter.written_at),
        "reason": headers.pop("ledger_reason", None),
        "source": headers.pop("ledger_source", None),
        "came_from": {
            "topic": headers.pop("ledger_topic", None),
            "partition": _number(headers.pop("ledger_partition", None)),
            "offset": _number(headers.pop("ledger_offset", None)),
        },
        "key": letter.key,
        "headers": headers,
        "size_bytes": letter.size_bytes,
        "payload": letter.payload,
        "payload_state": letter.payload_state,
    }


def parked_document(row: Mapping[str, Any]) -> dict[str, Any]:
    """A stream that waits in a read model, and the event it waits at."""
    return {
        "id": row["id"],
        "read_model": row["read_model"],
        "read_model_version": row["model_version"],
        "stream": row["stream_id"],
        "position": row["position"],
        "stream_version": row["parked_at_version"],
        "type": row["type"],
        "error": row["parked_reason"],
        "parked_at": utc_text(row["updated_at"]),
        "waiting": row["waiting"],
    }


def _part(asked: Asked[Part], shown: Callable[[Part], dict[str, Any]]) -> dict[str, Any]:
    if asked.told is None:
        return {"ok": False, "detail": asked.fault}
    return {"ok": True, "detail": None, **shown(asked.told)}


def _database(told: Database) -> dict[str, Any]:
    return asdict(told)


def _log(told: LogHead) -> dict[str, Any]:
    return {
        "incarnation": told.incarnation,
        "position": told.position,
        "hash": None if told.chain is None else told.chain.hex(),
        "recorded_at": _time(told.recorded_at),
    }


def _read_side(told: ReadSide) -> dict[str, Any]:
    return {
        "models": [_model(each) for each in told.models],
        "last_failure": _failure(told.last_failure),
        "unreadable_records": told.unreadable_records,
    }


def _model(told: ReadModelState) -> dict[str, Any]:
    return {
        "name": told.name,
        "version": told.version,
        "position": told.position,
        "lag": _lag(told.lag),
        "rate": _rate(told.rate),
        "parked": told.parked,
        "last_failure": _failure(told.last_failure),
    }


def _relay(told: RelayState) -> dict[str, Any]:
    leader = told.leader
    return {
        "name": told.name,
        "leader": None
        if leader is None
        else {"address": leader.address, "connected_at": utc_text(leader.connected_at)},
        "position": told.position,
        "lag": _lag(told.lag),
    }


def _kafka(told: Kafka) -> dict[str, Any]:
    return {
        "servers": told.servers,
        "brokers": list(told.brokers),
        "topics": [{"name": name, "partitions": n} for name, n in sorted(told.topics.items())],
        "groups": [_group(each) for each in told.groups],
        "dead_letters": told.dead_letters,
    }


def _group(told: Group) -> dict[str, Any]:
    lags = [each.lag for each in told.partitions]
    known = [lag for lag in lags if lag is not None]
    return {
        "name": told.name,
        "reads_for": told.reads_for,
        "state": told.state,
        "members": told.members,
        "lag": sum(known) if len(known) == len(lags) else None,
        "partitions": [asdict(each) | {"lag": each.lag} for each in told.partitions],
    }


def _program(told: Program) -> dict[str, Any]:
    return {
        "version": told.version,
        "roles": list(told.roles),
        "pid": told.pid,
        "address": told.address,
    }


def _lag(lag: Lag) -> dict[str, Any]:
    return {"events": lag.events, "seconds": _decimal(lag.seconds)}


def _rate(rate: Rate | None) -> dict[str, Any] | None:
    if rate is None:
        return None
    return {
        "events_per_second": _decimal(rate.events_per_second),
        "seconds": _decimal(rate.seconds),
    }


def _failure(told: Failure | None) -> dict[str, Any] | None:
    return None if told is None else {"error": told.error, "failed_at": utc_text(told.failed_at)}


def _decimal(measured: float) -> Decimal:
    """A measurement, in tenths."""
    return Decimal(f"{measured:.1f}")


def _time(at: datetime | None) -> str | None:
    return None if at is None else utc_text(at)


def _number(text: str | None) -> int | None:
    return int(text) if text is not None and text.isdecimal() else None
