"""The same request again under its Idempotency-Key: the first answer, and nothing twice."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest
from http_api.ledger_client import Api, refused, sale

from api.tokens import ALL

Sent = tuple[str, str, Any]
Write = Callable[[Api], Awaitable[Sent]]


async def definition(_: Api) -> Sent:
    body = {"name": "R", "handle": "r", "value": 10, "type": "other", "period": 30}
    return "POST", "/rewards/definitions", body


async def definition_change(api: Api) -> Sent:
    return "PUT", f"/rewards/definitions/{(await api.define())['id']}", {"name": "N", "value": 5}


async def definition_archive(api: Api) -> Sent:
    return "DELETE", f"/reward-definitions/{(await api.define())['id']}", None


async def reward(api: Api) -> Sent:
    body = {"profile_id": "p-1", "reward_definition_id": (await api.define())["id"]}
    return "POST", "/rewards", body


async def reward_of_profile(api: Api) -> Sent:
    return "POST", "/profiles/p-1/rewards", {"reward_definition_id": (await api.define())["id"]}


async def revocation(api: Api) -> Sent:
    return "DELETE", f"/rewards/{(await api.issue())['id']}", None


async def redemption(api: Api) -> Sent:
    await api.issue()
    return "POST", "/profiles/p-1/redeem", {"amount": 4, "location_id": "s-7"}


async def same_definition(api: Api) -> Sent:
    """It says what is so already, and changes nothing."""
    made = await api.define(name="R")
    return "PUT", f"/rewards/definitions/{made['id']}", {"name": "R"}


async def linked_already(api: Api) -> Sent:
    await api.issue()
    redeemed, sold = await api.redeem(), await api.sell(profile_id="p-1")
    await api.changed(f"/transactions/{sold['id']}", {"redemption_id": redeemed["id"]})
    return "PUT", f"/transactions/{sold['id']}", {"redemption_id": redeemed["id"]}


async def reward_named_already(api: Api) -> Sent:
    _, path, body = await reward(api)
    await api.made(path, body | {"external_id": "x-1"})
    return "POST", path, body | {"external_id": "x-1"}


async def redemption_named_already(api: Api) -> Sent:
    _, path, body = await redemption(api)
    await api.made(path, body | {"external_id": "x-1"})
    return "POST", path, body | {"external_id": "x-1"}


async def transaction_named_already(api: Api) -> Sent:
    body = sale(external_id="x-1", profile_id="p-1")
    await api.made("/transactions", body)
    return "POST", "/transactions", body


async def short_redemption(api: Api) -> Sent:
    await api.issue()
    return "POST", "/profiles/p-1/redeem", {"amount": 10.01}


async def reversal(api: Api) -> Sent:
    await api.issue()
    return "POST", f"/redemptions/{(await api.redeem())['id']}/reversal", None


async def partial_return(api: Api) -> Sent:
    await api.issue()
    return "POST", f"/redemptions/{(await api.redeem())['id']}/return", {"amount": "2.50"}


async def transaction(api: Api) -> Sent:
    await api.issue()
    redeemed = await api.redeem(transaction_external_id="t-1")
    body = sale(external_id="t-1", redemption_id=redeemed["id"], profile_id="p-1")
    return "POST", "/transactions", body


async def link(api: Api) -> Sent:
    await api.issue()
    redeemed, sold = await api.redeem(), await api.sell(profile_id="p-1")
    return "PUT", f"/transactions/{sold['id']}", {"redemption_id": redeemed["id"]}


async def void(api: Api) -> Sent:
    await api.issue()
    sold = await api.sell(redemption_id=(await api.redeem())["id"])
    return "PUT", f"/transactions/{sold['id']}", {"is_void": True}


async def unknown_reward(_: Api) -> Sent:
    return "DELETE", "/rewards/99", None


async def refused_terms(api: Api) -> Sent:
    body = {"profile_id": "p-1", "reward_definition_id": (await api.define())["id"]}
    return "POST", "/rewards", body | {"value_initial": 1, "value_remaining": 2}


async def adjustment(api: Api) -> Sent:
    return "PUT", f"/rewards/{(await api.issue())['id']}", {"value_remaining": 4, "meta": None}


async def extension(api: Api) -> Sent:
    definition = (await api.define(is_extendable=True))["id"]
    ids = [(await api.issue(reward_definition_id=definition))["id"] for _ in range(2)]
    return "POST", "/rewards/extend", {"profile_id": "p-1", "ids": ids, "extend_days": 3}


async def revocation_for_a_reason(api: Api) -> Sent:
    return "POST", f"/rewards/{(await api.issue())['id']}/revoke", {"reason": "a mistake"}


WRITES: dict[str, tuple[Write, int]] = {
    "definition": (definition, 201),
    "definition_change": (definition_change, 200),
    "definition_archive": (definition_archive, 204),
    "reward": (reward, 201),
    "reward_of_profile": (reward_of_profile, 201),
    "adjustment": (adjustment, 200),
    "extension": (extension, 200),
    "revocation": (revocation, 204),
    "revocation_for_a_reason": (revocation_for_a_reason, 200),
    "redemption": (redemption, 201),
    "reversal": (reversal, 201),
    "partial_return": (partial_return, 201),
    "transaction": (transaction, 201),
    "link": (link, 200),
    "void": (void, 200),
    "same_definition": (same_definition, 200),
    "linked_already": (linked_already, 200),
    "reward_named_already": (reward_named_already, 200),
    "redemption_named_already": (redemption_named_already, 200),
    "transaction_named_already": (transaction_named_already, 200),
    "short_redemption": (short_redemption, 422),
    "unknown_reward": (unknown_reward, 404),
    "refused_terms": (refused_terms, 422),
}
each_write = pytest.mark.parametrize(("write", "status"), WRITES.values(), ids=WRITES.keys())


def same_answer(first: httpx.Response, again: httpx.Response) -> None:
    """Status, body and headers are the first one's, and it says that it is a repeat."""
    assert again.status_code == first.status_code
    assert again.content == first.content
    assert "idempotency-replayed" not in first.headers
    assert again.headers["idempotency-replayed"] == "true"
    for name in ("ledger-position", "etag", "content-type"):
        assert again.headers.get(name) == first.headers.get(name)


@each_write
async def test_a_repeat_has_the_first_answer(api: Api, write: Write, status: int) -> None:
    method, path, body = await write(api)
    first = await api.send(method, path, body, idempotency_key="k-1")
    assert first.status_code == status, first.text
    head = await api.head()
    api.clock.forward(hours=1)
    same_answer(first, await api.send(method, path, body, idempotency_key="k-1"))
    assert await api.head() == head


@each_write
async def test_a_key_belongs_to_one_request(api: Api, write: Write, status: int) -> None:
    method, path, body = await write(api)
    assert (await api.send(method, path, body, idempotency_key="k-1")).status_code == status
    head = await api.head()
    other = {"name": "S", "handle": "s", "value": 1, "type": "other", "period": 1}
    answer = await api.post("/rewards/definitions", other, idempotency_key="k-1")
    refused(answer, 422, "idempotency_key_reused")
    assert await api.head() == head


@each_write
async def test_repeats_at_the_same_time_are_one(api: Api, write: Write, status: int) -> None:
    method, path, body = await write(api)
    before = await api.head()
    alone = await asyncio.gather(
        *(api.send(method, path, body, idempotency_key="k-1") for _ in range(8))
    )
    assert {answer.status_code for answer in alone} == {status}
    assert len({answer.content for answer in alone}) == 1
    fresh = [answer for answer in alone if "idempotency-replayed" not in answer.headers]
    assert len(fresh) == 1
    once = await api.head()
    await api.send(method, path, body, idempotency_key="k-1")
    assert await api.head() == once
    changes = status < 400 and "already" not in write.__name__ and write is not same_definition
    assert (once > before) is changes


async def test_a_repeat_shows_what_was_and_not_what_is(api: Api) -> None:
    made = await api.define(name="Before")
    path = f"/rewards/definitions/{made['id']}"
    given = {"profile_id": "p-1", "reward_definition_id": made["id"]}
    rewarded = await api.post("/rewards", given, idempotency_key="k-1")
    first = await api.put(path, {"name": "After"}, idempotency_key="k-2")
    await api.changed(path, {"name": "Later"})
    await api.redeem(amount=3)
    await api.delete(path)
    same_answer(rewarded, await api.post("/rewards", given, idempotency_key="k-1"))
    same_answer(first, await api.put(path, {"name": "After"}, idempotency_key="k-2"))


async def test_a_linked_sale_is_repeated_as_it_was_before_its_void(api: Api) -> None:
    await api.issue()
    sold, redeemed = await api.sell(profile_id="p-1"), await api.redeem()
    path, body = f"/transactions/{sold['id']}", {"redemption_id": redeemed["id"]}
    first = await api.put(path, body, idempotency_key="k-1")
    await api.changed(path, {"is_void": True})
    same_answer(first, await api.put(path, body, idempotency_key="k-1"))


async def test_what_changed_nothing_is_repeated_as_it_was_then(api: Api) -> None:
    """Its answer was where the log stood then; what has come since is not of it."""
    method, path, body = await same_definition(api)
    first = await api.send(method, path, body, idempotency_key="k-1")
    assert first.headers["ledger-position"] == str(await api.head())
    await api.changed(path, {"name": "Later", "value": 3})
    same_answer(first, await api.send(method, path, body, idempotency_key="k-1"))


async def spend(api: Api) -> None:
    await api.redeem(amount=3)


async def give_back(api: Api) -> None:
    (redeemed,) = await api.data("/redemptions")
    await api.made(f"/redemptions/{redeemed['id']}/return", {"amount": 1})


async def undo_sale(api: Api) -> None:
    (sold,) = await api.data("/transactions")
    await api.changed(f"/transactions/{sold['id']}", {"is_void": True})


@pytest.mark.parametrize(
    ("write", "later"),
    [
        (reward_named_already, spend),
        (redemption_named_already, give_back),
        (transaction_named_already, undo_sale),
    ],
)
async def test_what_was_there_already_is_repeated_as_it_was_then(
    api: Api, write: Write, later: Callable[[Api], Awaitable[None]]
) -> None:
    """A till repeats by external_id under a key of its own, and that answer is kept too."""
    method, path, body = await write(api)
    first = await api.send(method, path, body, idempotency_key="k-1")
    assert first.headers["ledger-position"] == str(await api.head())
    api.clock.forward(hours=1)
    await later(api)
    same_answer(first, await api.send(method, path, body, idempotency_key="k-1"))


async def test_two_clients_may_choose_the_same_key(api: Api) -> None:
    await api.issue()
    body = {"amount": 1}
    first = await api.made("/profiles/p-1/redeem", body, idempotency_key="k-1")
    other = await api.services.tokens.create("web", [ALL])
    second = await api.made(
        "/profiles/p-1/redeem", body, idempotency_key="k-1", authorization=f"Bearer {other}"
    )
    assert first["id"] != second["id"]
    assert await api.balance("p-1") == 8


async def test_a_client_keeps_its_keys_when_it_changes_its_token(api: Api) -> None:
    await api.issue()
    first = await api.post("/profiles/p-1/redeem", {"amount": 1}, idempotency_key="k-1")
    other = await api.services.tokens.create("till", [ALL], "spare")
    again = await api.post(
        "/profiles/p-1/redeem",
        {"amount": 1},
        idempotency_key="k-1",
        authorization=f"Bearer {other}",
    )
    same_answer(first, again)


BAD_KEYS = ("", " ", "a" * 256, "tab\tinside", "caf\u00e9", "nul\x00", " padded")


async def test_keys_are_printable_ascii(api: Api) -> None:
    for key in BAD_KEYS:
        headers = [(b"idempotency-key", key.encode("latin-1"))]
        response = await api.client.post(
            "/api/v3/profiles/p-1/redeem",
            json={"amount": 1},
            headers=[(b"authorization", f"Bearer {api.token}".encode()), *headers],
        )
        refused(response, 400, "invalid_idempotency_key")


@pytest.mark.parametrize("key", ["a", "a" * 255, "one two", "~!\"#$%&'()*+,-./:;<=>?@[]^_`{|}"])
async def test_any_printable_key_is_taken(api: Api, key: str) -> None:
    await api.issue()
    first = await api.post("/profiles/p-1/redeem", {"amount": 1}, idempotency_key=key)
    same_answer(first, await api.post("/profiles/p-1/redeem", {"amount": 1}, idempotency_key=key))


async def test_two_keys_on_one_request_are_refused(api: Api) -> None:
    response = await api.client.post(
        "/api/v3/profiles/p-1/redeem",
        json={"amount": 1},
        headers=[
            ("authorization", f"Bearer {api.token}"),
            ("idempotency-key", "a"),
            ("idempotency-key", "b"),
        ],
    )
    refused(response, 400, "invalid_idempotency_key")


async def test_a_dry_run_leaves_its_key_free(api: Api) -> None:
    await api.issue()
    tried = await api.post("/profiles/p-1/redeem?dry_run=true", {"amount": 1}, idempotency_key="k")
    assert tried.status_code == 200
    await api.made("/profiles/p-1/redeem", {"amount": 2}, idempotency_key="k")


async def test_what_was_never_decided_leaves_its_key_free(api: Api) -> None:
    await api.issue()
    path, key = "/profiles/p-1/redeem", "k-1"
    refused(await api.post(path, {"amount": -1}, idempotency_key=key), 422, "validation_failed")
    unreadable = await api.send_bytes("POST", path, b"{", idempotency_key=key)
    refused(unreadable, 400, "body_not_json")
    stranger = await api.post(path, {"amount": 1}, idempotency_key=key, authorization="Bearer x")
    refused(stranger, 401, "unauthenticated")
    await api.made(path, {"amount": 1}, idempotency_key=key)


@pytest.mark.parametrize(
    "again",
    [
        b'{"amount": 4}',
        b'{"amount": 4.0}',
        b'{"amount": "4.00"}',
        b'{"amount": 40e-1}',
        b'{ "meta" : null , "amount" : "4" }',
        b'{"strict": true, "strategies": ["rewards"], "amount": 4, "external_id": null}',
    ],
)
async def test_another_way_to_write_it_is_the_same_request(api: Api, again: bytes) -> None:
    await api.issue()
    path = "/profiles/p-1/redemptions"
    first = await api.send_bytes(
        "POST", path, b'{"strict": true, "amount": "4"}', idempotency_key="k-1"
    )
    same_answer(first, await api.send_bytes("POST", path, again, idempotency_key="k-1"))


async def test_never_expiring_is_another_request_than_the_usual_expiry(api: Api) -> None:
    body = {"profile_id": "p-1", "reward_definition_id": (await api.define())["id"]}
    usual = await api.made("/rewards", body, idempotency_key="k-1")
    answer = await api.post("/rewards", body | {"expires_at": None}, idempotency_key="k-1")
    refused(answer, 422, "idempotency_key_reused")
    assert usual["expires_at"]
