"""What other ledgers and loyalty programmes got wrong: a short story each, that ends well here."""

import asyncio
from typing import Any

import pytest
from http_api.ledger_client import Api, refused, sale

SOON = "2031-03-20 00:00:00"


async def journal_sum(api: Api, profile: str = "p-1") -> float:
    """What the movements of a profile come to."""
    return float(sum(each["effect"] for each in await api.data(f"/profiles/{profile}/ledgers")))


async def held(api: Api, amount: Any = 6) -> str:
    """The path of a hold for a quarter of an hour."""
    made = await api.redeem(amount=amount, hold="PT15M")
    return f"/redemptions/{made['id']}"


async def status(api: Api, path: str, body: Any = None, **headers: str) -> int:
    return (await api.post(path, body, **headers)).status_code


# ── Expiry ───────────────────────────────────────────────────────────────────────────────────────


async def test_a_spent_reward_that_expires_later_takes_nothing_more(api: Api) -> None:
    """Unexpired credits minus all debits: so reckoned, 10 spent of a lot that has run out since
    are taken off the next lot too, and the member loses money she never spent.
    """
    await api.issue(value=10, expires_at=SOON)
    await api.redeem(amount=10)
    await api.issue(value=7)
    api.clock.forward(days=15)
    assert await api.balance("p-1") == 7
    assert (await api.redeem(amount=7))["balances"]["reward_balance"] == 0
    assert await journal_sum(api) == 0


async def test_of_a_partly_spent_reward_only_the_rest_expires(api: Api) -> None:
    """The whole lot was written off at its end, what had been redeemed of it included."""
    await api.issue(value=10, expires_at=SOON)
    await api.issue(value=5)
    await api.redeem(amount=8)
    api.clock.forward(days=15)
    assert await api.balance("p-1") == 5
    await api.redeem(amount=1)  # records what was due
    moved = [each["effect"] for each in await api.data("/profiles/p-1/ledgers")]
    assert sorted(moved) == [-8, -2, -1, 5, 10]


async def test_an_expiry_that_is_shown_is_kept(api: Api) -> None:
    """The card said until when, and the till took it for months after."""
    made = await api.issue(value=10, expires_at=SOON)
    assert made["expires_at"] == SOON
    api.clock.forward(days=15)
    answer = await api.post("/profiles/p-1/redeem", {"amount": 1})
    assert refused(answer, 422, "insufficient_balance").content["available"] == 0
    assert (await api.data(f"/rewards/{made['id']}"))["value_remaining"] == 0


async def test_the_nearest_expiry_goes_first_whatever_came_first(api: Api) -> None:
    """First in, first out let value run out that could have been spent."""
    await api.issue(value=10)
    short = await api.issue(value=10, expires_at=SOON)
    (item,) = (await api.redeem(amount=10))["items"]
    assert item["id"] == short["id"]


# ── Giving back ──────────────────────────────────────────────────────────────────────────────────


async def test_a_return_adds_and_never_takes_again(api: Api) -> None:
    """The refund ran the sale once more with its sign lost, and deducted a second time."""
    await api.issue(value=10)
    redeemed = await api.redeem(amount=6)
    back = await api.made(f"/redemptions/{redeemed['id']}/return", {"amount": 6})
    assert back["balances"]["reward_balance"] == 10
    assert await journal_sum(api) == 10


async def test_goods_brought_back_give_back_what_paid_for_them_and_once(api: Api) -> None:
    """Buy with the reward, bring it back for money and the reward, and again: value out of nothing.

    What the goods gave back is gone from what the redemption can give back, and the other way.
    """
    cake = {"name": "Cake", "sku": "cake", "quantity": 1, "price_current": 10, "price_sell": 10}
    await api.issue(value=10)
    redeemed = await api.redeem(amount=10)
    await api.sell(receipt_ref="7", items=[cake], redemption_id=redeemed["id"])
    brought = sale(
        total=-10,
        linked_receipt_ref="7",
        items=[cake | {"quantity": -1}],
        return_redemption=True,
        transacted_at="2031-03-10 09:20:00",
    )
    await api.made("/transactions", brought)
    assert await api.balance("p-1") == 10
    refused(await api.post("/transactions", brought), 422, "return_exceeds_sale")
    path = f"/redemptions/{redeemed['id']}"
    refused(await api.post(f"{path}/return"), 422, "return_exceeds_redemption")
    assert await status(api, f"{path}/reversal") == 409
    assert await api.balance("p-1") == 10


async def test_parts_given_back_never_come_to_more_than_was_taken(api: Api) -> None:
    """Each refund was held against the whole payment, so three of 4 came out of one of 10."""
    await api.issue(value=10)
    path = f"/redemptions/{(await api.redeem(amount=10))['id']}/return"
    answers = [await status(api, path, {"amount": 4}) for _ in range(3)]
    assert answers == [201, 201, 422]
    assert await api.balance("p-1") == 8


async def test_a_return_repeated_under_its_key_gives_back_once(api: Api) -> None:
    """A refund that timed out was sent again, and paid twice."""
    await api.issue(value=10)
    path = f"/redemptions/{(await api.redeem(amount=10))['id']}/return"
    first = await api.post(path, {"amount": 4}, idempotency_key="back-1")
    again = await api.post(path, {"amount": 4}, idempotency_key="back-1")
    assert first.json() == again.json()
    assert again.headers["idempotency-replayed"] == "true"
    assert await api.balance("p-1") == 4


async def test_two_reversals_at_once_give_back_once(api: Api) -> None:
    """Both looked, both saw it unreversed, both paid."""
    await api.issue(value=10)
    path = f"/redemptions/{(await api.redeem(amount=10))['id']}/reversal"
    answers = await asyncio.gather(*(status(api, path) for _ in range(5)))
    assert sorted(answers) == [201, 409, 409, 409, 409]
    assert await api.balance("p-1") == 10


async def test_a_reversal_after_a_void_gives_nothing_more(api: Api) -> None:
    """The sale was voided and then its payment refunded: the same value twice, in either order."""
    await api.issue(value=20)
    for void_first in (True, False):
        redeemed = await api.redeem(amount=10)
        sold = await api.sell(redemption_id=redeemed["id"])
        if not void_first:
            await api.made(f"/redemptions/{redeemed['id']}/return", {"amount": 4})
        await api.changed(f"/transactions/{sold['id']}", {"is_void": True})
        for way in ("return", "reversal"):
            answer = await api.post(f"/redemptions/{redeemed['id']}/{way}")
            assert answer.status_code in (409, 422), answer.text
        assert await api.balance("p-1") == 20


async def test_what_comes_back_remembers_where_it_came_from(api: Api) -> None:
    """The refund was a new entry without a word of the till's own reference."""
    await api.issue(value=10)
    redeemed = await api.redeem(amount=10, external_id="w-1", transaction_external_id="t-1")
    back = await api.made(f"/redemptions/{redeemed['id']}/return")
    assert back["redemption_id"] == redeemed["id"]
    (new,) = back["reissued"]
    shown = await api.data(f"/rewards/{new['id']}")
    assert shown["restored_from"] == redeemed["items"][0]["id"]


# ── Many at once ─────────────────────────────────────────────────────────────────────────────────


async def test_redemptions_at_once_never_go_below_zero(api: Api) -> None:
    """The check against it was an option, because it could be slow."""
    await api.issue(value=10)
    path = "/profiles/p-1/redeem"
    answers = await asyncio.gather(*(status(api, path, {"amount": 3}) for _ in range(12)))
    assert sorted(answers) == [201] * 3 + [422] * 9
    assert await api.balance("p-1") == 1


async def test_a_redemption_and_a_revocation_at_once_share_no_value(api: Api) -> None:
    """What staff took back and what the till took came to more than there was."""
    reward = await api.issue(value=10)
    await asyncio.gather(
        api.post("/profiles/p-1/redeem", {"amount": 10}), api.delete(f"/rewards/{reward['id']}")
    )
    assert await api.balance("p-1") == 0
    assert await journal_sum(api) == 0


async def test_the_first_two_rewards_of_a_profile_at_once_both_stand(api: Api) -> None:
    """Both created the balance, and one of them was lost."""
    definition = (await api.define())["id"]
    body = {"profile_id": "p-new", "reward_definition_id": definition, "value_initial": 5}
    assert await asyncio.gather(*(status(api, "/rewards", body) for _ in range(4))) == [201] * 4
    assert await api.balance("p-new") == 20


# ── Holds ────────────────────────────────────────────────────────────────────────────────────────


async def test_a_released_hold_is_not_captured(api: Api) -> None:
    """A hold that had been rejected could still be committed, from value long free again."""
    await api.issue(value=10)
    path = await held(api)
    assert await status(api, f"{path}/release") == 200
    refused(await api.post(f"{path}/capture"), 409, "hold_released")
    assert await api.balance("p-1") == 10


async def test_a_hold_is_released_once(api: Api) -> None:
    """Voided twice, it gave its value back twice."""
    await api.issue(value=10)
    path = await held(api)
    answers = await asyncio.gather(*(status(api, f"{path}/release") for _ in range(3)))
    assert sorted(answers) == [200, 409, 409]
    assert await api.balance("p-1") == 10


async def test_a_hold_is_captured_or_released_and_not_both(api: Api) -> None:
    """The payment's answer and the customer's second thoughts came at the same time."""
    await api.issue(value=10)
    path = await held(api)
    ways = [status(api, f"{path}/{way}") for way in ("capture", "release", "capture")]
    assert sorted(await asyncio.gather(*ways)) == [200, 409, 409]
    shown = await api.data(path)
    assert await api.balance("p-1") == (4 if shown["status"] == "captured" else 10)


async def test_no_more_is_captured_than_was_held(api: Api) -> None:
    """Committing more than the hold took the rest from where nobody had looked."""
    await api.issue(value=10)
    path = await held(api)
    answer = await api.post(f"{path}/capture", {"amount": "6.01"})
    assert refused(answer, 422, "capture_exceeds_hold").content["held"] == 6
    shown = await api.data("/profiles/p-1/balances")
    assert (shown["reward_balance"], shown["held_reward_balance"]) == (4, 6)


async def test_what_a_part_capture_leaves_is_free_again(api: Api) -> None:
    """The rest of a hold captured in part stayed locked for ever."""
    await api.issue(value=10)
    path = await held(api)
    assert await status(api, f"{path}/capture", {"amount": 2}) == 200
    shown = await api.data("/profiles/p-1/balances")
    assert (shown["reward_balance"], shown["held_reward_balance"]) == (8, 0)


async def test_a_hold_past_its_deadline_is_free_though_no_worker_ran(api: Api) -> None:
    """A worker that stood still held everybody's value, or let it be captured late."""
    await api.issue(value=10)
    path = await held(api, 10)
    api.clock.forward(minutes=15)
    refused(await api.post(f"{path}/capture"), 409, "hold_lapsed")
    assert (await api.redeem(amount=10))["total"] == 10


async def test_a_hold_repeated_under_its_key_is_the_same_hold(api: Api) -> None:
    """The retry was refused as another request, because an id drawn anew stood in it."""
    await api.issue(value=10)
    body, path = {"amount": 6, "hold": "PT15M"}, "/profiles/p-1/redeem"
    first = await api.post(path, body, idempotency_key="h-1")
    api.clock.forward(minutes=1)
    again = await api.post(path, body, idempotency_key="h-1")
    assert first.json() == again.json()
    shown = await api.data("/profiles/p-1/balances")
    assert shown["held_reward_balance"] == 6


# ── Names and repeats ────────────────────────────────────────────────────────────────────────────


async def test_one_name_twice_in_a_batch_is_one_reward(api: Api) -> None:
    """Two rows with the same key in one batch brought the whole batch down, or were both taken."""
    definition = (await api.define())["id"]
    row = {"profile_id": "p-1", "reward_definition_id": definition, "external_id": "x-1"}
    answer = await api.post("/rewards/batch.json", {"rewards": [row, row]}, idempotency_key="b-1")
    rows = answer.json()["data"]
    assert [each["status"] for each in rows] == [201, 200]
    assert rows[0]["data"]["id"] == rows[1]["data"]["id"]
    assert await api.balance("p-1") == 10


async def test_a_batch_repeated_under_its_key_doubles_no_row(api: Api) -> None:
    """A batch cut off in its middle was sent again from its start."""
    definition = (await api.define())["id"]
    row = {"profile_id": "p-1", "reward_definition_id": definition}
    first = await api.post("/rewards/batch.json", {"rewards": [row] * 3}, idempotency_key="b-1")
    again = await api.post("/rewards/batch.json", {"rewards": [row] * 3}, idempotency_key="b-1")
    assert first.json()["data"] == again.json()["data"]
    assert await api.balance("p-1") == 30


async def test_a_sale_sent_again_takes_no_second_redemption(api: Api) -> None:
    """The till's retry recorded the receipt twice, and reports counted it twice."""
    await api.issue(value=10)
    redeemed = await api.redeem(amount=10)
    body = sale(external_id="t-1", redemption_id=redeemed["id"])
    assert [await status(api, "/transactions", body) for _ in range(2)] == [201, 200]
    other = sale(external_id="t-2", redemption_id=redeemed["id"])
    refused(await api.post("/transactions", other), 409, "redemption_already_linked")
    assert len(await api.data("/transactions")) == 1


async def test_under_one_key_a_refusal_stays_a_refusal(api: Api) -> None:
    """The till had been told no and asked for cash; a late retry then took the reward as well."""
    await api.issue(value="4.99")
    path = "/profiles/p-1/redeem"
    first = await api.post(path, {"amount": 8}, idempotency_key="k-1")
    assert refused(first, 422, "insufficient_balance").content["available"] == 4.99
    await api.issue(value="5.01")
    again = await api.post(path, {"amount": 8}, idempotency_key="k-1")
    assert again.text == first.text
    assert await api.balance("p-1") == 10


# ── Money ────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("times", [10, 30])
async def test_a_tenth_taken_ten_times_is_a_whole(api: Api, times: int) -> None:
    """Floats left 0.0999… behind: the last tenth was refused, or a cent stayed for ever."""
    await api.issue(value="1.00" if times == 10 else "3.00")
    for _ in range(times):
        await api.redeem(amount="0.10")
    shown = await api.get("/profiles/p-1/balances")
    assert '"reward_balance":0,' in shown.text


async def test_shares_come_to_what_was_redeemed(api: Api) -> None:
    """Each line's share was rounded by itself, and a cent was nobody's."""
    await api.issue(value=10)
    redeemed = await api.redeem(amount=10)
    line = {"name": "Bun", "quantity": 1, "price_current": "3.34", "price_sell": "3.34"}
    sold = await api.sell(total="10.02", items=[line] * 3, redemption_id=redeemed["id"])
    assert [each["redemption_share"] for each in sold["items"]] == [3.34, 3.33, 3.33]


async def test_a_balance_of_the_past_stays_what_it_was(api: Api) -> None:
    """Yesterday's statement could not be had again: today's balance was all there was."""
    await api.issue(value=10)
    then = api.clock.now.strftime("%Y-%m-%dT%H:%M:%SZ")
    api.clock.forward(days=1)
    await api.redeem(amount=4)
    shown = await api.data(f"/profiles/p-1/balances?as_of={then}")
    assert shown["reward_balance"] == 10
    assert await api.balance("p-1") == 6


async def test_who_is_forgotten_keeps_every_cent(api: Api) -> None:
    """Names could not be deleted without deleting entries, and with them the balance."""
    await api.issue(value=10)
    await api.changed("/profiles/p-1", {"first_name": "Ada"})
    redeemed = await api.redeem(amount=4)
    assert (await api.delete("/profiles/p-1/personal-data")).status_code == 200
    assert (await api.data("/profiles/p-1"))["first_name"] is None
    assert await api.balance("p-1") == await journal_sum(api) == 6
    assert await status(api, f"/redemptions/{redeemed['id']}/reversal") == 201
    assert await api.balance("p-1") == 10


async def test_every_reward_with_value_stays_in_every_list(api: Api) -> None:
    """After its first movement a balance vanished from the search."""
    reward = await api.issue(value=10)
    await api.redeem(amount=4)
    assert await api.ids("/profiles/p-1/rewards") == [reward["id"]]
    (shown,) = await api.data("/profiles/p-1/rewards/expiry-order")
    assert (shown["reward_id"], shown["value_available"]) == (reward["id"], 6)
