"""A batch of sales: a result per row, each on its own."""

from http_api.ledger_client import Api, checked, sale

PATH = "/transactions/batch.json"


async def test_each_sale_has_its_own_result(api: Api) -> None:
    await api.issue(value=5)
    redeemed = await api.redeem(amount=5)
    rows = [
        sale(external_id="t-1", redemption_id=redeemed["id"]),
        sale(total="x"),
        sale(external_id="t-2", redemption_id=redeemed["id"]),
        sale(external_id="t-1", redemption_id=redeemed["id"]),
        sale(receipt_ref="0042", items=[sale()["items"][0] | {"sku": "cake"}]),
        sale(
            total=-10,
            linked_receipt_ref="0042",
            items=[sale()["items"][0] | {"sku": "cake", "quantity": -1}],
        ),
    ]
    answer = await api.post(PATH, {"transactions": rows}, idempotency_key="k-1")
    content = answer.json()
    assert content["message"] == "4 of 6 rows accepted."
    assert [row["status"] for row in content["data"]] == [201, 422, 409, 200, 201, 201]
    assert checked(content["data"][1]["problem"]).errors.keys() == {"total"}
    assert content["data"][2]["problem"]["code"] == "redemption_already_linked"
    assert content["data"][3]["data"] == content["data"][0]["data"]
    assert content["data"][5]["data"]["return_status"] == "matched"
    head = await api.head()
    again = await api.post(PATH, {"transactions": rows}, idempotency_key="k-1")
    assert [row["status"] for row in again.json()["data"]] == [201, 422, 409, 200, 201, 201]
    assert await api.head() == head
