"""Rewards over HTTP: terms, time, order, revoking; each read right after each write."""

from typing import Any

import pytest
from http_api.ledger_client import Api, refused


async def test_what_is_left_out_comes_from_the_definition(api: Api) -> None:
    definition = await api.define(value="7.25", period=1, period_type="months", handle="h")
    made = await api.made(
        "/profiles/p-1/rewards",
        {"reward_definition_handle": "h", "timezone": "Australia/Melbourne"},
    )
    assert (made["value_initial"], made["value_remaining"]) == (7.25, 7.25)
    assert made["reward_definition_id"] == definition["id"]
    assert made["issued_local_at"] == "2031-03-10 20:30:00"
    assert made["expires_local_at"] == "2031-04-10 23:59:59"
    assert made["expires_at"] == "2031-04-10 13:59:59"
    assert (made["is_active"], made["is_pending"], made["is_expired"]) == (True, False, False)


@pytest.mark.parametrize(
    ("fields", "code", "field"),
    [
        (
            {"value_initial": 1, "value_remaining": 1.01},
            "invalid_reward_terms",
            "value_remaining",
        ),
        (
            {"issued_at": "2031-03-10 00:00:01", "expires_at": "2031-03-10 00:00:00"},
            "invalid_reward_terms",
            "expires_at",
        ),
        ({"issued_at": "9999-12-31 00:00:00"}, "invalid_reward_terms", "expires_at"),
        (
            {"issued_at": "9999-12-31 23:00:00", "timezone": "America/New_York"},
            "invalid_reward_terms",
            "issued_at",
        ),
        ({"reward_definition_id": 99}, "reward_definition_not_found", "reward_definition_id"),
        ({"reward_definition_handle": "h"}, "validation_failed", "body"),
    ],
)
async def test_terms_that_do_not_fit(
    api: Api, fields: dict[str, Any], code: str, field: str
) -> None:
    body = {"profile_id": "p-1", "reward_definition_id": (await api.define())["id"]}
    head = await api.head()
    problem = refused(await api.post("/rewards", body | fields), 422, code, field)
    assert len(problem.errors) == 1
    assert await api.head() == head


async def test_the_nearest_expiry_is_consumed_first(api: Api) -> None:
    never = await api.issue(value=1, expires_at=None)
    late = await api.issue(value=2, expires_at="2031-06-01 00:00:00")
    soon = await api.issue(value=4, expires_at="2031-04-01 00:00:00")
    older = await api.issue(
        value=8, expires_at="2031-06-01 00:00:00", issued_at="2031-01-01 00:00:00"
    )
    order = await api.data("/profiles/p-1/rewards/expiry-order")
    wanted = [soon["id"], older["id"], late["id"], never["id"]]
    assert [each["reward_id"] for each in order] == wanted
    taken = await api.redeem(amount=13)
    assert [(item["id"], item["value"]) for item in taken["items"]] == [
        (soon["id"], 4),
        (older["id"], 8),
        (late["id"], 1),
    ]
    order = await api.data("/profiles/p-1/rewards/expiry-order")
    assert [(e["reward_id"], e["value_available"]) for e in order] == [
        (late["id"], 1),
        (never["id"], 1),
    ]


async def test_a_reward_lives_to_the_end_of_its_last_second(api: Api) -> None:
    made = await api.issue(value=5, expires_at="2031-03-10 09:30:00")
    api.clock.forward(microseconds=999_999)
    assert await api.balance("p-1") == 5
    assert (await api.data(f"/rewards/{made['id']}"))["is_expired"] is False
    assert len(await api.data("/profiles/p-1/rewards/expiry-order")) == 1
    api.clock.forward(microseconds=1)
    assert await api.balance("p-1") == 0
    gone = await api.data(f"/rewards/{made['id']}")
    assert (gone["is_expired"], gone["is_active"], gone["value_remaining"]) == (True, False, 0)
    assert (await api.data("/profiles/p-1/rewards"))[0] == gone
    assert await api.data("/profiles/p-1/rewards/expiry-order") == []
    problem = refused(
        await api.post("/profiles/p-1/redeem", {"amount": 1}), 422, "insufficient_balance"
    )
    assert problem.content["available"] == 0


async def test_what_was_spent_does_not_expire(api: Api) -> None:
    await api.issue(value=10, expires_at="2031-03-11 00:00:00")
    await api.redeem(amount=8)
    await api.issue(value=3)
    api.clock.forward(days=2)
    assert await api.balance("p-1") == 3


async def test_a_reward_of_tomorrow_is_pending_until_then(api: Api) -> None:
    made = await api.issue(value=5, issued_at="2031-03-11 00:00:00")
    assert (made["is_pending"], made["is_active"]) == (True, False)
    shown = await api.data("/profiles/p-1/balances")
    assert (shown["reward_balance"], shown["pending_reward_balance"]) == (0, 5)
    assert await api.data("/profiles/p-1/rewards/expiry-order") == []
    api.clock.forward(hours=14, minutes=30)
    assert await api.balance("p-1") == 5
    assert len(await api.data("/profiles/p-1/rewards/expiry-order")) == 1
    assert (await api.redeem(amount=5))["balances"]["pending_reward_balance"] == 0


async def test_a_revoked_reward_is_gone_unless_asked_for(api: Api) -> None:
    made = await api.issue(value=10)
    await api.redeem(amount=4)
    for path in (f"/rewards/{made['id']}", f"/profiles/p-1/rewards/{made['id']}"):
        assert (await api.data(path))["value_remaining"] == 6
    assert (await api.delete(f"/rewards/{made['id']}")).status_code == 204
    assert await api.balance("p-1") == 0
    for path in (f"/rewards/{made['id']}", f"/profiles/p-1/rewards/{made['id']}"):
        refused(await api.get(path), 404, "reward_not_found")
        shown = await api.data(f"{path}?include=revoked")
        assert (shown["is_revoked"], shown["value_remaining"]) == (True, 0)
        refused(await api.get(f"{path}?include=all"), 422, "validation_failed", "include")
        refused(await api.get(f"{path}?include="), 422, "validation_failed", "include")
    assert await api.ids("/rewards") == await api.ids("/profiles/p-1/rewards") == []
    refused(await api.delete(f"/rewards/{made['id']}"), 404, "reward_not_found")


async def test_a_reward_is_revoked_for_a_reason_that_its_history_tells(api: Api) -> None:
    made = await api.issue(value=10)
    shown = await api.post(f"/rewards/{made['id']}/revoke", {"reason": "given by mistake"})
    assert shown.status_code == 200
    assert (shown.json()["data"]["is_revoked"], shown.json()["data"]["value_remaining"]) == (
        True,
        0,
    )
    assert await api.balance("p-1") == 0
    told = await api.data("/profiles/p-1/history")
    assert told[-1]["words"].endswith(": given by mistake")
    again = await api.post(f"/rewards/{made['id']}/revoke", {"reason": "given by mistake"})
    refused(again, 404, "reward_not_found")


async def test_what_to_include_is_read_whether_or_not_the_reward_is_revoked(api: Api) -> None:
    made = await api.issue()
    for path in (f"/rewards/{made['id']}", f"/profiles/p-1/rewards/{made['id']}", "/rewards/99"):
        refused(await api.get(f"{path}?include=C"), 422, "validation_failed", "include")


async def test_a_reward_belongs_to_one_profile(api: Api) -> None:
    mine, other = await api.issue("p-1"), await api.issue("p-2")
    path = f"/profiles/p-1/rewards/{other['id']}"
    refused(await api.get(path), 404, "reward_not_found")
    refused(await api.delete(path), 404, "reward_not_found")
    assert await api.ids("/profiles/p-1/rewards") == [mine["id"]]
    assert await api.balance("p-2") == 10
    assert (await api.delete(f"/profiles/p-2/rewards/{other['id']}")).status_code == 204


async def test_a_uuid_means_the_same_profile_in_either_case(api: Api) -> None:
    profile = "8F3C2B1E-0000-4000-8000-00000000000A"
    made = await api.issue(profile)
    assert made["profile_id"] == profile.lower()
    assert await api.balance(profile) == await api.balance(profile.lower()) == 10
    refused(await api.get("/profiles/P-1/balances"), 404, "profile_not_found")


@pytest.mark.parametrize(
    "path",
    ["balances", "ledgers", "history", "rewards", "rewards/expiry-order", "redemptions",
     "transactions"],
)  # fmt: skip
async def test_a_profile_nobody_knows(api: Api, path: str) -> None:
    refused(await api.get(f"/profiles/nobody/{path}"), 404, "profile_not_found")


async def test_numbers_come_back_as_numbers(api: Api) -> None:
    for _ in range(10):
        await api.issue(value=0.1)
    await api.issue(value="9007199254740.99")
    text = (await api.get("/profiles/p-1/balances")).text
    assert '"reward_balance":9007199254741.99,' in text
    await api.redeem(amount=9007199254741)
    assert '"reward_balance":0.99,' in (await api.get("/profiles/p-1/balances")).text
    lists = [(await api.get(path)).text for path in ("/rewards", "/profiles/p-1/ledgers")]
    assert not any("0000000" in text or "99999" in text for text in lists)


async def test_filters_see_what_time_has_done(api: Api) -> None:
    """Recorded or not: a list never shows one thing and filters by another."""
    ending = await api.issue(value=10, expires_at="2031-03-11 00:00:00")
    coming = await api.issue(value=5, issued_at="2031-03-12 00:00:00")
    lasting = await api.issue(value=3, expires_at=None)

    async def found(query: str) -> set[int]:
        return set(await api.ids(f"/profiles/p-1/rewards?{query}"))

    assert await found("filter[is_active]=true") == {ending["id"], lasting["id"]}
    assert await found("filter[is_expired]=true") == set()
    assert await found("filter[value_remaining][gt]=4") == {ending["id"], coming["id"]}
    api.clock.forward(days=3)
    assert await found("filter[is_active]=true") == {coming["id"], lasting["id"]}
    assert await found("filter[is_expired]=true") == {ending["id"]}
    assert await found("filter[value_remaining]=0") == {ending["id"]}
    by_value = await api.ids("/profiles/p-1/rewards?sort=-value_remaining")
    assert by_value == [coming["id"], lasting["id"], ending["id"]]
    assert await found("filter[source_type][nullable]=true") == {
        ending["id"],
        coming["id"],
        lasting["id"],
    }


async def test_a_reward_made_by_a_return_says_so(api: Api) -> None:
    made = await api.issue(value=10)
    redeemed = await api.redeem(amount=10)
    await api.made(f"/redemptions/{redeemed['id']}/return")
    (new,) = await api.data(f"/profiles/p-1/rewards?filter[source_id]={redeemed['id']}")
    assert (new["source_type"], new["source_id"]) == ("redemption", redeemed["id"])
    assert (new["restored_from"], made["source_type"], made["source_id"]) == (
        made["id"],
        None,
        None,
    )


async def test_who_was_told_before_is_kept(api: Api) -> None:
    made = await api.issue(has_notified_issue="1", has_notified_expiry=True)
    told = {"has_notified_issue": True, "has_notified_expiry": True, "has_notified_extend": False}
    assert told.items() <= made.items()
    assert (await api.issue())["has_notified_issue"] is False
    assert made["notify_issue_at"] is made["notify_expiry_at"] is made["extended_at"] is None


async def test_a_reward_imported_as_expired_is_issued_and_expired(api: Api) -> None:
    made = await api.issue(
        value=10, issued_at="2030-01-01 00:00:00", expires_at="2030-02-01 00:00:00"
    )
    assert (made["is_expired"], made["value_remaining"], made["value_initial"]) == (True, 0, 10)
    assert made == await api.data(f"/rewards/{made['id']}")
    assert await api.data("/profiles/p-1/rewards/expiry-order") == []
    types = [entry["type"] for entry in await api.data("/profiles/p-1/history")]
    assert types == ["ProfileRegistered", "RewardIssued", "RewardExpired"]


async def test_when_a_profile_is_to_be_told(api: Api) -> None:
    told = (await api.define(notify_issue_offset=2, notify_expiry_offset=336))["id"]
    made = await api.issue(reward_definition_id=told, expires_at="2031-04-01 00:00:00")
    assert made["notify_issue_at"] == "2031-03-10 11:30:00"
    assert made["notify_expiry_at"] == "2031-03-18 00:00:00"
    assert await api.data("/profiles/p-1/rewards") == [made]
    never = await api.issue("p-2", reward_definition_id=told, expires_at=None)
    assert never["notify_expiry_at"] is None


async def test_a_hold_that_has_lapsed_is_filtered_as_it_is_shown(api: Api) -> None:
    made = await api.issue(value=10, expires_at="2031-03-10 09:40:00")
    await api.redeem(amount=4, hold="PT15M")
    api.clock.forward(minutes=11)
    assert await api.ids("/profiles/p-1/rewards?filter[value_remaining]=4") == [made["id"]]
    api.clock.forward(minutes=5)
    assert await api.ids("/profiles/p-1/rewards?filter[value_remaining]=0") == [made["id"]]
