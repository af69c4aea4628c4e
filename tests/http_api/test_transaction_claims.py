"""Claims over HTTP: now or as soon as the sale arrives, first come first served."""

from typing import Any

from http_api.ledger_client import Api, refused

CLAIMS = "/profiles/p-1/transactions/claims"
RECEIPT = {"transaction_receipt_ref": "0042", "transaction_total": "10.00"}
WHOLE = RECEIPT | {
    "transaction_transacted_at": "2031-03-10 09:00:00",
    "transaction_timezone": "UTC",
    "transaction_location_external_code": "3",
}


async def known(api: Api) -> None:
    """Two profiles."""
    for profile in ("p-1", "p-2"):
        await api.issue(profile)


async def test_a_sale_of_nobody_is_claimed_at_once(api: Api) -> None:
    await known(api)
    sold = await api.sell(receipt_ref="0042", location_id=3)
    made = await api.made(CLAIMS, WHOLE)
    told = {name: made[name] for name in WHOLE}
    assert told == WHOLE | {"transaction_total": 10}
    assert (made["status"], made["claimed_transaction_id"]) == ("claimed", sold["id"])
    assert (made["attempts"], made["last_checked_at"]) == (1, "2031-03-10 09:30:00")
    assert await api.data(f"{CLAIMS}/{made['id']}") == made
    (mine,) = await api.data("/profiles/p-1/transactions")
    assert mine == sold | {"profile_id": "p-1"}
    other = await api.post("/profiles/p-2/transactions/claims", RECEIPT)
    refused(other, 409, "receipt_claimed", "transaction_receipt_ref")


async def test_a_claim_waits_for_its_sale_and_the_first_has_it(api: Api) -> None:
    await known(api)
    first, second = await api.made(CLAIMS, RECEIPT), await api.made(CLAIMS, WHOLE)
    theirs = await api.made("/profiles/p-2/transactions/claims", RECEIPT)
    assert {each["status"] for each in (first, second, theirs)} == {"open"}
    api.clock.forward(minutes=1)
    await api.sell(receipt_ref="0042", total=9)
    sold = await api.sell(receipt_ref="0042", location_id=3)
    assert sold["profile_id"] == "p-1"
    shown = await api.data(CLAIMS)
    assert [(each["id"], each["status"]) for each in shown] == [
        (second["id"], "claimed"),
        (first["id"], "claimed"),
    ]
    assert shown[1]["claimed_transaction_id"] == sold["id"]
    assert (shown[1]["attempts"], shown[1]["last_checked_at"]) == (3, "2031-03-10 09:31:00")
    (lost,) = await api.data("/profiles/p-2/transactions/claims")
    assert (lost["status"], lost["claimed_transaction_id"]) == ("rejected", None)
    assert await api.ids(f"{CLAIMS}?filter[status]=open") == []


async def test_the_same_claim_twice_is_one(api: Api) -> None:
    await known(api)
    made = await api.made(CLAIMS, RECEIPT)
    head = await api.head()
    again = await api.post(CLAIMS, RECEIPT)
    assert (again.status_code, again.json()["data"]) == (200, made)
    assert await api.head() == head


async def test_no_claim_of_this_profile(api: Api) -> None:
    await known(api)
    refused(await api.post("/profiles/p-9/transactions/claims", RECEIPT), 404, "profile_not_found")
    made = await api.made(CLAIMS, RECEIPT)
    for path in (f"{CLAIMS}/99", f"/profiles/p-2/transactions/claims/{made['id']}"):
        refused(await api.get(path), 404, "transaction_claim_not_found")


async def test_only_so_many_wait_for_one_receipt(api: Api) -> None:
    await known(api)
    for cents in range(20):
        await api.made(CLAIMS, RECEIPT | {"transaction_total": f"1.{cents:02}"})
    refused(await api.post(CLAIMS, RECEIPT), 409, "receipt_contested", "transaction_receipt_ref")


async def test_a_dry_run_claims_nothing(api: Api) -> None:
    await known(api)
    sold = await api.sell(receipt_ref="0042")
    tried = await api.post(f"{CLAIMS}?dry_run=true", RECEIPT)
    shown: dict[str, Any] = tried.json()["data"]
    assert (tried.status_code, shown["id"], shown["status"]) == (200, None, "claimed")
    assert await api.data(f"/transactions/{sold['id']}") == sold
