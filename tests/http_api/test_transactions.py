"""Transactions over HTTP: every field kept, redemptions linked and shared out, voids."""

from typing import Any

import pytest
from http_api.ledger_client import Api, refused, sale

LINE = {
    "name": "Cake",
    "quantity": 1.5,
    "price_current": 9.99,
    "price_sell": 9.123456,
    "price_original": 12,
    "price_margin": 1,
    "price_tax": 0.9,
    "is_void": False,
    "external_id": "l-1",
    "sku": "sku",
    "product_variant_id": 1,
    "product_variant": {"colour": "red", "weight": 0.3},
    "variant_external_id": "v-1",
    "department": "d",
    "discounts": [{"amount": 0.5, "reason_desc": "promo"}],
    "tags": ["birthday"],
    "meta": {"x": 1.5},
}
NOTHING_BACK = {"is_return": False, "redemption_share": 0, "returned_quantity": 0}
WHOLE = {
    "total": 14.99,
    "profile_id": "p-1",
    "transacted_at": "2031-03-10 20:00:00",
    "timezone": "Australia/Melbourne",
    "items": [LINE],
    "external_id": "t/1 \u00e9",
    "location_id": 3,
    "currency": "NZD",
    "currency_value": {"from": "NZD", "to": "AUD", "rate": 0.912345},
    "total_original": 9.99,
    "rounding": -0.01,
    "tender": "cash",
    "margin": 1,
    "staff_id": "s-1",
    "payments": [{"amount": 5, "type": "card", "name": "Visa", "meta": {"last": "1"}}],
    "receipt_ref": "rr",
    "linked_receipt_ref": "lrr",
    "return_redemption": False,
    "source_version": 3,
    "receipt_email": "anna@example.org",
    "receipt_is_email": True,
    "systems": ["pos"],
    "tags": ["a"],
    "type": "sale",
    "status": "done",
    "order_id": 4,
    "order_number": "o-1",
    "external_order_id": "eo",
    "need_action": False,
    "organisation_id": 5,
    "fees": 0.1,
    "meta": {"deep": [1, 2.5, {"y": None}]},
    "custom_fields": {"c": "d"},
    "is_void": False,
}


async def test_every_field_comes_back_as_it_was_sent(api: Api) -> None:
    made = await api.made("/transactions", WHOLE)
    shown = {name: made[name] for name in WHOLE}
    local = {"transacted_at": "2031-03-10 09:00:00"}
    assert shown == WHOLE | local | {"items": [LINE | NOTHING_BACK]}
    assert made["transacted_local_at"] == WHOLE["transacted_at"]
    for path in (
        f"/transactions/{made['id']}",
        f"/profiles/p-1/transactions/{made['id']}",
        "/transactions/external/t/1%20%C3%A9",
    ):
        assert await api.data(path) == made
    for path in ("/transactions", "/profiles/p-1/transactions"):
        assert await api.data(path) == [made]
    refused(await api.get(f"/profiles/p-2/transactions/{made['id']}"), 404, "transaction_not_found")


@pytest.mark.parametrize("name", ["nobody", "a%00b", "x" * 9000, "%F0%9F%8E%82"])
async def test_an_external_id_nobody_has(api: Api, name: str) -> None:
    refused(await api.get(f"/transactions/external/{name}"), 404, "transaction_not_found")


async def test_a_redemption_is_shared_out_over_the_lines(api: Api) -> None:
    await api.issue(value=50)
    redeemed = await api.redeem(amount=50)
    prices = (65, 115, 25, 45)
    lines = [{"name": "n", "quantity": 1, "price_current": p, "price_sell": p} for p in prices]
    made = await api.sell(total=250, items=lines, redemption_id=redeemed["id"])
    assert [line["redemption_share"] for line in made["items"]] == [13, 23, 5, 9]
    assert (made["redemption_total"], made["unallocated"]) == (50, 0)
    assert made["profile_id"] == "p-1"


async def test_a_redemption_is_linked_later(api: Api) -> None:
    await api.issue(value=10)
    sold, first, second = await api.sell(), await api.redeem(amount=4), await api.redeem(amount=3)
    path = f"/transactions/{sold['id']}"
    linked = await api.changed(path, {"redemption_id": first["id"]})
    assert (linked["redemption_id"], linked["profile_id"]) == (first["id"], "p-1")
    both = await api.changed(path, {"redemption_id": str(second["id"])})
    assert [each["id"] for each in both["redemptions"]] == [first["id"], second["id"]]
    assert (both["redemption_id"], both["redemption_total"]) == (first["id"], 7)
    head = await api.head()
    assert await api.changed(path, {"redemption_id": second["id"]}) == both
    assert await api.head() == head
    assert await api.data(path) == both == (await api.data("/profiles/p-1/transactions"))[0]
    assert await api.ids("/redemptions?filter[linked]=false") == []
    answer = await api.post(f"/redemptions/{first['id']}/reversal")
    refused(answer, 409, "redemption_linked")


async def test_what_can_not_be_linked(api: Api) -> None:
    await api.issue("p-1", 20)
    await api.issue("p-2", 20)
    mine, theirs = await api.redeem(amount=1), await api.redeem("p-2", 1)
    sold = await api.sell(profile_id="p-1", redemption_id=mine["id"])
    path = f"/transactions/{(await api.sell(profile_id='p-1'))['id']}"

    async def no(redemption_id: int, status: int, code: str) -> None:
        link = await api.put(path, {"redemption_id": redemption_id})
        refused(link, status, code, "redemption_id")
        body = sale(profile_id="p-1", redemption_id=redemption_id)
        refused(await api.post("/transactions", body), status, code)

    await no(99, 422, "linked_redemption_not_found")
    await no(mine["id"], 409, "redemption_already_linked")
    await no(theirs["id"], 409, "redemption_profile_mismatch")
    announced = await api.redeem(amount=1, transaction_external_id="elsewhere")
    await no(announced["id"], 409, "redemption_announced_elsewhere")
    gone = await api.redeem(amount=1)
    await api.made(f"/redemptions/{gone['id']}/reversal")
    await no(gone["id"], 409, "redemption_given_back")
    refused(
        await api.put("/transactions/99", {"redemption_id": mine["id"]}),
        404,
        "transaction_not_found",
    )
    assert (await api.data(f"/transactions/{sold['id']}"))["redemption_id"] == mine["id"]


@pytest.mark.parametrize("redeem_first", [True, False])
async def test_an_announced_redemption_links_in_either_order(api: Api, redeem_first: bool) -> None:
    await api.issue()
    if redeem_first:
        redeemed = await api.redeem(transaction_external_id="t-1")
        assert redeemed["transaction_id"] is None
        sold = await api.sell(external_id="t-1", profile_id="p-1")
    else:
        sold = await api.sell(external_id="t-1", profile_id="p-1")
        redeemed = await api.redeem(transaction_external_id="t-1")
        assert redeemed["transaction_id"] == sold["id"]
    shown = await api.data("/transactions/external/t-1")
    assert shown["redemption_id"] == redeemed["id"]
    assert shown["items"][0]["redemption_share"] == 10
    assert (await api.data(f"/redemptions/{redeemed['id']}"))["transaction_id"] == sold["id"]
    assert (await api.data("/profiles/p-1/redemptions"))[0]["transaction_id"] == sold["id"]


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("keep", [False, True])
async def test_a_void_gives_back_what_the_sale_took(api: Api, late: bool, keep: bool) -> None:
    reward = await api.issue()
    redeemed = await api.redeem()
    sold = await api.sell(redemption_id=redeemed["id"])
    if late:
        api.clock.forward(minutes=11)
    path = f"/transactions/{sold['id']}"
    voided = await api.changed(path, {"is_void": True, "keep_redemption": keep})
    assert voided["is_void"] is True
    assert await api.data(path) == voided == (await api.data("/profiles/p-1/transactions"))[0]
    assert await api.balance("p-1") == (0 if keep else 10)
    shown = await api.data(f"/redemptions/{redeemed['id']}")
    assert shown["transaction_id"] is None
    assert shown["is_reversed"] == (not keep and not late)
    assert shown["returned"] == (0 if keep else 10)
    restored = (await api.data(f"/rewards/{reward['id']}"))["value_remaining"]
    assert restored == (10 if not keep and not late else 0)
    head = await api.head()
    assert (await api.changed(path, {"is_void": True}))["is_void"] is True
    assert await api.head() == head
    other = await api.put(path, {"redemption_id": redeemed["id"]})
    refused(other, 409, "transaction_void")


async def test_a_sale_may_be_born_void(api: Api) -> None:
    await api.issue()
    redeemed = await api.redeem()
    made = await api.sell(redemption_id=redeemed["id"], is_void=True)
    assert made["is_void"] is True
    assert await api.balance("p-1") == 10


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "body"),
        ({"keep_redemption": True}, "body"),
        ({"redemption_id": 1, "keep_redemption": True}, "body"),
        ({"items": {}}, "items"),
        ({"id": 5}, "id"),
    ],
)
async def test_a_change_says_what_is_to_change(api: Api, body: dict[str, Any], field: str) -> None:
    refused(await api.put("/transactions/1", body), 422, "validation_failed", field)


async def test_what_no_sale_can_say(api: Api) -> None:
    ahead = sale(transacted_at="2031-03-10 09:35:01")
    refused(await api.post("/transactions", ahead), 422, "invalid_transaction", "transacted_at")
    await api.issue()
    goods_back = sale(total=-10, redemption_id=(await api.redeem())["id"])
    refused(
        await api.post("/transactions", goods_back), 422, "invalid_transaction", "redemption_id"
    )
    keep = sale(keep_redemption=True)
    refused(await api.post("/transactions", keep), 422, "validation_failed")
    assert (await api.sell(total=-10))["total"] == -10
