"""The queue over HTTP: safe when it is answered, and what the intake reads is what was sent."""

import json
from decimal import Decimal
from typing import Any

import pytest
from http_api.ledger_client import START, Api, refused, sale
from http_api.test_transactions import WHOLE

from consumers.command_queue import KafkaCommandQueue
from consumers.command_records import Place, Received, read_record
from consumers.known_commands import NotUnderstood, understood
from consumers.reception import SealingReception
from ledger.history import sealed_in
from schemas.transaction_changes import UpsertTransaction

QUEUE = "/transactions/queue"


async def queue(api: Api, body: Any, **headers: str) -> Any:
    """What the queue answers."""
    answer = await api.post(QUEUE, body, **headers)
    assert answer.status_code == 200, answer.text
    return answer.json()


class Sent:
    """A topic's end: what the adapter sends, as the intake gets it."""

    def __init__(self) -> None:
        self.records: list[Any] = []

    async def send(self, messages: Any) -> None:
        self.records += messages

    async def close(self) -> None:
        pass


async def arrived(api: Api, queued: dict[str, Any]) -> tuple[Received, UpsertTransaction]:
    """A queued command through the adapter's form to the intake's reader."""
    adapter, sent = KafkaCommandQueue("nowhere:1", "ledger.commands"), Sent()
    adapter._producer = sent  # type: ignore[assignment]
    await adapter.put(**queued)
    ((topic, message),) = sent.records
    place = Place(topic, 0, 0)
    received = read_record(place, message.key, message.value, message.headers, "ledger.commands")
    assert isinstance(received, Received)
    reception = SealingReception(api.services.vault, api.services.store)
    command = understood(await reception.whole(received), queued["time"]).command
    assert isinstance(command, UpsertTransaction)
    return received, command


async def test_what_is_queued_arrives_as_it_was_sent(api: Api) -> None:
    body = WHOLE | {"tender": None, "fees": "-0.10"}
    answer = await queue(api, body, idempotency_key="k-1")
    assert answer == {"message": "OK", "id": "k-1", "source": "/ledger/queue/till"}
    assert await api.head() == 0
    received, command = await arrived(api, api.queue.commands[0])
    assert (received.id, received.source, received.topic_source) == (
        "k-1",
        "/ledger/queue/till",
        "default",
    )
    assert received.key == WHOLE["external_id"].encode()
    assert received.time == api.clock.now
    exactly = json.loads(json.dumps(body), parse_float=Decimal)
    assert command == UpsertTransaction.model_validate(exactly)
    assert command.model_fields_set == set(body)
    assert command.items is not None
    assert command.items[0].price_sell == Decimal("9.123456")
    assert command.meta == WHOLE["meta"]


async def test_what_is_sent_for_one_sale_has_one_key(api: Api) -> None:
    for told in ({"external_id": "t-1", "profile_id": "p-1"}, {"profile_id": "p-1"}, {"id": 7}, {}):
        await queue(api, told)
    assert [each["key"] for each in api.queue.commands] == ["t-1", "p-1", "transaction-7", None]
    assert len({each["id"] for each in api.queue.commands}) == 4


async def test_it_says_so_when_nothing_can_be_queued(api: Api) -> None:
    api.queue.is_away = True
    problem = refused(await api.post(QUEUE, sale()), 503, "queue_unavailable")
    assert problem.headers["retry-after"] == "1"


async def test_what_is_no_upsert_is_not_queued(api: Api) -> None:
    refused(await api.post(QUEUE, sale(total="x")), 422, "validation_failed", "total")
    assert (await api.post(f"{QUEUE}?dry_run=true", sale())).json()["id"] is None
    api.token = await api.services.tokens.create("till", ["create-transactions"])
    refused(await api.post(QUEUE, sale()), 403, "forbidden")
    assert api.queue.commands == []


async def test_two_clients_have_keys_of_their_own(api: Api) -> None:
    await queue(api, sale(), idempotency_key="k-1")
    api.token = await api.services.tokens.create("web shop/1", ["*"])
    await queue(api, sale(), idempotency_key="k-1")
    sources = [each["source"] for each in api.queue.commands]
    assert sources == ["/ledger/queue/till", "/ledger/queue/web%20shop%2F1"]


async def test_a_kafka_that_is_away_is_told_in_time() -> None:
    away = KafkaCommandQueue("127.0.0.1:9", "ledger.commands")
    with pytest.raises(ConnectionError):
        await away.put(
            key=None,
            id="x",
            source="/s",
            type="UpsertTransaction",
            time=START,
            content=b"{}",
        )
    await away.close()


async def test_what_is_personal_waits_sealed_and_for_its_own_command_alone(api: Api) -> None:
    body = WHOLE | {"profile_id": "p-1", "receipt_email": "ada@example.org"}
    await queue(api, body, idempotency_key="k-1")
    await queue(api, body, idempotency_key="k-2")
    first, second = api.queue.commands
    assert "ada@" not in str(first)
    _, command = await arrived(api, first)
    assert command.receipt_email == "ada@example.org"
    with pytest.raises(NotUnderstood):
        await arrived(api, first | {"personal": second["personal"]})
    event = (await api.issue(meta={"note": "Ada"})) and await api.services.store.read_streams(
        ["account-p-1"]
    )
    sealed = next(iter(sealed_in(event["account-p-1"])))
    with pytest.raises(NotUnderstood):
        await arrived(api, first | {"personal": sealed})
    await api.delete("/profiles/p-1/personal-data")
    _, command = await arrived(api, first)
    assert (command.receipt_email, command.external_id) == (None, WHOLE["external_id"])
