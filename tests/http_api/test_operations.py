"""What operators look at, over HTTP: all parts, dead letters, and what is parked."""

from datetime import UTC, datetime
from typing import Any

import pytest
from http_api.ledger_client import Api, Operating, refused

from api.operations import Letter
from projections.read_models import ALL

NOON = datetime(2031, 3, 10, 12, tzinfo=UTC)


def operating(api: Api) -> Operating:
    found = api.services.operations
    assert isinstance(found, Operating)
    return found


def letter(offset: int) -> Letter:
    headers = {
        "ledger_reason": "The body is not JSON: look at line 1, column 9.",
        "ledger_topic": "ledger.commands.webshop",
        "ledger_partition": "3",
        "ledger_offset": "41",
        "ledger_source": "webshop",
        "content-type": "text/plain",
    }
    return Letter(0, offset, NOON, None, headers, 120, '{"profile_id": "x-0', "masked")


async def test_every_part_is_told(api: Api) -> None:
    await api.issue()
    found = await api.data("/operations")
    parts = ("postgresql", "log", "read_models", "relay", "processes")
    assert {part: found[part]["ok"] for part in parts} == dict.fromkeys(parts, True), found
    assert found["log"]["position"] == await api.head()
    assert len(bytes.fromhex(found["log"]["hash"])) == 32
    assert found["postgresql"]["size_bytes"] > 1_000_000
    assert 0 < found["postgresql"]["connections"] <= found["postgresql"]["connections_max"]
    assert [(m["name"], m["version"]) for m in found["read_models"]["models"]] == [
        (each.name, each.version) for each in ALL
    ]
    balances = found["read_models"]["models"][0]
    assert balances["lag"]["events"] > 0
    assert (balances["parked"], balances["rate"], balances["last_failure"]) == (0, None, None)
    assert found["relay"]["leader"] is None
    assert found["relay"]["position"] == 0
    assert found["kafka"] == {
        "ok": False,
        "detail": "no Kafka is configured",
        "is_configured": False,
    }


async def test_dead_letters_come_the_newest_first_and_page_by_page(api: Api) -> None:
    operating(api).letters = [letter(offset) for offset in range(5)]
    first = (await api.get("/operations/dead-letters?page[size]=2")).json()
    assert [each["offset"] for each in first["data"]] == [4, 3]
    assert first["meta"]["total"] == 5
    shown = first["data"][0]
    assert shown == {
        "id": "0-4",
        "partition": 0,
        "offset": 4,
        "written_at": "2031-03-10 12:00:00",
        "reason": "The body is not JSON: look at line 1, column 9.",
        "source": "webshop",
        "came_from": {"topic": "ledger.commands.webshop", "partition": 3, "offset": 41},
        "key": None,
        "headers": {"content-type": "text/plain"},
        "size_bytes": 120,
        "payload": '{"profile_id": "x-0',
        "payload_state": "masked",
    }
    page, offsets = first, []
    while page["links"]["next"]:
        page = (await api.get(page["links"]["next"])).json()
        offsets += [each["offset"] for each in page["data"]]
    assert offsets == [2, 1, 0]
    assert page["meta"]["next_cursor"] is None


async def test_dead_letters_while_kafka_is_away_are_asked_for_later(api: Api) -> None:
    operating(api).is_away = True
    problem = refused(await api.get("/operations/dead-letters"), 503, "queue_unavailable")
    assert problem.headers["retry-after"] == "1"


@pytest.mark.parametrize("cursor", ["x", "", "é", "djE6", "djE6MC0xLA", "A" * 3_000])
async def test_a_cursor_is_one_of_ours(api: Api, cursor: str) -> None:
    answer = await api.get(f"/operations/dead-letters?page[after]={cursor}")
    refused(answer, 422, "validation_failed", "page[after]")


@pytest.mark.parametrize("size", ["0", "51", "x"])
async def test_a_page_of_dead_letters_is_bounded(api: Api, size: str) -> None:
    answer = await api.get(f"/operations/dead-letters?page[size]={size}")
    refused(answer, 422, "validation_failed", "page[size]")


async def test_what_is_parked_is_told_with_its_event(api: Api) -> None:
    await api.issue("p-1")
    await api.issue("p-1")
    await park(api, "balances", "account-p-1", 2)
    await park(api, "rewards", "account-p-1", 1)
    found = await api.data("/operations/parked?filter[read_model]=balances")
    (one,) = found
    assert one | {"parked_at": ""} == {
        "id": "balances_v1/account-p-1",
        "read_model": "balances",
        "read_model_version": 1,
        "stream": "account-p-1",
        "position": 3,
        "stream_version": 2,
        "type": "RewardIssued",
        "error": "RewardIssued at position 3: MissingRow",
        "parked_at": "",
        "waiting": 2,
    }
    assert len(await api.data("/operations/parked?page[size]=1")) == 1
    assert len(await api.data("/operations/parked?sort=-position")) == 2
    report = await api.data("/operations")
    parked = {m["name"]: m["parked"] for m in report["read_models"]["models"]}
    assert (parked["balances"], parked["rewards"], parked["journal"]) == (1, 1, 0)


async def park(api: Api, model: str, stream: str, version: int) -> Any:
    await api.services.pool.execute(
        f"INSERT INTO projections.{model}_v1_streams "
        "(stream_id, stream_version, parked_at_version, parked_reason) "
        "VALUES ($1, $2 - 1, $2, 'RewardIssued at position 3: MissingRow') "
        "ON CONFLICT (stream_id) DO UPDATE SET stream_version = $2 - 1, parked_at_version = $2, "
        "parked_reason = excluded.parked_reason",
        stream,
        version,
    )
