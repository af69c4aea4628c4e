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
        "max_value": 99.99,
        "currency": "AUD",
        "timezone": "Australia/Melbourne",
        "max_per_profile": 3,
        "max_total": 1000,
        "eligibility": {"and": [{">=": [{"var": "profile.balance"}, 0.5]}, True]},
        "region_id": "south",
        "issue_target_id": 12,
        "expiry_target_id": 13,
        "extend_target_id": 14,
        "notify_issue_offset": 0,
        "notify_expiry_offset": 48,
        "notify_issue_offset_days": 1,
        "notify_issue_offset_hour": 9,
        "notify_remind_offset_days": 14,
        "notify_remind_offset_hour": 10,
        "notify_extend_offset_days": 2,
        "notify_extend_offset_hour": 11,
        "notify_schedule_offset": 3,
    }
    zoned = {"start_at": "2031-03-01 00:00:00", "end_at": "2031-12-31 23:59:59"}
    made = await api.made("/reward-definitions", sent | zoned)
    assert {name: made[name] for name in sent} == sent
    assert (made["start_at"], made["end_at"]) == ("2031-02-28 13:00:00", "2031-12-31 12:59:59")
    assert {name: made[name.replace("_at", "_local_at")] for name in zoned} == zoned
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


async def test_an_absolute_date_comes_back_and_ends_every_reward(api: Api) -> None:
    dated = {"period": 0, "period_type": "absolute_date", "absolute_expiry": "2031-12-31"}
    made = await api.define(**dated)
    assert {name: made[name] for name in dated} == dated
    assert await api.data(f"/rewards/definitions/{made['id']}") == made
    issued = await api.issue(reward_definition_id=made["id"], timezone="Australia/Melbourne")
    assert issued["expires_local_at"] == "2031-12-31 23:59:59"


async def test_what_contradicts_itself_is_refused(api: Api) -> None:
    body = {"name": "R", "handle": "r", "value": 10, "type": "other", "period": 0}
    refused(await api.post("/rewards/definitions", body), 422, "invalid_reward_definition")
    priced = body | {"period": 1, "currency": "NZD"}
    refused(await api.post("/rewards/definitions", priced), 422, "unsupported_currency", "currency")


async def test_rewards_are_issued_in_their_time_only(api: Api) -> None:
    made = await api.define(start_at="2031-03-11 00:00:00", end_at="2031-03-11 23:59:59")
    body = {"profile_id": "p-1", "reward_definition_id": made["id"]}
    refused(await api.post("/rewards", body), 409, "reward_definition_not_started")
    await api.made("/rewards", body | {"issued_at": "2031-03-11 00:00:00"})
    api.clock.forward(days=2)
    refused(await api.post("/rewards", body), 409, "reward_definition_ended")


async def test_a_profile_gets_as_many_as_it_may(api: Api) -> None:
    made = await api.define(max_per_profile=1)
    body = {"profile_id": "p-1", "reward_definition_id": made["id"]}
    answers = await asyncio.gather(*(api.post("/rewards", body) for _ in range(20)))
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 19
    refused(await api.post("/rewards", body), 409, "max_per_profile_reached")
    await api.made("/rewards", body | {"profile_id": "p-2"})


async def test_all_together_get_as_many_as_there_are(api: Api) -> None:
    made = await api.define(max_total=3)
    bodies = ({"profile_id": f"p-{n}", "reward_definition_id": made["id"]} for n in range(20))
    answers = await asyncio.gather(*(api.post("/rewards", body) for body in bodies))
    assert sorted(answer.status_code for answer in answers) == [201] * 3 + [409] * 17
    body = {"profile_id": "p-99", "reward_definition_id": made["id"]}
    refused(await api.post("/rewards", body), 409, "max_total_reached")
    await api.changed(f"/rewards/definitions/{made['id']}", {"max_total": 4})
    await api.made("/rewards", body)
    refused(await api.post("/rewards", body), 409, "max_total_reached")


async def test_a_dry_run_takes_none_of_them(api: Api) -> None:
    made = await api.define(max_total=1)
    body = {"profile_id": "p-1", "reward_definition_id": made["id"]}
    assert (await api.post("/rewards?dry_run=true", body)).status_code == 200
    await api.made("/rewards", body)
    refused(await api.post("/rewards?dry_run=true", body), 409, "max_total_reached")


async def test_a_repeat_is_counted_once(api: Api) -> None:
    made = await api.define(max_total=2)
    body = {"profile_id": "p-1", "reward_definition_id": made["id"]}
    for _ in range(3):
        await api.post("/rewards", body, idempotency_key="k")
    await api.made("/rewards", body | {"external_id": "e"})
    assert (await api.post("/rewards", body | {"external_id": "e"})).status_code == 200


async def test_every_version_is_told_with_its_author(api: Api) -> None:
    made = await api.define(eligibility={"==": [1, 1]}, start_at="2031-01-01 00:00:00")
    path = f"/rewards/definitions/{made['id']}"
    api.clock.forward(hours=1)
    changed = await api.changed(path, {"value": "20.50", "eligibility": None})
    for each in (path, f"/reward-definitions/{made['id']}"):
        newest, first = await api.data(f"{each}/versions")
        assert newest["changed_by"] == first["changed_by"] == "till"
        assert newest["changed_at"] == "2031-03-10 10:30:00"
        assert newest == {name: newest[name] for name in newest} | {
            name: changed[name] for name in changed if name in newest
        }
        assert (first["version"], first["value"], first["eligibility"]) == (1, 10, {"==": [1, 1]})
    assert newest["changes"] == {
        "value": {"from": 10, "to": 20.5},
        "eligibility": {"from": {"==": [1, 1]}, "to": None},
    }
    assert first["changes"] is None
    assert len(await api.data(f"{path}/versions?filter[version]=1")) == 1
    assert (await api.data(f"{path}/versions?filter[version]=2")) == [newest]
    refused(await api.get("/rewards/definitions/99/versions"), 404, "reward_definition_not_found")


@pytest.mark.parametrize(
    "rule",
    [{}, {"a": 1}, {"today": []}, {"==": [1]}, {"var": "profile.tire"}, {"or": [True] * 500}],
)
async def test_a_rule_that_is_none_is_refused_when_it_is_written(api: Api, rule: object) -> None:
    body = {"name": "R", "handle": "r", "value": 10, "type": "other", "period": 1}
    answer = await api.post("/rewards/definitions", body | {"eligibility": rule})
    refused(answer, 422, "validation_failed", "eligibility")


async def test_nobody_is_eligible_whom_the_rule_leaves_out(api: Api) -> None:
    made = await api.define(eligibility={"!": {"var": "profile.id"}})
    body = {"profile_id": "p-1", "reward_definition_id": made["id"]}
    refused(await api.post("/rewards", body), 409, "not_eligible")
    await api.changed(f"/rewards/definitions/{made['id']}", {"eligibility": None})
    await api.made("/rewards", body)
