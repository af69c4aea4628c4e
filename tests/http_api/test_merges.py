"""Merged profiles over HTTP: who asks for the loser, or acts for it, means the winner."""

from typing import Any

import pytest
from http_api.ledger_client import Api, refused

MERGE = {"winner": "p-1", "loser": "p-2"}


async def two(api: Api) -> dict[str, Any]:
    """p-1 has 10; p-2 has 7 of 10, a redemption of 3 and the sale it paid for."""
    await api.issue("p-1", 10)
    reward = await api.issue("p-2", 10, external_id="card-2")
    redeemed = await api.redeem("p-2", 3, external_id="r-2")
    sold = await api.sell(profile_id="p-2", redemption_id=redeemed["id"], external_id="t-2")
    return {"reward": reward["id"], "redemption": redeemed["id"], "sale": sold["id"]}


async def merge(api: Api, body: Any = None, **headers: str) -> Any:
    answer = await api.post("/profiles/merge", body or MERGE, **headers)
    assert answer.status_code == 200, answer.text
    return answer.json()["data"]


async def test_the_winner_has_what_both_had(api: Api) -> None:
    known = await two(api)
    shown = await merge(api)
    assert (shown["id"], shown["absorbed"]) == ("p-1", ["p-2"])
    assert shown["balances"]["reward_balance"] == 17
    assert await api.balance("p-1") == 17
    assert await api.ids("/profiles/p-1/redemptions") == [known["redemption"]]
    assert await api.ids("/profiles/p-1/transactions") == [known["sale"]]
    assert known["reward"] in await api.ids("/profiles/p-1/rewards")


async def test_the_losers_redemptions_are_counted_under_either_name(api: Api) -> None:
    known = await two(api)
    await merge(api)
    for name in ("p-1", "p-2"):
        path = f"/profiles/{name}/redemptions/reward/{known['reward']}/count"
        assert await api.data(path) == {"count": 1}


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/balances",
        "/ledgers",
        "/history",
        "/rewards",
        "/rewards/expiry-order",
        "/redemptions",
        "/transactions",
    ],
)
async def test_a_read_of_the_loser_is_one_of_the_winner(api: Api, path: str) -> None:
    await two(api)
    await merge(api)
    of_winner = (await api.get(f"/profiles/p-1{path}")).json()
    of_loser = (await api.get(f"/profiles/p-2{path}")).json()
    assert of_loser["meta"]["merged_into"] == "p-1"
    assert "merged_into" not in of_winner.get("meta", {})
    if path:
        assert of_loser["data"] == of_winner["data"]
    else:
        assert of_loser["data"] == of_winner["data"] | {"merged_into": "p-1"}


async def test_one_thing_of_the_losers_is_found_under_both_profiles(api: Api) -> None:
    known = await two(api)
    await merge(api)
    for profile in ("p-1", "p-2"):
        base = f"/profiles/{profile}"
        reward = await api.data(f"{base}/rewards/{known['reward']}")
        assert (reward["profile_id"], reward["value_remaining"]) == ("p-1", 7)
        redemption = await api.data(f"{base}/redemptions/{known['redemption']}")
        assert (redemption["profile_id"], redemption["transaction_id"]) == ("p-1", known["sale"])
        sale = await api.data(f"{base}/transactions/{known['sale']}")
        assert sale["profile_id"] == "p-2"
    refused(await api.get(f"/profiles/p-9/rewards/{known['reward']}"), 404, "reward_not_found")


async def test_a_command_for_the_loser_is_one_for_the_winner(api: Api) -> None:
    known = await two(api)
    await merge(api)
    redeemed = await api.redeem("p-2", 12)
    assert redeemed["profile_id"] == "p-1"
    issued = await api.issue("p-2", 5)
    assert issued["profile_id"] == "p-1"
    sold = await api.sell(profile_id="p-2", external_id="t-3")
    assert sold["profile_id"] == "p-1"
    back = await api.made(f"/redemptions/{known['redemption']}/return", {"policy": "restore"})
    assert back["balances"]["reward_balance"] == 17 - 12 + 5 + 3
    assert (await api.delete(f"/profiles/p-2/rewards/{known['reward']}")).status_code == 204
    voided = await api.changed(f"/transactions/{known['sale']}", {"is_void": True})
    assert voided["is_void"]


async def test_repeats_after_a_merge(api: Api) -> None:
    """Under its key a repeat is the first answer; under its external_id it is what there is now."""
    await api.issue("p-2", 10)
    body = {"amount": 3, "external_id": "r-1"}
    first = await api.post("/profiles/p-2/redeem", body, idempotency_key="k-1")
    await api.issue("p-1", 10)
    merged = await api.post("/profiles/merge", MERGE, idempotency_key="k-2")
    again = await api.post("/profiles/p-2/redeem", body, idempotency_key="k-1")
    assert again.json() == first.json()
    assert again.headers["idempotency-replayed"] == "true"
    now = await api.post("/profiles/p-2/redeem", body)
    assert now.status_code == 200
    assert now.json()["data"]["profile_id"] == "p-1"
    await api.redeem("p-1", 1)
    merged_again = await api.post("/profiles/merge", MERGE, idempotency_key="k-2")
    assert merged_again.json() == merged.json()
    await api.made(f"/redemptions/{first.json()['data']['id']}/return")
    refused(await api.post("/profiles/p-2/redeem", body), 409, "external_id_taken")


async def test_a_dry_run_shows_the_merge_and_does_nothing(api: Api) -> None:
    await two(api)
    head = await api.head()
    shown = (await api.post("/profiles/merge?dry_run=true", MERGE)).json()["data"]
    assert (shown["absorbed"], shown["balances"]["reward_balance"]) == (["p-2"], 17)
    assert await api.head() == head
    assert await api.balance("p-2") == 7


async def test_the_guides_path_merges_too(api: Api) -> None:
    await two(api)
    answer = await api.post("/profiles/p-1/merge", {"loser_id": "p-2"})
    assert answer.json()["data"]["absorbed"] == ["p-2"]


async def test_the_own_history_of_a_merged_profile(api: Api) -> None:
    await two(api)
    await merge(api)
    own = (await api.get("/profiles/p-2/history?own=true")).json()
    assert own["data"][-1]["type"] == "ProfileMergedAway"
    assert own["data"][-1]["balance"] == 0
    assert own["data"][-1]["words"] == (
        "This profile has become profile p-1, which takes 1 reward, 7 AUD of them available"
    )
    last = (await api.data("/profiles/p-1/history"))[-1]
    assert (last["type"], last["change"], last["balance"]) == ("ProfileMerged", 7, 17)
    lines = await api.data("/profiles/p-1/ledgers")
    assert lines[0]["balance"] == 17


async def test_what_is_no_merge(api: Api) -> None:
    await two(api)
    same = {"winner": "p-1", "loser": "p-1"}
    refused(await api.post("/profiles/merge", same), 422, "same_profile")
    unknown = {"winner": "p-1", "loser": "p-9"}
    answer = await api.post("/profiles/merge", unknown)
    refused(answer, 422, "profile_not_found", "loser")
    await merge(api)
    problem = refused(await api.post("/profiles/merge", MERGE), 409, "profile_merged")
    assert problem.content["merged_into"] == "p-1"
    back = {"winner": "p-2", "loser": "p-1"}
    refused(await api.post("/profiles/merge", back), 422, "same_profile")


async def test_a_chain_of_merges_is_read_to_its_end(api: Api) -> None:
    await two(api)
    await api.issue("p-3", 1)
    await merge(api)
    await merge(api, {"winner": "p-3", "loser": "p-1"})
    assert await api.balance("p-2") == 18
    assert (await api.data("/profiles/p-2"))["id"] == "p-3"
    assert (await api.data("/profiles/p-3"))["absorbed"] == ["p-1", "p-2"]
    assert len(await api.ids("/profiles/p-2/transactions")) == 1


async def test_a_profile_nobody_knows(api: Api) -> None:
    refused(await api.get("/profiles/p-9"), 404, "profile_not_found")


@pytest.mark.parametrize("bytes_max", [100])
async def test_more_than_one_append_takes_is_refused(
    api: Api, bytes_max: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    await two(api)
    monkeypatch.setattr("ledger.account.profiles.APPEND_BYTES_MAX", bytes_max)
    refused(await api.post("/profiles/merge", MERGE), 409, "profile_too_large")
