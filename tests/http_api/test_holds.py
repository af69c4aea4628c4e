"""Holds over HTTP: value is set aside, captured or let go; no read is late for a deadline."""

import asyncio
from typing import Any

import pytest
from http_api.ledger_client import Api, refused

from app.due_profiles import DueInReadModel
from ledger.submission import Submission
from schemas.rewards import RecordDueFacts


async def held(api: Api, amount: Any = 6, **fields: Any) -> Any:
    """A hold for a quarter of an hour."""
    return await api.redeem(amount=amount, hold="PT15M", **fields)


async def balances(api: Api) -> tuple[Any, Any]:
    """What can be spent, and what is held."""
    shown = await api.data("/profiles/p-1/balances")
    return shown["reward_balance"], shown["held_reward_balance"]


async def test_a_hold_says_until_when_and_leaves_the_rest(api: Api) -> None:
    reward = await api.issue(value=10)
    made = await held(api, external_id="r-1")
    assert (made["type"], made["status"], made["total"]) == ("redeem", "held", 6)
    assert (made["held_until"], made["reversible_until"]) == ("2031-03-10 09:45:00", None)
    assert (made["items"][0]["id"], made["items"][0]["value"]) == (reward["id"], 6)
    now = made["balances"]
    assert (now["reward_balance"], now["held_reward_balance"]) == (4, 6)
    assert await balances(api) == (4, 6)
    (shown,) = await api.data("/profiles/p-1/redemptions?filter[status]=held")
    assert await api.ids("/redemptions?filter[status]=held") == [made["id"]]
    assert shown["id"] == made["id"]


async def test_a_capture_of_a_part_releases_the_rest(api: Api) -> None:
    await api.issue(value=10)
    made = await held(api)
    path = f"/redemptions/{made['id']}"
    too_much = await api.post(f"{path}/capture", {"amount": "6.01"})
    assert refused(too_much, 422, "capture_exceeds_hold", "amount").content["held"] == 6
    api.clock.forward(minutes=5)
    tried = (await api.post(f"{path}/capture?dry_run=true", {"amount": 4})).json()["data"]
    answer = await api.post(f"{path}/capture", {"amount": 4}, idempotency_key="c-1")
    taken = answer.json()["data"]
    assert answer.status_code == 200
    assert {name: value for name, value in tried.items() if name != "updated_at"} == {
        name: value for name, value in taken.items() if name != "updated_at"
    }
    assert (taken["id"], taken["status"]) == (made["id"], "captured")
    assert (taken["total"], taken["released"], taken["requested"]) == (4, 2, 6)
    assert taken["redeem_at"] == taken["captured_at"] == "2031-03-10 09:35:00"
    assert taken["reversible_until"] == "2031-03-10 09:45:00"
    assert (taken["balances"]["reward_balance"], await balances(api)) == (6, (6, 0))
    refused(await api.post(f"{path}/capture"), 409, "already_captured")
    refused(await api.post(f"{path}/release"), 409, "already_captured")
    again = await api.post(f"{path}/capture", {"amount": 4}, idempotency_key="c-1")
    assert again.headers["idempotency-replayed"] == "true"
    assert again.json()["data"] == taken
    undone = await api.made(f"{path}/reversal")
    assert (undone["total"], undone["balances"]["reward_balance"]) == (4, 10)


async def test_a_release_lets_go_of_everything(api: Api) -> None:
    await api.issue(value=10)
    path = f"/redemptions/{(await held(api))['id']}"
    for way in ("reversal", "return"):
        refused(await api.post(f"{path}/{way}"), 409, "redemption_held")
    released = (await api.post(f"{path}/release")).json()["data"]
    assert (released["status"], released["total"], released["released"]) == ("released", 0, 6)
    assert (released["items"], released["balances"]["reward_balance"]) == ([], 10)
    assert await balances(api) == (10, 0)
    for way in ("capture", "release", "reversal", "return"):
        refused(await api.post(f"{path}/{way}"), 409, "hold_released")


async def test_from_the_deadline_on_every_read_counts_it_as_let_go(api: Api) -> None:
    reward = await api.issue(value=10)
    made = await held(api, external_id="r-1")
    api.clock.forward(minutes=15)
    head = await api.head()
    assert await balances(api) == (10, 0)
    shown = await api.data(f"/redemptions/{made['id']}")
    assert (shown["status"], shown["total"], shown["items"]) == ("lapsed", 0, [])
    assert shown["released_at"] == "2031-03-10 09:45:00"
    assert await api.ids("/profiles/p-1/redemptions?filter[status]=lapsed") == [made["id"]]
    assert await api.ids("/profiles/p-1/redemptions?filter[status]=held") == []
    assert await api.ids("/profiles/p-1/redemptions?filter[has_reward]=true") == []
    (group,) = await api.data("/redemptions/group/status")
    assert group == {"status": "lapsed", "count": 1, "total": 0, "returned": 0}
    (next_one,) = await api.data("/profiles/p-1/rewards/expiry-order")
    assert (next_one["reward_id"], next_one["value_available"]) == (reward["id"], 10)
    assert (await api.data(f"/rewards/{reward['id']}"))["value_remaining"] == 10
    refused(await api.post(f"/redemptions/{made['id']}/capture"), 409, "hold_lapsed")
    again = {"amount": 6, "hold": "PT15M", "external_id": "r-1"}
    refused(await api.post("/profiles/p-1/redeem", again), 409, "external_id_taken")
    assert await api.head() == head
    assert (await api.redeem(amount=10))["balances"]["reward_balance"] == 0
    assert (await api.data(f"/redemptions/{made['id']}"))["status"] == "lapsed"


async def test_all_of_a_reward_that_is_held_stands_in_the_order_from_the_deadline_on(
    api: Api,
) -> None:
    reward = await api.issue(value=6)
    await held(api)
    assert await api.data("/profiles/p-1/rewards/expiry-order") == []
    api.clock.forward(minutes=15)
    (shown,) = await api.data("/profiles/p-1/rewards/expiry-order")
    assert (shown["reward_id"], shown["value_available"]) == (reward["id"], 6)


async def test_what_lapses_after_the_end_of_its_reward_has_expired(api: Api) -> None:
    reward = await api.issue(value=6, expires_at="2031-03-10 09:35:00")
    await held(api)
    api.clock.forward(minutes=10)
    assert await balances(api) == (0, 6)
    assert (await api.data(f"/rewards/{reward['id']}"))["value_remaining"] == 6
    api.clock.forward(minutes=5)
    assert await balances(api) == (0, 0)
    assert (await api.data(f"/rewards/{reward['id']}"))["value_remaining"] == 0
    assert await api.data("/profiles/p-1/rewards/expiry-order") == []


async def test_the_expiry_worker_finds_what_is_due(api: Api) -> None:
    await api.issue(value=6)
    await held(api)
    await api.data("/profiles/p-1/rewards/expiry-order")
    due = DueInReadModel(api.services.pool)
    api.clock.forward(minutes=15, microseconds=-1)
    assert await due(api.clock(), after="", limit=10) == []
    api.clock.forward(microseconds=1)
    assert await due(api.clock(), after="", limit=10) == ["p-1"]
    command = RecordDueFacts(profile_id="p-1")
    await api.services.committer.submit(Submission(command, client="w", actor="w"))
    await api.data("/profiles/p-1/rewards/expiry-order")
    assert await due(api.clock(), after="", limit=10) == []
    *_, last = await api.data("/profiles/p-1/history")
    assert last["words"] == (
        "The hold of redemption 3 lapsed at 2031-03-10 09:45:00 UTC: 6 AUD no longer held"
    )
    (line, *_) = await api.data("/profiles/p-1/ledgers")
    assert (line["from"], line["to"], line["effect"]) == ("held", "available", 6)
    assert (line["event"], line["redemption_id"], line["balance"]) == ("HoldLapsed", 3, 6)


async def test_of_many_holds_at_once_the_balance_is_good_for_one(api: Api) -> None:
    await api.issue(value=5)
    path = "/profiles/p-1/redeem"
    body = {"amount": 5, "hold": "PT15M"}
    answers = await asyncio.gather(*(api.post(path, body) for _ in range(200)))
    assert sorted(answer.status_code for answer in answers) == [201] + [422] * 199
    assert await balances(api) == (0, 5)
    made = next(answer.json()["data"] for answer in answers if answer.status_code == 201)
    path = f"/redemptions/{made['id']}"
    both = await asyncio.gather(
        *(api.post(f"{path}/{way}") for way in ("capture", "release") for _ in range(10))
    )
    assert sorted(answer.status_code for answer in both) == [200] + [409] * 19
    assert (await balances(api))[1] == 0


async def test_a_sale_is_paid_when_its_hold_is_captured(api: Api) -> None:
    await api.issue(value=10)
    made = await held(api, transaction_external_id="t-1")
    sold = await api.sell(external_id="t-1")
    assert (sold["profile_id"], sold["redemption_id"]) == ("p-1", None)
    answer = await api.put(f"/transactions/{sold['id']}", {"redemption_id": made["id"]})
    refused(answer, 409, "redemption_held", "redemption_id")
    captured = (await api.post(f"/redemptions/{made['id']}/capture")).json()["data"]
    assert captured["transaction_id"] == sold["id"]
    paid = await api.data(f"/transactions/{sold['id']}")
    assert (paid["redemption_id"], paid["redemption_total"]) == (made["id"], 6)
    assert await api.ids("/profiles/p-1/linked/redemptions") == [made["id"]]


async def test_only_what_is_held_ends(api: Api) -> None:
    await api.issue(value=10)
    path = f"/redemptions/{(await api.redeem(amount=4))['id']}"
    for way in ("capture", "release"):
        refused(await api.post(f"{path}/{way}"), 409, "not_held")
        refused(await api.post(f"/redemptions/99/{way}"), 404, "redemption_not_found")


@pytest.mark.parametrize("hold", ["PT0S", "P1D", "-PT5M", "PT", 900, "PT1.5S", "PT99999H"])
async def test_a_hold_has_a_duration_of_hours_minutes_and_seconds(api: Api, hold: Any) -> None:
    answer = await api.post("/profiles/p-1/redeem", {"amount": 1, "hold": hold})
    refused(answer, 422, "validation_failed", "hold")


async def test_a_hold_lasts_at_most_a_week(api: Api) -> None:
    await api.issue(value=10)
    answer = await api.post("/profiles/p-1/redeem", {"amount": 1, "hold": "PT168H1S"})
    assert refused(answer, 422, "hold_too_long", "hold").content["hold_max_seconds"] == 604_800
    await api.redeem(amount=1, hold="PT168H")
