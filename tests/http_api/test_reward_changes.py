"""Adjusting and extending over HTTP: each read right after each write, Kafka or not."""

from typing import Any

import pytest
from http_api.ledger_client import Api, refused

from ledger.decider import ProgrammeSettings


async def order(api: Api) -> list[tuple[Any, ...]]:
    """The order of consumption: reward, what can be spent of it, and how much has gone by it."""
    told = await api.data("/profiles/p-1/rewards/expiry-order")
    assert [each["order"] for each in told] == list(range(1, len(told) + 1))
    return [(e["reward_id"], e["value_available"], e["value_cumulative"]) for e in told]


async def test_an_adjusted_reward_is_read_as_it_is_now(api: Api) -> None:
    first = await api.issue(value=10, expires_at="2031-04-01 00:00:00")
    second = await api.issue(value=5, expires_at="2031-05-01 00:00:00")
    assert await order(api) == [(first["id"], 10, 10), (second["id"], 5, 15)]
    changed = await api.changed(
        f"/rewards/{second['id']}",
        {"value_remaining": "3.50", "expires_at": "2031-03-20 00:00:00", "reason": "a mistake"},
    )
    assert (changed["value_initial"], changed["value_remaining"]) == (5, 3.5)
    assert changed["expires_at"] == "2031-03-20 00:00:00"
    assert changed == await api.data(f"/rewards/{second['id']}")
    assert await order(api) == [(second["id"], 3.5, 3.5), (first["id"], 10, 13.5)]
    assert await api.balance("p-1") == 13.5
    told = (await api.data("/profiles/p-1/history"))[-1]
    assert told["words"] == (
        f"Reward {second['id']} adjusted, 1.5 AUD taken back, "
        "it lives until 2031-03-20 00:00:00 UTC: a mistake"
    )
    taken = await api.redeem(amount=4)
    assert [item["id"] for item in taken["items"]] == [second["id"], first["id"]]


async def test_a_profiles_reward_is_adjusted_under_its_path_only(api: Api) -> None:
    made = await api.issue()
    changed = await api.changed(f"/profiles/p-1/rewards/{made['id']}", {"meta": {"n": 9.99}})
    assert changed["meta"] == {"n": 9.99}
    changed = await api.changed(f"/rewards/{made['id']}", {"value_remaining": 9, "reason": "why"})
    assert (changed["meta"], changed["value_remaining"]) == ({"n": 9.99}, 9)
    await api.issue("p-2")
    body = {"value_remaining": 1}
    for path in (f"/profiles/p-2/rewards/{made['id']}", "/rewards/99", "/profiles/p-1/rewards/99"):
        refused(await api.put(path, body), 404, "reward_not_found")
    assert (await api.changed(f"/rewards/{made['id']}", {"meta": None}))["meta"] is None


async def test_an_adjustment_may_rest_on_what_was_read(api: Api) -> None:
    path = f"/rewards/{(await api.issue(value=10))['id']}"
    read = (await api.get(path)).headers["etag"]
    await api.redeem(amount=1)
    refused(await api.put(path, {"value_remaining": 10}, if_match=read), 412, "precondition_failed")
    read = (await api.get(path)).headers["etag"]
    changed = await api.put(path, {"value_remaining": 8}, if_match=read)
    assert changed.status_code == 200
    assert changed.headers["etag"] == (await api.get(path)).headers["etag"] != read
    assert (await api.put(path, {"value_remaining": 7}, if_match="*")).status_code == 200
    for bad in (read.strip('"'), f"W/{read}", '"1"', f"{read}, {read}", ""):
        problem = await api.put(path, {"value_remaining": 1}, if_match=bad)
        refused(problem, 400, "invalid_if_match")


async def test_what_can_not_be_adjusted(api: Api) -> None:
    made = await api.issue(value=10, expires_at="2031-03-11 00:00:00")
    path = f"/rewards/{made['id']}"
    refused(await api.put(path, {"value_remaining": 11}), 422, "invalid_reward_terms")
    refused(await api.put(path, {"value_remaining": None}), 422, "validation_failed")
    refused(await api.put(path, {"reason": "none"}), 422, "validation_failed")
    api.clock.forward(days=1)
    refused(await api.put(path, {"expires_at": None}), 409, "reward_expired")
    other = f"/rewards/{(await api.issue())['id']}"
    await api.delete(other)
    refused(await api.put(other, {"value_remaining": 1}), 409, "reward_revoked")


async def test_a_reward_that_has_ended_by_its_new_expiry_is_gone_at_once(api: Api) -> None:
    made = await api.issue(value=10, issued_at="2031-03-01 00:00:00")
    changed = await api.changed(f"/rewards/{made['id']}", {"expires_at": "2031-03-02 00:00:00"})
    assert (changed["is_expired"], changed["value_remaining"]) == (True, 0)
    assert await api.balance("p-1") == 0
    types = [entry["type"] for entry in await api.data("/profiles/p-1/history")]
    assert types[-2:] == ["RewardAdjusted", "RewardExpired"]


async def test_a_reward_issued_spent_may_get_value(api: Api) -> None:
    """Its row was never there with value, so the read models have to find its terms."""
    made = await api.issue(value=10, value_remaining=0, expires_at="2031-04-01 00:00:00")
    await api.issue(value=1, expires_at="2031-05-01 00:00:00")
    assert await api.balance("p-1") == 1
    await api.changed(f"/rewards/{made['id']}", {"value_remaining": 2})
    assert await api.balance("p-1") == 3
    assert next(reward for reward, *_ in await order(api)) == made["id"]


async def test_dry_runs_of_changes(api: Api) -> None:
    definition = (await api.define(is_extendable=True))["id"]
    made = await api.issue(value=10, reward_definition_id=definition)
    head = await api.head()
    path = f"/rewards/{made['id']}?dry_run=true"
    assert (await api.changed(path, {"value_remaining": 4}))["value_remaining"] == 4
    body = {"profile_id": "p-1", "ids": [made["id"]], "extend_days": 1}
    tried = (await api.post("/rewards/extend?dry_run=true", body)).json()["data"]
    assert tried[0]["expires_at"] == "2031-04-10 23:59:59"
    assert await api.head() == head
    assert await api.data(f"/rewards/{made['id']}") == made


@pytest.mark.parametrize("settings", [ProgrammeSettings(adjust_max_minor=200)], ids=["two"])
async def test_staff_adjust_no_more_than_the_programme_allows(api: Api) -> None:
    path = f"/rewards/{(await api.issue(value=10))['id']}"
    api.token = await api.services.tokens.create("desk", ["update-rewards", "read-rewards"])
    problem = await api.put(path, {"value_remaining": 7.99})
    assert refused(problem, 403, "limit_exceeded").content["limit"] == 2
    assert (await api.put(path, {"value_remaining": 8})).status_code == 200


# ── Extend ───────────────────────────────────────────────────────────────────────────────────────


async def extended(api: Api, *ids: int, **fields: Any) -> list[dict[str, Any]]:
    """What an extension that must succeed gives."""
    body = {"profile_id": "p-1", "ids": ids, **fields}
    response = await api.post("/rewards/extend", body)
    assert response.status_code == 200, response.text
    found: list[dict[str, Any]] = response.json()["data"]
    return found


async def test_rewards_are_extended_together_in_the_order_asked_for(api: Api) -> None:
    definition = (await api.define(is_extendable=True, extend_days=7))["id"]
    first = await api.issue(value=10, reward_definition_id=definition)
    second = await api.issue(
        value=5, reward_definition_id=definition, expires_at="2031-03-20 00:00:00"
    )
    assert [reward for reward, *_ in await order(api)] == [second["id"], first["id"]]
    told = await extended(api, second["id"], first["id"])
    assert [(each["id"], each["expires_at"]) for each in told] == [
        (second["id"], "2031-03-27 00:00:00"),
        (first["id"], "2031-04-16 23:59:59"),
    ]
    assert {each["extended_at"] for each in told} == {"2031-03-10 09:30:00"}
    for each in told:
        assert each == await api.data(f"/rewards/{each['id']}")
    body = {"profile_id": "p-1", "ids": [first["id"]], "extend_days": 1}
    refused(await api.post("/rewards/extend", body), 409, "already_extended")


async def test_what_had_expired_comes_back_everywhere(api: Api) -> None:
    definition = (await api.define(is_extendable=True))["id"]
    made = await api.issue(
        value=10, reward_definition_id=definition, expires_at="2031-03-11 00:00:00"
    )
    await api.redeem(amount=4)
    api.clock.forward(days=2)
    await api.issue(value=1)  # records the expiry
    assert await api.balance("p-1") == 1
    (told,) = await extended(api, made["id"], extend_date="2031-03-20")
    assert (told["is_expired"], told["value_remaining"]) == (False, 6)
    assert told["expires_at"] == "2031-03-20 23:59:59"
    assert await api.balance("p-1") == 7
    assert (await order(api))[0] == (made["id"], 6, 6)
    words = (await api.data("/profiles/p-1/history"))[-1]["words"]
    assert words == (
        f"Reward {made['id']} extended from 2031-03-11 00:00:00 UTC, now until 2031-03-20 23:59:59 "
        "UTC; 6 AUD that had expired came back"
    )
    line = (await api.data("/profiles/p-1/ledgers"))[0]
    assert (line["amount"], line["balance"]) == (6, 7)
    assert (await api.redeem(amount=6))["items"][0]["id"] == made["id"]
    api.clock.forward(days=10)
    assert await api.balance("p-1") == 1


async def test_an_extended_pending_reward_and_one_without_value(api: Api) -> None:
    definition = (await api.define(is_extendable=True))["id"]
    later = await api.issue(
        value=10, reward_definition_id=definition, issued_at="2031-03-15 00:00:00"
    )
    spent = await api.issue(
        value=5, reward_definition_id=definition, expires_at="2031-03-20 00:00:00"
    )
    redeemed = await api.redeem(amount=5)
    await extended(api, later["id"], spent["id"], extend_days=30)
    assert await order(api) == []
    assert (await api.post(f"/redemptions/{redeemed['id']}/reversal")).status_code == 201
    api.clock.forward(days=30)
    assert await order(api) == [(spent["id"], 5, 5), (later["id"], 10, 15)]
    assert await api.balance("p-1") == 15


async def test_what_can_not_be_extended(api: Api) -> None:
    plain = await api.issue()
    body = {"profile_id": "p-1", "ids": [plain["id"]], "extend_days": 1}
    refused(await api.post("/rewards/extend", body), 409, "reward_not_extendable")
    refused(await api.post("/rewards/extend", body | {"ids": [99]}), 404, "reward_not_found")
    unknown = body | {"profile_id": "p-2"}
    refused(await api.post("/rewards/extend", unknown), 404, "profile_not_found")
    for fields in ({"ids": [1, 1]}, {"ids": []}, {"extend_date": "2031-04-01"}):
        refused(await api.post("/rewards/extend", body | fields), 422, "validation_failed")
    await api.delete(f"/rewards/{plain['id']}")
    refused(await api.post("/rewards/extend", body), 409, "reward_revoked")


async def test_changing_rewards_takes_its_own_scope(api: Api) -> None:
    made = await api.issue()
    api.token = await api.services.tokens.create("till", ["create-rewards", "delete-rewards"])
    body = {"profile_id": "p-1", "ids": [made["id"]]}
    refused(await api.post("/rewards/extend", body), 403, "forbidden")
    refused(await api.put(f"/rewards/{made['id']}", {"meta": {}}), 403, "forbidden")


async def test_a_reassigned_reward_is_adjusted_and_extended_where_it_is(api: Api) -> None:
    definition = (await api.define(is_extendable=True, is_reassignable=True))["id"]
    made = await api.issue("p-1", 10, reward_definition_id=definition)
    await api.issue("p-2", 1)
    await api.changed(f"/rewards/{made['id']}", {"value_remaining": 8, "meta": {"n": 1}})
    given = await api.post(f"/rewards/{made['id']}/reassign", {"profile_id": "p-2"})
    assert given.status_code == 200, given.text
    read = (await api.get(f"/rewards/{made['id']}")).headers["etag"]
    changed = await api.changed(f"/rewards/{made['id']}", {"value_remaining": 6}, if_match=read)
    assert (changed["profile_id"], changed["value_remaining"]) == ("p-2", 6)
    body = {"ids": [made["id"]], "extend_days": 3}
    elsewhere = await api.post("/rewards/extend", {"profile_id": "p-1", **body})
    refused(elsewhere, 404, "reward_not_found")
    here = await api.post("/rewards/extend", {"profile_id": "p-2", **body})
    assert here.json()["data"][0]["expires_at"] == "2031-04-12 23:59:59"
    assert (await api.balance("p-1"), await api.balance("p-2")) == (0, 7)
