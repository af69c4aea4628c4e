"""When the store fails, a caller learns what it can do, and nothing is half done."""

import asyncio
from typing import Any

import asyncpg
import pytest
from http_api.ledger_client import Api, refused, sale

from ledger.committer import Committer
from ledger.event_store.port import EventStoreBroken, EventStoreUnavailable
from ledger.submission import OutcomeUnknown
from ledger.waiting import WaitingLine

READS = (
    "/profiles/p-1/balances",
    "/profiles/p-1/ledgers",
    "/profiles/p-1/history",
    "/profiles/p-1/rewards",
    "/profiles/p-1/rewards/expiry-order",
    "/profiles/p-1/redemptions",
    "/profiles/p-1/transactions",
    "/rewards",
    "/rewards/1",
    "/redemptions",
    "/redemptions/1",
    "/transactions",
    "/transactions/1",
    "/transactions/external/t-1",
    "/rewards/definitions",
    "/rewards/definitions/1",
)
FAULTS = {
    "no connection": ConnectionRefusedError("10.0.0.1 said no"),
    "time out": TimeoutError(),
    "shutting down": asyncpg.AdminShutdownError("terminating"),
    "connection lost": asyncpg.ConnectionDoesNotExistError("lost"),
    "pool closed": asyncpg.InterfaceError("pool is closing"),
    "not migrated": asyncpg.UndefinedTableError("relation x does not exist"),
    "unavailable": EventStoreUnavailable("10.0.0.1 said no"),
    "broken": EventStoreBroken("mend it at 10.0.0.1"),
}
each_fault = pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS.keys())


def failing(fault: Exception) -> Any:
    """A method that fails."""

    async def fail(*_: Any, **__: Any) -> Any:
        raise fault

    return fail


@each_fault
async def test_reads_say_try_again(
    api: Api, fault: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    await api.issue()
    for name in ("fetch", "fetchrow", "fetchval", "acquire", "execute"):
        monkeypatch.setattr(type(api.services.pool), name, failing(fault))
    for name in ("claims", "read_streams", "payloads", "read_log"):
        monkeypatch.setattr(type(api.services.store), name, failing(fault))
    for path in READS:
        response = await api.get(path)
        problem = refused(response, 503, "unavailable")
        assert problem.headers["retry-after"] == "1"
        assert "10.0.0.1" not in response.text


@pytest.mark.parametrize("fault", [FAULTS["unavailable"], FAULTS["broken"]])
async def test_commands_that_can_not_be_decided_are_not_accepted(
    api: Api, fault: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    await api.issue()
    head = await api.head()
    with monkeypatch.context() as away:
        for name in ("claims", "read_streams", "payloads", "records"):
            away.setattr(type(api.services.store), name, failing(fault))
        response = await api.post("/transactions", sale(profile_id="p-2"), idempotency_key="k-1")
        problem = refused(response, 503, "unavailable")
        assert problem.headers["retry-after"] == "1"
        assert "Nothing was accepted" in problem.content["detail"]
        assert "10.0.0.1" not in response.text
    assert await api.head() == head
    await api.made("/transactions", sale(profile_id="p-2"), idempotency_key="k-1")


async def test_a_full_queue_turns_away(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    await api.issue()
    full = Committer(api.services.store, clock=api.clock, queue_max=0)
    monkeypatch.setattr(api.services.committer, "_waiting", full._waiting)
    assert isinstance(full._waiting, WaitingLine)
    problem = refused(await api.post("/profiles/p-1/redeem", {"amount": 1}), 503, "overloaded")
    assert problem.headers["retry-after"] == "1"


async def test_an_unknown_outcome_comes_with_advice(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(api.services.committer), "submit", failing(OutcomeUnknown()))
    problem = refused(await api.post("/transactions", sale()), 503, "outcome_unknown")
    assert "same Idempotency-Key" in problem.content["detail"]
    assert problem.headers["retry-after"] == "1"
    assert "idempotency_key" not in problem.content


async def test_a_repeat_after_an_unknown_outcome_tells_it(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    await api.issue()
    append, answered = type(api.services.store).append, asyncio.Event()

    async def slow(store: Any, group: Any) -> Any:
        result = await append(store, group)
        await answered.wait()
        return result

    submit = type(api.services.committer).submit
    with monkeypatch.context() as hanging:
        hanging.setattr(type(api.services.store), "append", slow)
        hanging.setattr(
            type(api.services.committer),
            "submit",
            lambda self, submission: submit(self, submission, seconds_max=0.2),
        )
        lost = await api.post("/profiles/p-1/redeem", {"amount": 4}, idempotency_key="k-1")
        problem = refused(lost, 503, "outcome_unknown")
        assert problem.content["idempotency_key"] == "k-1", "what to repeat it under"
    answered.set()
    again = await api.post("/profiles/p-1/redeem", {"amount": 4}, idempotency_key="k-1")
    assert (again.status_code, again.headers["idempotency-replayed"]) == (201, "true")
    assert await api.balance("p-1") == 6


async def test_a_mistake_of_ours_says_nothing_of_itself(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        type(api.services.committer), "submit", failing(RuntimeError("secret 10.0.0.1"))
    )
    response = await api.post("/transactions", sale())
    refused(response, 500, "internal_error")
    assert "10.0.0.1" not in response.text


async def test_too_much_contention_is_a_conflict(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    from ledger.rejections import TooMuchContention  # noqa: PLC0415

    monkeypatch.setattr(
        type(api.services.committer), "submit", failing(TooMuchContention("Try again."))
    )
    refused(await api.post("/transactions", sale()), 409, "conflict")
