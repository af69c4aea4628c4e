"""Right after each write each read is right: nobody brings events here but the reads themselves."""

import asyncio
from typing import Any

import pytest
from http_api.ledger_client import Api, refused, sale

READS = (
    "/profiles/p-1/balances",
    "/profiles/p-1/ledgers",
    "/profiles/p-1/history",
    "/profiles/p-1/rewards",
    "/profiles/p-1/rewards/expiry-order",
    "/profiles/p-1/redemptions",
    "/profiles/p-1/transactions",
)


async def agreement(api: Api) -> None:
    """All reads of a profile tell the same story."""
    answers = {path: await api.get(path) for path in READS}
    found: dict[str, Any] = {path: answer.json() for path, answer in answers.items()}
    balance = found[READS[0]]["data"]["reward_balance"]
    lines = found[READS[1]]["data"]
    assert found[READS[2]]["meta"]["balance"] == balance
    assert (lines[0]["balance"] if lines else 0) == balance
    rewards = found[READS[3]]["data"]
    assert sum(each["value_remaining"] for each in rewards) == balance
    assert sum(each["value_available"] for each in found[READS[4]]["data"]) == balance
    linked = {
        each["id"]: each["transaction_id"]
        for each in found[READS[5]]["data"]
        if each["transaction_id"] is not None
    }
    sales = found[READS[6]]["data"]
    attributed = {
        part["id"]: s["id"] for s in sales for part in s["redemptions"] if not s["is_void"]
    }
    assert attributed == linked
    for answer in answers.values():
        assert int(answer.headers["ledger-position"]) > 0
    for kind, each in (
        *(("rewards", each) for each in rewards),
        *(("redemptions", each) for each in found[READS[5]]["data"]),
        *(("transactions", each) for each in sales),
    ):
        assert await api.data(f"/{kind}/{each['id']}") == each
        assert await api.data(f"/profiles/p-1/{kind}/{each['id']}") == each


async def test_every_read_is_right_after_every_write(api: Api) -> None:
    definition = await api.define()
    path = f"/rewards/definitions/{definition['id']}"
    assert await api.data(path) == definition
    reward = await api.issue(value=10, reward_definition_id=definition["id"])
    await agreement(api)
    await api.issue(value=5)
    await agreement(api)
    redeemed = await api.redeem(amount=12)
    await agreement(api)
    changed = await api.changed(path, {"name": "Other"})
    assert (await api.data(f"/rewards/{reward['id']}"))["definition"]["name"] == changed["name"]
    await agreement(api)
    sold = await api.sell(redemption_id=redeemed["id"])
    await agreement(api)
    await api.changed(f"/transactions/{sold['id']}", {"is_void": True})
    await agreement(api)
    assert await api.balance("p-1") == 15
    again = await api.redeem(amount=3)
    await api.made(f"/redemptions/{again['id']}/return", {"amount": 1})
    await agreement(api)
    await api.delete(f"/rewards/{reward['id']}")
    await agreement(api)
    await api.delete(path)
    assert (await api.data(path))["is_archived"] is True


async def test_the_answer_of_a_write_is_the_read_after_it(api: Api) -> None:
    reward = await api.issue()
    assert await api.data(f"/rewards/{reward['id']}") == reward
    redeemed = await api.redeem(amount=4)
    balances = redeemed.pop("balances")
    shown = await api.data(f"/redemptions/{redeemed['id']}")
    # What the item took from stands beside it where it is read.
    assert shown["items"][0].pop("type_attributes")["id"] == reward["id"]
    assert shown == redeemed
    assert await api.data("/profiles/p-1/balances") == balances
    sold = await api.sell(profile_id="p-1")
    assert await api.data(f"/transactions/{sold['id']}") == sold
    linked = await api.changed(f"/transactions/{sold['id']}", {"redemption_id": redeemed["id"]})
    assert await api.data(f"/transactions/{sold['id']}") == linked


async def test_reads_at_the_same_time_fold_each_event_once(api: Api) -> None:
    await api.issue(value=10)
    for _ in range(5):
        await api.redeem(amount=1)
    answers = await asyncio.gather(*(api.balance("p-1") for _ in range(12)))
    assert set(answers) == {5}
    assert len(await api.data("/profiles/p-1/ledgers")) == 6


async def test_an_anonymous_sale_joins_its_profile_when_it_is_linked(api: Api) -> None:
    await api.issue()
    redeemed = await api.redeem()
    sold = await api.sell()
    assert await api.data("/profiles/p-1/transactions") == []
    await api.changed(f"/transactions/{sold['id']}", {"redemption_id": redeemed["id"]})
    assert await api.ids("/profiles/p-1/transactions") == [sold["id"]]
    await agreement(api)


async def test_a_sale_alone_makes_a_profile(api: Api) -> None:
    await api.made("/transactions", sale(profile_id="new"))
    assert await api.balance("new") == 0
    assert await api.data("/profiles/new/ledgers") == []
    refused(await api.post("/profiles/new/redeem", {"amount": 1}), 422, "insufficient_balance")


@pytest.mark.parametrize("parked", ["rewards", "balances"])
async def test_a_parked_profile_is_said_to_be_stale(api: Api, parked: str) -> None:
    reward = await api.issue()
    await api.balance("p-1")
    await api.data(f"/rewards/{reward['id']}")
    await api.services.pool.execute(
        f"UPDATE projections.{parked}_v1_streams SET parked_at_version = 9, parked_reason = 'x'"
    )
    await api.redeem(amount=4)
    path = f"/rewards/{reward['id']}" if parked == "rewards" else "/profiles/p-1/balances"
    answer = (await api.get(path)).json()
    assert answer["meta"] == {"stale": True, "code": "projection_parked"}
