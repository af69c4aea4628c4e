"""Redemptions over HTTP: strict or not, reversed in the window, returned in parts."""

import asyncio
from typing import Any

import pytest
from http_api.ledger_client import Api, refused

from ledger.decider import ProgrammeSettings


async def test_a_short_balance_is_refused_with_what_there_is(api: Api) -> None:
    await api.issue(value="9.99")
    answer = await api.post("/profiles/p-1/redeem", {"amount": 10})
    problem = refused(answer, 422, "insufficient_balance", "amount")
    assert '"available":9.99,' in answer.text
    assert problem.content["available"] == 9.99
    assert await api.balance("p-1") == 9.99


async def test_without_strict_it_takes_what_there_is_and_says_so(api: Api) -> None:
    await api.issue(value="9.99")
    taken = await api.redeem(amount=10, strict=False)
    assert (taken["total"], taken["requested"]) == (9.99, 10)
    assert taken["balances"]["reward_balance"] == 0
    answer = await api.post("/profiles/p-1/redeem", {"amount": 10, "strict": False})
    assert refused(answer, 422, "insufficient_balance").content["available"] == 0


async def test_every_field_comes_back(api: Api) -> None:
    reward = await api.issue(value=10)
    sent = {
        "amount": 4,
        "strategies": ["rewards"],
        "strict": False,
        "external_id": "r-1",
        "transaction_external_id": "t-1",
        "transaction_receipt_ref": "rc-1",
        "location_id": 12,
        "meta": {"till": 3, "rate": 0.125},
    }
    made = await api.made("/profiles/p-1/redemptions", sent)
    kept = {name: value for name, value in sent.items() if name != "amount"}
    assert {name: made[name] for name in kept} == kept
    assert (made["type"], made["total"], made["requested"]) == ("redeem", 4, 4)
    assert made["items"] == [
        {"id": reward["id"], "type": "reward", "value": 4, "returned": 0, "count": 1}
    ]
    assert (made["transaction_id"], made["is_reversed"]) == (None, False)
    assert made["reversible_until"] == "2031-03-10 09:40:00"
    assert made.pop("balances")["reward_balance"] == 6
    for path in ("/redemptions", "/profiles/p-1/redemptions"):
        shown = await api.data(f"{path}/{made['id']}")
        assert await api.data(path) == [shown]
        assert shown["items"][0].pop("type_attributes")["id"] == reward["id"]
        assert shown == made
    refused(await api.get(f"/profiles/p-2/redemptions/{made['id']}"), 404, "redemption_not_found")


async def test_of_many_at_once_as_many_succeed_as_the_balance_allows(api: Api) -> None:
    await api.issue(value=5)
    path = "/profiles/p-1/redeem"
    answers = await asyncio.gather(*(api.post(path, {"amount": 1}) for _ in range(20)))
    assert sorted(answer.status_code for answer in answers) == [201] * 5 + [422] * 15
    assert await api.balance("p-1") == 0


async def test_an_unknown_profile_can_not_redeem(api: Api) -> None:
    refused(await api.post("/profiles/nobody/redeem", {"amount": 1}), 404, "profile_not_found")
    assert await api.head() == 0


async def test_a_reversal_gives_back_exactly_what_was_taken(api: Api) -> None:
    first = await api.issue(value=3, expires_at="2031-04-01 00:00:00")
    second = await api.issue(value=10)
    taken = await api.redeem(amount=8)
    api.clock.forward(minutes=10)
    undone = await api.made(f"/redemptions/{taken['id']}/reversal")
    said = (undone["type"], undone["redemption_id"], undone["total"])
    assert said == ("reversal", taken["id"], 8)
    assert undone["balances"]["reward_balance"] == 13
    assert (await api.data(f"/rewards/{first['id']}"))["value_remaining"] == 3
    assert (await api.data(f"/rewards/{second['id']}"))["value_remaining"] == 10
    shown = await api.data(f"/redemptions/{taken['id']}")
    assert (shown["is_reversed"], shown["reversed_at"]) == (True, "2031-03-10 09:40:00")
    again = await api.data(f"/redemptions/{undone['id']}")
    for item, reward in zip(again["items"], (first, second), strict=True):
        assert item.pop("type_attributes")["id"] == reward["id"]
    assert again == {
        key: value for key, value in undone.items() if key not in ("balances", "reissued")
    }
    path = f"/redemptions/{taken['id']}"
    refused(await api.post(f"{path}/reversal"), 409, "already_reversed")
    refused(await api.post(f"{path}/return"), 409, "already_reversed")
    for way in ("reversal", "return"):
        answer = await api.post(f"/redemptions/{undone['id']}/{way}")
        refused(answer, 409, "not_reversible")


async def test_after_the_window_only_a_return_is_left(api: Api) -> None:
    await api.issue()
    path = f"/redemptions/{(await api.redeem())['id']}"
    api.clock.forward(minutes=10, microseconds=1)
    refused(await api.post(f"{path}/reversal"), 409, "reversal_window_closed")
    await api.made(f"{path}/return", {"amount": 10})


@pytest.mark.parametrize("way", ["reversal", "return"])
async def test_a_redemption_there_is_not(api: Api, way: str) -> None:
    refused(await api.post(f"/redemptions/99/{way}"), 404, "redemption_not_found")


async def test_a_return_in_parts_makes_new_rewards(api: Api) -> None:
    reward = await api.issue(value=10, expires_at="2031-04-01 00:00:00")
    path = f"/redemptions/{(await api.redeem())['id']}"
    first = await api.made(f"{path}/return", {"amount": "2.50"})
    assert (first["type"], first["total"], first["policy"]) == ("return", 2.5, "reissue")
    (new,) = first["reissued"]
    assert (new["value"], new["restored_from"]) == (2.5, reward["id"])
    assert new["expires_at"] == "2031-04-09 23:59:59"
    refused(await api.post(f"{path}/reversal"), 409, "redemption_partly_returned")
    answer = await api.post(f"{path}/return", {"amount": "7.51"})
    assert refused(answer, 422, "return_exceeds_redemption", "amount").content["returnable"] == 7.5
    rest = await api.made(f"{path}/return")
    assert (rest["total"], rest["balances"]["reward_balance"]) == (7.5, 10)
    refused(await api.post(f"{path}/return"), 422, "return_exceeds_redemption")
    shown = await api.data(path)
    assert (shown["returned"], shown["items"][0]["returned"]) == (10, 10)
    for each in (first, rest):
        made = await api.data(f"/rewards/{each['reissued'][0]['id']}")
        assert (made["restored_from"], made["value_remaining"]) == (reward["id"], each["total"])


async def test_a_return_may_restore_the_same_rewards(api: Api) -> None:
    reward = await api.issue(value=10)
    path = f"/redemptions/{(await api.redeem())['id']}/return"
    back = await api.made(path, {"amount": 4, "policy": "restore"})
    assert (back["policy"], back["reissued"]) == ("restore", [])
    assert (await api.data(f"/rewards/{reward['id']}"))["value_remaining"] == 4
    refused(await api.post(path, {"policy": "burn"}), 422, "validation_failed", "policy")


async def test_what_expired_meanwhile_comes_back_with_grace(api: Api) -> None:
    await api.issue(value=10, expires_at="2031-03-11 00:00:00")
    path = f"/redemptions/{(await api.redeem())['id']}/return"
    api.clock.forward(days=3)
    back = await api.made(path, {"policy": "restore"})
    assert back["reissued"][0]["expires_at"] == "2031-03-27 23:59:59"
    assert await api.balance("p-1") == 10


async def test_what_a_revoked_reward_paid_is_forfeited(api: Api) -> None:
    reward = await api.issue(value=10)
    redeemed = await api.redeem(amount=4)
    await api.delete(f"/rewards/{reward['id']}")
    back = await api.made(f"/redemptions/{redeemed['id']}/return")
    assert (back["total"], back["forfeited"], back["reissued"]) == (4, 4, [])
    assert await api.balance("p-1") == 0


@pytest.mark.parametrize("amount", ["1.001", 1.001])
async def test_an_amount_has_the_decimals_of_money(api: Api, amount: Any) -> None:
    await api.issue()
    answer = await api.post("/profiles/p-1/redeem", {"amount": amount})
    refused(answer, 422, "validation_failed", "amount")


@pytest.mark.parametrize("settings", [ProgrammeSettings(currency="JPY", currency_digits=0)])
async def test_a_currency_may_have_fewer_decimals(api: Api, settings: ProgrammeSettings) -> None:
    await api.issue(value=100)
    answer = await api.post("/profiles/p-1/redeem", {"amount": "1.5"})
    refused(answer, 422, "invalid_amount", "amount")
    assert (await api.redeem(amount=40))["balances"]["reward_balance"] == 60
    assert (await api.data("/profiles/p-1/balances?currency=JPY"))["currency"] == "JPY"


async def test_only_the_programmes_currency_is_redeemed(api: Api) -> None:
    await api.issue()
    answer = await api.post("/profiles/p-1/redeem", {"amount": 1, "currency": "NZD"})
    refused(answer, 422, "unsupported_currency", "currency")
    await api.redeem(amount=1, currency="AUD")


async def test_benefits_are_not_redeemed_yet(api: Api) -> None:
    answer = await api.post("/profiles/p-1/redeem", {"amount": 1, "strategies": ["benefits"]})
    refused(answer, 422, "validation_failed", "strategies")


async def test_some_rewards_ask_for_the_total_of_the_sale(api: Api) -> None:
    definition = await api.define(min_spend=50, max_redeem_per_transaction="4.00")
    await api.issue(reward_definition_id=definition["id"])
    path, sale = "/profiles/p-1/redeem", {"transaction_total": 50, "transaction_external_id": "t-1"}
    answer = await api.post(path, {"amount": 4})
    refused(answer, 422, "transaction_total_required", "transaction_total")
    answer = await api.post(path, {"amount": 51, "transaction_total": 50})
    refused(answer, 422, "amount_exceeds_transaction_total", "amount")
    assert (await api.redeem(amount=3, **sale))["transaction_total"] == 50
    answer = await api.post(path, {"amount": 2} | sale)
    assert refused(answer, 422, "insufficient_balance").content["available"] == 1


async def test_a_return_says_what_the_till_told(api: Api) -> None:
    await api.issue()
    path = f"/redemptions/{(await api.redeem())['id']}/return"
    told = {
        "transaction_external_id": "t-2",
        "transaction_receipt_ref": "rc-2",
        "location_id": 7,
        "meta": {"till": 3},
    }
    sent = {"amount": 12, "strict": False, "strategies": ["rewards"], "currency": "AUD"} | told
    back = await api.made(path, sent)
    assert {name: back[name] for name in told} == told
    assert (back["total"], back["requested"]) == (10, 12)
    answer = await api.post(path, {"strategies": ["points"]})
    refused(answer, 422, "strategy_not_redeemed", "strategies")
