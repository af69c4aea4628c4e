"""Definitions over HTTP: versions, conditional changes, archiving."""

import asyncio

import pytest
from http_api.ledger_client import Api, refused


async def test_every_field_comes_back(api: Api) -> None:
    sent = {
        "name": "Welcome",
        "handle": "welcome.2031",
        "value": 12.5,
        "type": "welcome",
        "period": 2,
        "period_type": "months",
        "description": "d",
        "short_description": "s",
        "long_description": "<p>l</p>",
        "terms_conditions": "t",
        "earn_instructions": "e",
        "icon": "i",
        "image_url": "https://example.org/i.png",
        "internal_notes": "n",
        "tags": ["a", "b"],
        "meta": {"n": 0.1, "deep": {"x": [1, None, "y"]}},
        "is_assignable": False,
        "is_reassignable": True,
        "is_extendable": True,
        "is_published": True,
        "extend_days": 14,
        "min_spend": 50,
        "max_redeem_per_transaction": 12.5,
    }
    made = await api.made("/reward-definitions", sent)
    assert {name: made[name] for name in sent} == sent
    assert (made["version"], made["is_archived"], made["archived_at"]) == (1, False, None)
    assert made["created_at"] == made["updated_at"] == "2031-03-10 09:30:00"
    for path in ("/rewards/definitions", "/reward-definitions"):
        assert await api.data(f"{path}/{made['id']}") == made
        assert await api.data(path) == [made]


async def test_a_change_is_a_new_version_for_later_rewards_only(api: Api) -> None:
    made = await api.define(description="d", tags=["a"])
    path = f"/rewards/definitions/{made['id']}"
    before = await api.issue(value=None, reward_definition_id=made["id"])
    changed = await api.changed(path, {"value": "20.50", "description": None})
    assert changed == made | {"version": 2, "value": 20.5, "description": None}
    assert await api.data(path) == changed
    after = await api.issue(value=None, reward_definition_id=made["id"])
    assert (before["value_initial"], before["reward_definition_version"]) == (10, 1)
    assert (after["value_initial"], after["reward_definition_version"]) == (20.5, 2)


async def test_a_change_to_the_same_is_no_version(api: Api) -> None:
    made = await api.define()
    head = await api.head()
    assert await api.changed(f"/rewards/definitions/{made['id']}", {"name": made["name"]}) == made
    assert await api.head() == head


async def test_handles_are_taken_for_ever_and_never_change(api: Api) -> None:
    made = await api.define(handle="once")
    await api.delete(f"/rewards/definitions/{made['id']}")
    body = {"name": "R", "handle": "once", "value": 1, "type": "other", "period": 1}
    refused(await api.post("/rewards/definitions", body), 409, "handle_taken", "handle")
    change = await api.put(f"/rewards/definitions/{made['id']}", {"handle": "twice"})
    refused(change, 422, "validation_failed", "handle")


async def test_an_archived_definition_issues_nothing_and_stays_readable(api: Api) -> None:
    made = await api.define()
    rewarded = await api.issue(reward_definition_id=made["id"])
    path = f"/rewards/definitions/{made['id']}"
    assert (await api.delete(path)).status_code == 204
    assert (await api.delete(path)).status_code == 204
    shown = await api.data(path)
    assert (shown["is_archived"], shown["archived_at"]) == (True, "2031-03-10 09:30:00")
    body = {"profile_id": "p-1", "reward_definition_id": made["id"]}
    refused(await api.post("/rewards", body), 409, "reward_definition_not_assignable")
    assert (await api.data(f"/rewards/{rewarded['id']}"))["value_remaining"] == 10


async def test_what_may_not_be_assigned_is_not(api: Api) -> None:
    made = await api.define(is_assignable=False, handle="manual")
    body = {"profile_id": "p-1", "reward_definition_handle": "manual"}
    refused(await api.post("/rewards", body), 409, "reward_definition_not_assignable")
    await api.changed(f"/rewards/definitions/{made['id']}", {"is_assignable": True})
    assert (await api.made("/rewards", body))["reward_definition_id"] == made["id"]


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
async def test_one_there_is_not(api: Api, method: str) -> None:
    body = {"name": "N"} if method == "PUT" else None
    answer = await api.send(method, "/rewards/definitions/99", body)
    refused(answer, 404, "reward_definition_not_found")


async def test_the_etag_is_the_version(api: Api) -> None:
    added = await api.post(
        "/rewards/definitions",
        {"name": "R", "handle": "r", "value": 1, "type": "other", "period": 1},
    )
    path = f"/rewards/definitions/{added.json()['data']['id']}"
    read = await api.get(path)
    assert added.headers["etag"] == read.headers["etag"] == '"1"'
    changed = await api.put(path, {"name": "S"}, if_match=read.headers["etag"])
    assert changed.headers["etag"] == '"2"'
    stale = await api.put(path, {"name": "T"}, if_match=read.headers["etag"])
    refused(stale, 412, "precondition_failed")
    tried = await api.put(f"{path}?dry_run=true", {"name": "T"}, if_match='"1"')
    refused(tried, 412, "precondition_failed")
    assert (await api.data(path))["name"] == "S"
    assert (await api.put(path, {"name": "U"}, if_match="*")).headers["etag"] == '"3"'
    assert (await api.put(path, {"name": "U"}, if_match='"3"')).headers["etag"] == '"3"'


@pytest.mark.parametrize("tag", ["", "1", '"0"', 'W/"1"', '"1", "2"', '"x"', '"' + "9" * 400 + '"'])
async def test_an_if_match_nobody_was_given_is_refused(api: Api, tag: str) -> None:
    path = f"/rewards/definitions/{(await api.define())['id']}"
    refused(await api.put(path, {"name": "T"}, if_match=tag), 400, "invalid_if_match")


async def test_of_changes_to_one_version_one_succeeds(api: Api) -> None:
    path = f"/rewards/definitions/{(await api.define())['id']}"
    answers = await asyncio.gather(
        *(api.put(path, {"name": f"N{number}"}, if_match='"1"') for number in range(10))
    )
    assert sorted(answer.status_code for answer in answers) == [200] + [412] * 9


async def test_the_precondition_belongs_to_the_request(api: Api) -> None:
    path, body = f"/rewards/definitions/{(await api.define())['id']}", {"name": "S"}
    first = await api.put(path, body, if_match='"1"', idempotency_key="k-1")
    again = await api.put(path, body, if_match='"1"', idempotency_key="k-1")
    assert again.content == first.content
    other = await api.put(path, body, if_match='"2"', idempotency_key="k-1")
    refused(other, 422, "idempotency_key_reused")
