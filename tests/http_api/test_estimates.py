"""Estimates: what a basket could redeem, by the same decision, and nothing is written."""

from typing import Any

from http_api.ledger_client import Api, refused, sale

PATH = "/transactions/incentive-estimate"
LINES = sale()["items"]


async def estimate(api: Api, total: Any, **told: Any) -> Any:
    """What the estimate says for p-1."""
    answer = await api.post(PATH, {"profile_id": "p-1", "total": total, "items": LINES} | told)
    assert answer.status_code == 200, answer.text
    return answer.json()["data"]


async def test_what_a_basket_could_redeem_is_what_a_redemption_takes(api: Api) -> None:
    later = await api.issue(value=10, expires_at="2031-06-01 00:00:00")
    sooner = await api.issue(value=4, expires_at="2031-05-01 00:00:00")
    head = await api.head()
    told = await estimate(api, "9.50")
    assert await api.head() == head
    assert (told["total"], told["redeemable"], told["earns"]) == (9.5, 9.5, [])
    assert [(each["id"], each["type"], each["value"]) for each in told["items"]] == [
        (sooner["id"], "reward", 4),
        (later["id"], "reward", 5.5),
    ]
    assert told["balances"]["reward_balance"] == 4.5
    made = await api.redeem(amount="9.50")
    assert [(each["id"], each["value"]) for each in made["items"]] == [
        (each["id"], each["value"]) for each in told["items"]
    ]
    assert made["balances"] == told["balances"]
    assert (await estimate(api, 100))["redeemable"] == 4.5


async def test_nothing_to_redeem_is_no_refusal(api: Api) -> None:
    reward = await api.issue(value=4, expires_at="2031-05-01 00:00:00")
    for total in (0, "0.00"):
        told = await estimate(api, total)
        assert (told["redeemable"], told["balances"]["reward_balance"]) == (0, 4)
    assert (await api.delete(f"/rewards/{reward['id']}")).status_code == 204
    told = await estimate(api, 10)
    assert (told["redeemable"], told["items"], told["balances"]["reward_balance"]) == (0, [], 0)


async def test_the_rules_of_redeeming_hold(api: Api) -> None:
    definition = (await api.define(min_spend=50))["id"]
    await api.issue(value=5, reward_definition_id=definition)
    assert (await estimate(api, 49))["redeemable"] == 0
    assert (await estimate(api, 50))["redeemable"] == 5
    for total in (0, 10):
        answer = await api.post(PATH, {"profile_id": "p-9", "total": total})
        refused(answer, 404, "profile_not_found")
