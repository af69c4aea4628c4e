"""The order of consumption is what redemptions do: after anything that can happen to rewards."""

import random
from decimal import Decimal
from typing import Any

import pytest
from http_api.ledger_client import Api, refused

DAY = "2031-{:02}-{:02} 12:00:00"


class Walk:
    """Random things done to the rewards of p-1, the same for the same seed."""

    def __init__(self, api: Api, definition: int, seed: int) -> None:
        self.api = api
        self.chance = random.Random(seed)
        self.definition = definition
        self.rewards: list[int] = []

    async def step(self) -> None:
        kinds = (
            self.issue,
            self.issue,
            self.adjust,
            self.extend,
            self.redeem,
            self.hold,
            self.wait,
        )
        await self.chance.choice(kinds)()

    async def issue(self) -> None:
        fields: dict[str, Any] = {"reward_definition_id": self.definition}
        fields["expires_at"] = self.chance.choice([None, self.day(), self.day()])
        if self.chance.random() < 0.2:
            fields |= {"issued_at": self.day(3), "expires_at": self.day(6)}
        value = self.cents()
        kept = self.chance.choice([0, value, value])
        made = await self.api.issue(value=value, value_remaining=kept, **fields)
        self.rewards.append(made["id"])

    async def adjust(self) -> None:
        changes: dict[str, Any] = {"value_initial": 1000, "value_remaining": self.cents()}
        if self.chance.random() < 0.5:
            changes["expires_at"] = self.chance.choice([None, self.day(7)])
        await self.api.put(f"/rewards/{self.chance.choice(self.rewards)}", changes)

    async def extend(self) -> None:
        number = self.chance.choice(self.rewards)
        body = {"profile_id": "p-1", "ids": [number], "extend_days": self.chance.randint(1, 60)}
        await self.api.post("/rewards/extend", body)

    async def redeem(self, **fields: Any) -> None:
        body = {"amount": self.cents(), "strict": False, **fields}
        await self.api.post("/profiles/p-1/redeem", body)

    async def hold(self) -> None:
        await self.redeem(hold=self.chance.choice(["PT15M", "P2D"]))

    async def wait(self) -> None:
        self.api.clock.forward(hours=self.chance.choice([1, 30, 200]))

    def cents(self) -> float:
        return self.chance.randint(1, 900) / 100

    def day(self, month: int = 4) -> str:
        return DAY.format(self.chance.randint(month, month + 2), self.chance.randint(1, 28))


@pytest.mark.parametrize("seed", range(3))
async def test_what_comes_next_is_what_is_taken(api: Api, seed: int) -> None:
    walk = Walk(api, (await api.define(is_extendable=True))["id"], seed)
    await walk.issue()
    looked = 0
    for _ in range(30):
        await walk.step()
        order = (await api.get("/profiles/p-1/rewards/expiry-order?page[size]=200")).json(
            parse_float=Decimal
        )["data"]
        there = sum((Decimal(each["value_available"]) for each in order), Decimal(0))
        assert Decimal(str(await api.balance("p-1"))) == there
        if not there:
            body = {"amount": 1, "strict": False}
            problem = await api.post("/profiles/p-1/redeem?dry_run=true", body)
            refused(problem, 422, "insufficient_balance")
            continue
        amount = (there * walk.chance.choice([1, 2, 3, 4]) / 4).quantize(Decimal("0.01"))
        if not amount:
            continue
        body = {"amount": str(amount)}
        taken = (await api.post("/profiles/p-1/redeem?dry_run=true", body)).json(
            parse_float=Decimal
        )["data"]["items"]
        first = order[: len(taken)]
        assert [item["id"] for item in taken] == [each["reward_id"] for each in first]
        assert [item["value"] for item in taken[:-1]] == [e["value_available"] for e in first[:-1]]
        assert [each["order"] for each in order] == list(range(1, len(order) + 1))
        gone = [Decimal(each["value_cumulative"]) for each in first]
        assert gone[-1] >= amount > (gone[-2] if len(gone) > 1 else 0)
        looked += 1
    assert looked > 10


async def test_a_filter_leaves_each_reward_its_place(api: Api) -> None:
    for month in (6, 4, 5):
        await api.issue(value=month, expires_at=DAY.format(month, 1))
    path = "/profiles/p-1/rewards/expiry-order"
    (last,) = await api.data(f"{path}?filter[value_cumulative][gt]=9")
    assert (last["order"], last["value_available"], last["value_cumulative"]) == (3, 6, 15)
    second = (await api.get(f"{path}?page[size]=1&page[number]=2")).json()["data"]
    assert [each["order"] for each in second] == [2]
    assert [each["order"] for each in await api.data(f"{path}?sort=-order")] == [3, 2, 1]


async def test_a_reward_says_what_the_sale_must_be(api: Api) -> None:
    """Such a one is passed over where nobody says what the sale is worth."""
    limited = (await api.define(min_spend=50, max_redeem_per_transaction=2))["id"]
    first = await api.issue(value=10, reward_definition_id=limited, expires_at=DAY.format(4, 1))
    second = await api.issue(value=10, expires_at=DAY.format(5, 1))
    order = await api.data("/profiles/p-1/rewards/expiry-order")
    assert [(e["min_spend"], e["max_redeem_per_transaction"]) for e in order] == [
        (50, 2),
        (None, None),
    ]
    assert [item["id"] for item in (await api.redeem(amount=1))["items"]] == [second["id"]]
    taken = (await api.redeem(amount=3, transaction_total=60))["items"]
    assert [(item["id"], item["value"]) for item in taken] == [(first["id"], 2), (second["id"], 1)]
