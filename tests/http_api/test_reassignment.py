"""Reassigning a reward over HTTP: its id stays, its owner changes."""

from typing import Any
from uuid import uuid4

from http_api.ledger_client import Api, refused

from ledger.event_store.port import Append, StreamHead, Unit
from ledger.group import new_event
from schemas.movements import Book, moved
from schemas.rewards import RewardActivated


async def reassignable(api: Api, **fields: Any) -> int:
    """10 of p-1's that may be passed on, 4 of them spent; p-2 is known. The reward's id."""
    definition = await api.define(is_reassignable=True)
    reward = await api.issue("p-1", 10, reward_definition_id=definition["id"], **fields)
    await api.redeem("p-1", 4)
    await api.issue("p-2", 1)
    return int(reward["id"])


async def reassign(api: Api, reward_id: int, to: str = "p-2", **headers: str) -> Any:
    path = f"/rewards/{reward_id}/reassign"
    answer = await api.post(path, {"profile_id": to}, **headers)
    assert answer.status_code == 200, answer.text
    return answer.json()["data"]


async def test_what_remains_changes_its_owner(api: Api) -> None:
    number = await reassignable(api)
    shown = await reassign(api, number)
    assert (shown["id"], shown["profile_id"], shown["value_remaining"]) == (number, "p-2", 6)
    assert await api.data(f"/rewards/{number}") == shown
    assert await api.data(f"/profiles/p-2/rewards/{number}") == shown
    refused(await api.get(f"/profiles/p-1/rewards/{number}"), 404, "reward_not_found")
    assert (await api.balance("p-1"), await api.balance("p-2")) == (0, 7)
    assert number not in await api.ids("/profiles/p-1/rewards")
    await api.redeem("p-2", 7)


async def test_a_reward_that_went_on_and_came_back(api: Api) -> None:
    number = await reassignable(api, external_id="x-1")
    await reassign(api, number)
    await reassign(api, number, "p-1")
    shown = await api.data(f"/rewards/{number}")
    assert (shown["profile_id"], shown["value_remaining"]) == ("p-1", 6)
    redemptions = await api.data("/profiles/p-1/redemptions")
    await api.made(f"/redemptions/{redemptions[0]['id']}/return", {"policy": "restore"})
    assert (await api.data(f"/rewards/{number}"))["value_remaining"] == 10


async def test_what_the_first_owner_gets_back_is_his(api: Api) -> None:
    number = await reassignable(api)
    await reassign(api, number)
    (redemption,) = await api.data("/profiles/p-1/redemptions")
    back = await api.made(f"/redemptions/{redemption['id']}/return", {"policy": "restore"})
    assert back["balances"]["reward_balance"] == 4
    assert [each["id"] for each in back["reissued"]] != [number]
    assert (await api.data(f"/rewards/{number}"))["value_remaining"] == 6


async def test_a_repeat_and_a_dry_run(api: Api) -> None:
    number = await reassignable(api)
    path = f"/rewards/{number}/reassign"
    tried = (await api.post(f"{path}?dry_run=true", {"profile_id": "p-2"})).json()["data"]
    assert (tried["profile_id"], tried["value_remaining"]) == ("p-2", 6)
    assert await api.balance("p-1") == 6
    first = await api.post(path, {"profile_id": "p-2"}, idempotency_key="k")
    await api.redeem("p-2", 3)
    again = await api.post(path, {"profile_id": "p-2"}, idempotency_key="k")
    assert again.json() == first.json()
    assert again.headers["idempotency-replayed"] == "true"


async def test_an_external_id_is_found_where_its_reward_has_gone(api: Api) -> None:
    number = await reassignable(api, external_id="x-1")
    reward = await api.data(f"/rewards/{number}")
    await reassign(api, number)
    body = {
        "profile_id": "p-1",
        "value_initial": 10,
        "external_id": "x-1",
        "reward_definition_id": reward["reward_definition_id"],
    }
    answer = await api.post("/rewards", body)
    assert (answer.status_code, answer.json()["data"]["profile_id"]) == (200, "p-2")


async def test_what_stays_where_it_is(api: Api) -> None:
    number = await reassignable(api)
    path = f"/rewards/{number}/reassign"
    answer = await api.post(path, {"profile_id": "p-9"})
    refused(answer, 422, "profile_not_found", "profile_id")
    refused(await api.post(path, {"profile_id": "p-1"}), 422, "same_profile")
    other = await api.issue("p-1", 5)
    answer = await api.post(f"/rewards/{other['id']}/reassign", {"profile_id": "p-2"})
    refused(answer, 409, "reward_not_reassignable")
    refused(await api.post("/rewards/77/reassign", {"profile_id": "p-2"}), 404, "reward_not_found")


async def test_a_held_reward_stays_where_it_is(api: Api) -> None:
    number = await reassignable(api)
    stream_id, store = "account-p-1", api.services.store
    last = (await store.read_streams([stream_id]))[stream_id][-1]
    held = RewardActivated(
        reward_id=number, movements=moved(number, Book.AVAILABLE, Book.HELD, 200)
    )
    event = new_event(held, stream_id, last.stream_version + 1, api.clock())
    head = StreamHead(last.stream_version, last.position)
    unit = Unit(uuid4(), "a test", (event,))
    await store.append(Append(uuid4(), (unit,), {stream_id: head}))
    answer = await api.post(f"/rewards/{number}/reassign", {"profile_id": "p-2"})
    problem = refused(answer, 409, "reward_held")
    assert problem.content["held"] == 2
