"""Why a balance is what it is: the rewards behind each number, and each step of their lives."""

from decimal import Decimal
from typing import Any

import pytest
from http_api.ledger_client import Api, refused, sale
from http_api.test_past import hours

EXPLAIN = "/profiles/p-1/balances/explain"
NUMBERS = ("available", "pending", "held")


async def explained(api: Api, query: str = "") -> Any:
    """An explanation that sums up: steps to rewards, and rewards to the balance."""
    answer = await api.get(f"{EXPLAIN}?page[size]=200&{query}")
    assert answer.status_code == 200, answer.text
    content = answer.json()
    balances = content["meta"]["balances"]
    names = ("reward_balance", "pending_reward_balance", "held_reward_balance")
    for number, name in zip(NUMBERS, names, strict=True):
        if f"number={number}" in query or "number=" not in query:
            assert total(content["data"], number) == Decimal(str(balances[name]))
    for lot in content["data"]:
        for number in NUMBERS:
            steps = total([lot["before"], *lot["steps"]], number)
            assert steps == Decimal(str(lot[number])), lot
        if lot["steps"]:
            assert lot["steps"][-1]["after"] == {number: lot[number] for number in NUMBERS}
    return content


def total(documents: list[dict[str, Any]], number: str) -> Decimal:
    return sum((Decimal(str(each[number])) for each in documents), Decimal(0))


async def test_each_amount_leads_back_to_who_issued_it_and_what_was_taken(api: Api) -> None:
    definition = await api.define(name="Birthday", type="birthday")
    fields = {"reward_definition_id": definition["id"], "timezone": "Australia/Melbourne"}
    body = {"profile_id": "p-1", "value_initial": "10", "external_id": "crm-1", **fields}
    await api.made("/rewards", body, idempotency_key="k-1")
    api.clock.forward(hours=1)
    redeemed = await api.made(
        "/profiles/p-1/redeem",
        {"amount": "2.50", "external_id": "r-1", "location_id": "melbourne"},
        idempotency_key="k-2",
    )
    sold = await api.sell(
        profile_id="p-1", external_id="t-1", redemption_id=redeemed["id"], receipt_ref="A-1"
    )
    (lot,) = (await explained(api))["data"]
    assert lot["definition"] == {
        "id": definition["id"],
        "version": 1,
        "handle": definition["handle"],
        "name": "Birthday",
        "type": "birthday",
    }
    assert (lot["value_initial"], lot["available"]) == (10, 7.5)
    assert lot["issued_local_at"] == "2031-03-10 20:30:00"
    issue = lot["issue"]
    assert (issue["external_id"], issue["occurred_at"], issue["value"]) == ("crm-1", hours(0), 10)
    assert (issue["actor"], issue["client"], issue["idempotency_key"]) == ("till", "till", "k-1")
    issued, spent = lot["steps"]
    assert issued["type"] == "RewardIssued"
    assert (spent["type"], spent["available"]) == ("RedemptionMade", -2.5)
    assert spent["words"] == (
        f"Redemption {redeemed['id']} took 2.5 AUD from reward {lot['reward_id']}"
    )
    assert spent["redemption"] == {
        "id": redeemed["id"],
        "external_id": "r-1",
        "location_id": "melbourne",
    }
    assert spent["transaction"] == {"id": sold["id"], "external_id": "t-1", "receipt_ref": None}
    assert (spent["actor"], spent["idempotency_key"]) == ("till", "k-2")
    assert spent["occurred_at"] == hours(1)
    assert spent["movements"] == [
        {"reward_id": lot["reward_id"], "from": "available", "to": "redeemed", "amount": 2.5}
    ]
    assert spent["position"] > issued["position"]


async def test_rewards_stand_in_the_order_they_will_be_consumed(api: Api) -> None:
    never = (await api.issue(value=1, expires_at=None))["id"]
    later = (await api.issue(value=2, expires_at=hours(9)))["id"]
    sooner = (await api.issue(value=3, expires_at=hours(8)))["id"]
    content = await explained(api)
    assert [lot["reward_id"] for lot in content["data"]] == [sooner, later, never]
    page = (await api.get(f"{EXPLAIN}?page[size]=1&page[number]=2")).json()
    assert [lot["reward_id"] for lot in page["data"]] == [later]
    assert (page["meta"]["total"], page["meta"]["balances"]["reward_balance"]) == (3, 6)
    assert "page[number]=3" in page["links"]["next"]


async def test_each_number_by_itself(api: Api) -> None:
    available = (await api.issue(value=10))["id"]
    pending = (await api.issue(value=5, issued_at=hours(5)))["id"]
    await api.redeem(amount=4, hold="PT1H")
    for number, lots in (("available", [available]), ("pending", [pending]), ("held", [available])):
        content = await explained(api, f"number={number}")
        assert [lot["reward_id"] for lot in content["data"]] == lots
    assert [lot["reward_id"] for lot in (await explained(api))["data"]] == [available, pending]


async def test_what_is_gone_is_told_on_demand(api: Api) -> None:
    """Spent, expired by the clock, revoked: why there is nothing."""
    spent = await api.issue(value=4, expires_at=hours(1))
    await api.redeem(amount=4)
    expired = await api.issue(value=3, expires_at=hours(1))
    revoked = await api.issue(value=2)
    less = {"value_remaining": 1, "reason": "issued twice"}
    await api.changed(f"/rewards/{revoked['id']}", less)
    assert (await api.delete(f"/rewards/{revoked['id']}")).status_code == 204
    api.clock.forward(hours=2)
    content = await explained(api)
    assert (content["data"], content["meta"]["balances"]["reward_balance"]) == ([], 0)
    gone = (await explained(api, "closed=true"))["data"]
    assert [lot["reward_id"] for lot in gone] == [revoked["id"], expired["id"], spent["id"]]
    assert gone[0]["is_revoked"]
    assert gone[0]["steps"][-2]["words"].endswith(": issued twice")
    last = gone[1]["steps"][-1]
    assert (last["type"], last["is_recorded"], last["position"]) == ("RewardExpired", False, None)
    assert (last["actor"], last["occurred_at"], last["available"]) == (None, hours(1), -3)


async def test_an_explanation_as_of_a_moment(api: Api) -> None:
    definition = await api.define(name="Birthday")
    reward = await api.issue(value=10, reward_definition_id=definition["id"])
    api.clock.forward(hours=1)
    redeemed = await api.redeem(amount=4)
    api.clock.forward(hours=1)
    await api.made(f"/redemptions/{redeemed['id']}/return", {"policy": "reissue"})
    content = await explained(api, f"as_of={hours(1)}")
    (lot,) = content["data"]
    assert (lot["reward_id"], lot["available"], content["meta"]["as_of"]) == (
        reward["id"], 6, hours(1),
    )  # fmt: skip
    first, again = (await explained(api))["data"]
    assert (first["available"], again["available"]) == (6, 4)
    assert again["issue"]["restored_from"] == reward["id"]
    assert again["issue"]["redemption_id"] == redeemed["id"]


async def test_a_reward_that_came_by_a_merge_has_its_whole_life(api: Api) -> None:
    await api.issue("p-1", 1, expires_at=None)
    moved = await api.issue("p-2", 10)
    await api.redeem("p-2", 3, external_id="r-2")
    api.clock.forward(hours=1)
    merged = await api.post("/profiles/merge", {"winner": "p-1", "loser": "p-2"})
    assert merged.status_code == 200
    await api.redeem("p-1", 2)
    lot = (await explained(api))["data"][0]
    assert (lot["reward_id"], lot["available"]) == (moved["id"], 5)
    assert [(step["profile_id"], step["available"]) for step in lot["steps"]] == [
        ("p-2", 10), ("p-2", -3), ("p-2", -7), ("p-1", 7), ("p-1", -2),
    ]  # fmt: skip
    assert lot["issue"]["profile_id"] == "p-2"
    assert lot["steps"][1]["redemption"]["external_id"] == "r-2"
    assert lot["definition"]["name"] == "R"
    of_loser = (await api.get("/profiles/p-2/balances/explain")).json()
    assert of_loser["meta"]["merged_into"] == "p-1"
    assert of_loser["data"] == (await api.data(EXPLAIN))


async def test_a_reward_that_was_reassigned_has_its_whole_life(api: Api) -> None:
    definition = await api.define(is_reassignable=True)
    reward = await api.issue("p-2", 10, reward_definition_id=definition["id"])
    await api.issue("p-1", 1, expires_at=None)
    await api.redeem("p-2", 3)
    path = f"/rewards/{reward['id']}/reassign"
    answer = await api.post(path, {"profile_id": "p-1"})
    assert answer.status_code in (200, 201), answer.text
    lot = (await explained(api))["data"][0]
    assert [(step["profile_id"], step["available"]) for step in lot["steps"]] == [
        ("p-2", 10), ("p-2", -3), ("p-2", -7), ("p-1", 7),
    ]  # fmt: skip
    (gone,) = await api.data("/profiles/p-2/balances/explain?closed=true")
    assert (gone["moved_to"], gone["available"]) == ("p-1", 0)


async def test_a_long_life_is_shown_from_its_end_and_read_in_pages(api: Api) -> None:
    reward = await api.issue(value=100)
    for _ in range(24):
        await api.redeem(amount=1)
    (lot,) = (await explained(api))["data"]
    assert (len(lot["steps"]), lot["before"]["steps"]) == (20, 5)
    assert (lot["before"]["available"], lot["available"]) == (96, 76)
    assert lot["issue"]["value"] == 100
    path = f"{EXPLAIN}/{reward['id']}"
    first = (await api.get(f"{path}?page[size]=10")).json()
    assert (first["meta"]["total"], first["meta"]["last_page"]) == (25, 3)
    assert first["data"][0]["type"] == "RewardIssued"
    rest = [
        step
        for number in (2, 3)
        for step in await api.data(f"{path}?page[size]=10&page[number]={number}")
    ]
    assert rest[-1] == lot["steps"][-1]
    assert total([*first["data"], *rest], "available") == 76


async def test_what_there_is_no_explanation_of(api: Api) -> None:
    await api.issue()
    other = await api.issue("p-2")
    refused(await api.get("/profiles/p-9/balances/explain"), 404, "profile_not_found")
    refused(await api.get(f"{EXPLAIN}/{other['id']}"), 404, "reward_not_found")
    refused(await api.get(f"{EXPLAIN}/{other['id']}?as_of={hours(-1)}"), 404, "reward_not_found")


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("number=points", "number"),
        ("number=", "number"),
        ("number=available&number=held", "number"),
        ("closed=yes", "closed"),
        ("page[size]=0", "page[size]"),
        ("page[size]=201", "page[size]"),
        ("page[number]=10001", "page[number]"),
        ("page[after]=x", "page[after]"),
        ("filter[available]=1", "filter[available]"),
        ("sort=available", "sort"),
    ],
)
async def test_what_an_explanation_does_not_know(api: Api, query: str, field: str) -> None:
    await api.issue()
    refused(await api.get(f"{EXPLAIN}?{query}"), 422, "validation_failed", field)


async def test_a_page_beyond_the_last_is_empty(api: Api) -> None:
    await api.issue()
    assert await api.data(f"{EXPLAIN}?page[number]=10000") == []


async def test_an_unlinked_sale_is_no_longer_named(api: Api) -> None:
    await api.issue()
    redeemed = await api.redeem(amount=4)
    sold = await api.made("/transactions", sale(profile_id="p-1", redemption_id=redeemed["id"]))
    api.clock.forward(hours=1)
    changes = {"is_void": True, "keep_redemption": True}
    await api.changed(f"/transactions/{sold['id']}", changes)
    (lot,) = (await explained(api))["data"]
    assert lot["steps"][-1]["transaction"] is None
    (lot,) = (await explained(api, f"as_of={hours(0)}"))["data"]
    assert lot["steps"][-1]["transaction"]["id"] == sold["id"]
