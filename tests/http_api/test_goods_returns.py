"""Returns of goods over HTTP: off their sale, in either order, and with what redemptions paid."""

from typing import Any

import pytest
from http_api.ledger_client import Api, refused, sale

CAKE = {"name": "Cake", "sku": "cake", "quantity": 2, "price_current": 5, "price_sell": 5}


def goods_back(**told: Any) -> dict[str, Any]:
    """One of two cakes of the receipt 0042 comes back."""
    line = CAKE | {"quantity": -1}
    time = {"transacted_at": "2031-03-10 09:20:00"}
    return sale(total=-5, linked_receipt_ref="0042", items=[line]) | time | told


async def bought(api: Api, **told: Any) -> Any:
    """Two cakes of 5 each under the receipt 0042."""
    return await api.sell(receipt_ref="0042", items=[CAKE], **told)


async def test_a_return_and_its_sale_show_each_other(api: Api) -> None:
    sold = await bought(api, profile_id="p-1")
    assert (sold["returns"], sold["items"][0]["returned_quantity"]) == ([], 0)
    back = await api.made("/transactions", goods_back())
    assert (back["sale_transaction_id"], back["return_status"]) == (sold["id"], "matched")
    assert (back["profile_id"], back["items"][0]["is_return"]) == ("p-1", True)
    shown = await api.data(f"/transactions/{sold['id']}")
    line = {"line": 0, "return_line": 0, "quantity": 1, "redemption_returned": 0}
    assert shown["returns"] == [{"id": back["id"], "is_void": False, "items": [line]}]
    assert shown["items"][0]["returned_quantity"] == 1
    assert await api.data("/profiles/p-1/transactions") == [back, shown]
    assert await api.ids(f"/transactions?filter[sale_transaction_id]={sold['id']}") == [back["id"]]


async def test_a_return_ahead_of_its_sale_waits(api: Api) -> None:
    back = await api.made("/transactions", goods_back(profile_id="p-1"))
    assert (back["sale_transaction_id"], back["return_status"]) == (None, "unmatched")
    assert await api.data("/profiles/p-1/transactions") == [back]
    sold = await bought(api)
    assert sold["items"][0]["returned_quantity"] == 1
    found = await api.data(f"/transactions/{back['id']}")
    assert (found["sale_transaction_id"], found["return_status"]) == (sold["id"], "matched")
    assert await api.data("/profiles/p-1/transactions") == [found]
    assert await api.ids("/transactions?filter[return_status]=unmatched") == []


async def test_more_than_was_sold_does_not_come_back(api: Api) -> None:
    sold = await bought(api)
    await api.made("/transactions", goods_back())
    await api.made("/transactions", goods_back())
    head = await api.head()
    problem = refused(
        await api.post("/transactions", goods_back()), 422, "return_exceeds_sale", "items"
    )
    assert problem.content["transaction_id"] == sold["id"]
    assert await api.head() == head


async def test_lines_that_came_back_stay_as_they_are(api: Api) -> None:
    sold = await bought(api)
    await api.made("/transactions", goods_back())
    answer = await api.put(f"/transactions/{sold['id']}", {"items": []})
    refused(answer, 409, "transaction_has_returns", "items")


@pytest.mark.parametrize("ahead", [True, False])
async def test_what_a_redemption_paid_for_comes_back_with_the_goods(api: Api, ahead: bool) -> None:
    await api.issue(value=8)
    redeemed = await api.redeem(amount=8)
    if ahead:
        await api.made("/transactions", goods_back(return_redemption=True))
    sold = await bought(api, redemption_id=redeemed["id"])
    if not ahead:
        await api.made("/transactions", goods_back(return_redemption=True))
    assert await api.balance("p-1") == 4
    shown = await api.data(f"/transactions/{sold['id']}")
    assert shown["returns"][0]["items"][0]["redemption_returned"] == 4
    rest = await api.post(f"/redemptions/{redeemed['id']}/return", {"amount": 5})
    assert refused(rest, 422, "return_exceeds_redemption").content["returnable"] == 4
    await api.changed(f"/transactions/{sold['id']}", {"is_void": True})
    assert await api.balance("p-1") == 8


async def test_a_void_return_lets_the_goods_come_back_again(api: Api) -> None:
    sold = await bought(api, profile_id="p-1")
    back = await api.made("/transactions", goods_back(items=[CAKE | {"quantity": -2}]))
    refused(await api.post("/transactions", goods_back()), 422, "return_exceeds_sale")
    await api.changed(f"/transactions/{back['id']}", {"is_void": True})
    listed = await api.data("/profiles/p-1/transactions")
    shown = next(each for each in listed if each["id"] == sold["id"])
    assert shown["items"][0]["returned_quantity"] == 0
    assert shown["returns"][0]["is_void"] is True
    await api.made("/transactions", goods_back())


async def test_a_dry_run_of_a_return_takes_nothing_off(api: Api) -> None:
    sold = await bought(api)
    tried = await api.post("/transactions?dry_run=true", goods_back())
    assert tried.json()["data"]["return_status"] == "matched"
    assert (await api.data(f"/transactions/{sold['id']}")) == sold
