"""The register of profiles over HTTP: register, read, change, list, delete, restore."""

from typing import Any

from http_api.ledger_client import Api, refused

ADA = {
    "id": "ada",
    "first_name": "Ada",
    "last_name": "Lovelace",
    "email": "ada@example.org",
    "type": "pending",
    "tags": ["vip"],
    "address": {"city": "London"},
    "meta": {"store": 9.5},
}


async def ada(api: Api) -> Any:
    return await api.post("/profiles", ADA)


async def test_a_registered_profile_is_read_as_it_was_told(api: Api) -> None:
    answer = await ada(api)
    assert answer.status_code == 201, answer.text
    told = answer.json()["data"]
    assert {name: told[name] for name in ADA} == ADA
    assert (await api.data("/profiles/ada")) == told
    assert told["mobile_phone"] is None


async def test_without_an_id_it_gets_one(api: Api) -> None:
    found = (await api.post("/profiles", {"first_name": "Nobody"})).json()["data"]
    assert len(found["id"]) == 36
    assert (await api.data(f"/profiles/{found['id']}"))["first_name"] == "Nobody"


async def test_whoever_is_known_is_refused(api: Api) -> None:
    await ada(api)
    refused(await ada(api), 409, "profile_exists")
    await api.issue("p-1", 10)
    refused(await api.post("/profiles", {"id": "p-1"}), 409, "profile_exists")


async def test_a_repeat_under_its_key_is_answered_again(api: Api) -> None:
    first = await api.post("/profiles", ADA, idempotency_key="k")
    again = await api.post("/profiles", ADA, idempotency_key="k")
    assert again.json() == first.json()
    assert again.headers["Idempotency-Replayed"] == "true"


async def test_what_is_left_out_stays_and_null_takes_away(api: Api) -> None:
    await ada(api)
    changes = {"last_name": "King", "email": None, "tags": []}
    changed = (await api.put("/profiles/ada", changes)).json()["data"]
    assert (changed["first_name"], changed["last_name"]) == ("Ada", "King")
    assert (changed["email"], changed["tags"], changed["type"]) == (None, [], "pending")
    assert (await api.data("/profiles/ada")) == changed


async def test_a_dry_run_makes_nobody_known(api: Api) -> None:
    shown = (await api.post("/profiles?dry_run=true", ADA)).json()["data"]
    assert (shown["id"], shown["first_name"]) == (None, "Ada")
    refused(await api.get("/profiles/ada"), 404, "profile_not_found")


async def test_the_list_filters_by_what_stands_in_clear(api: Api) -> None:
    await ada(api)
    await api.issue("p-1", 10)
    for profile in ("p-1", "ada"):
        await api.data(f"/profiles/{profile}")
    assert set(await api.ids("/profiles")) == {"p-1", "ada"}
    assert await api.ids("/profiles?filter[type]=pending") == ["ada"]


async def test_a_deleted_profile_gives_and_takes_nothing_until_it_is_restored(api: Api) -> None:
    await api.issue("p-1", 10)
    held = await api.redeem("p-1", 4, hold="PT10M")
    assert (await api.delete("/profiles/p-1")).status_code == 204
    assert (await api.data("/profiles/p-1"))["type"] == "deleted"
    assert (await api.data(f"/redemptions/{held['id']}"))["status"] == "released"
    refused(await api.post("/profiles/p-1/redeem", {"amount": 1}), 409, "profile_closed")
    assert await api.balance("p-1") == 10
    restored = (await api.post("/profiles/p-1/restore", {})).json()["data"]
    assert (restored["type"], restored["deleted_at"]) == ("active", None)
    await api.redeem("p-1", 10)


async def test_nobody_is_not_changed_deleted_or_restored(api: Api) -> None:
    refused(await api.put("/profiles/none", {"type": "active"}), 404, "profile_not_found")
    refused(await api.delete("/profiles/none"), 404, "profile_not_found")
    refused(await api.post("/profiles/none/restore", {}), 404, "profile_not_found")


async def test_an_address_of_mail_is_no_id(api: Api) -> None:
    refused(await api.post("/profiles", {"id": "ada@example.org"}), 422, "validation_failed")
