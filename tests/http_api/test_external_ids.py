"""A sender's own name for what it creates: once for each kind, and for ever."""

from typing import Any

import pytest
from http_api.ledger_client import Api, refused, sale


async def reward(api: Api) -> tuple[str, dict[str, Any]]:
    definition = (await api.define())["id"]
    return "/rewards", {"profile_id": "p-1", "reward_definition_id": definition}


async def redemption(api: Api) -> tuple[str, dict[str, Any]]:
    await api.issue()
    return "/profiles/p-1/redeem", {"amount": 4}


async def transaction(_: Api) -> tuple[str, dict[str, Any]]:
    return "/transactions", sale(profile_id="p-1")


each_kind = pytest.mark.parametrize("kind", [reward, redemption, transaction])


@each_kind
async def test_a_repeat_shows_the_object_as_it_is(api: Api, kind: Any) -> None:
    path, body = await kind(api)
    made = await api.made(path, body | {"external_id": "x-1"})
    assert made["external_id"] == "x-1"
    head = await api.head()
    again = await api.post(path, {"external_id": "x-1", **body})
    assert again.status_code == 200, again.text
    assert again.json()["data"] == made
    assert await api.head() == head


@each_kind
async def test_another_request_under_the_name_is_refused(api: Api, kind: Any) -> None:
    path, body = await kind(api)
    await api.made(path, body | {"external_id": "x-1"})
    head = await api.head()
    other = body | {"external_id": "x-1", "meta": {"other": True}}
    refused(await api.post(path, other), 409, "external_id_taken", "external_id")
    assert await api.head() == head


@each_kind
async def test_a_repeat_under_a_key_is_kept_under_the_key(api: Api, kind: Any) -> None:
    path, body = await kind(api)
    named = body | {"external_id": "x-1"}
    made = await api.made(path, named)
    first = await api.post(path, named, idempotency_key="k-1")
    again = await api.post(path, named, idempotency_key="k-1")
    assert (first.status_code, again.status_code) == (200, 200)
    assert first.json()["data"] == again.json()["data"] == made


async def test_the_same_name_may_mean_one_of_each_kind(api: Api) -> None:
    for kind in (reward, redemption, transaction):
        path, body = await kind(api)
        await api.made(path, body | {"external_id": "x-1"})


async def test_what_has_changed_since_is_shown_changed(api: Api) -> None:
    path, body = await reward(api)
    made = await api.made(path, body | {"external_id": "x-1"})
    await api.redeem(amount=3)
    again = (await api.post(path, body | {"external_id": "x-1"})).json()["data"]
    assert again == made | {"value_remaining": 7}
    await api.delete(f"/rewards/{made['id']}")
    gone = (await api.post(path, body | {"external_id": "x-1"})).json()["data"]
    assert gone["is_revoked"] is True


@pytest.mark.parametrize("undo", ["reversal", "return"])
async def test_a_redemption_given_back_is_not_made_again(api: Api, undo: str) -> None:
    path, body = await redemption(api)
    made = await api.made(path, body | {"external_id": "x-1"})
    await api.made(f"/redemptions/{made['id']}/{undo}")
    again = await api.post(path, body | {"external_id": "x-1"})
    refused(again, 409, "external_id_taken", "external_id")


async def test_a_redemption_returned_in_part_is_shown_as_it_is(api: Api) -> None:
    path, body = await redemption(api)
    made = await api.made(path, body | {"external_id": "x-1"})
    await api.made(f"/redemptions/{made['id']}/return", {"amount": 1})
    again = await api.post(path, body | {"external_id": "x-1"})
    assert again.json()["data"]["returned"] == 1
    assert again.json()["data"]["balances"]["reward_balance"] == 7


async def test_defaults_may_be_said_or_left_out(api: Api) -> None:
    path, body = await redemption(api)
    made = await api.made(path, body | {"external_id": "x-1"})
    said = {"amount": "4.00", "strict": True, "strategies": ["rewards"], "meta": None}
    again = await api.post(path, said | {"external_id": "x-1"})
    assert again.json()["data"]["id"] == made["id"]
