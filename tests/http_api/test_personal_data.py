"""Personal data over HTTP: shown as it was sent, in no table in clear, and gone when erased."""

from typing import Any
from uuid import uuid4

import pytest
from http_api.ledger_client import Api, refused, sale

from ledger.event_store.chain import verify
from ledger.personal.sealing import key_id_of
from ledger.personal.stripping import stripped
from ledger.submission import Submission
from schemas.rewards import RevokeReward

CANARY = f"canary-{uuid4().hex}"
META = {"note": CANARY, "n": 0.1, "deep": [1.5, {"x": None}]}
SOLD = {
    "receipt_email": f"{CANARY}@example.org",
    "meta": META,
    "custom_fields": {"c": CANARY},
    "payments": [{"amount": 10, "type": "card", "name": "Visa", "meta": {"holder": CANARY}}],
}


def sold(**fields: Any) -> dict[str, Any]:
    """A sale with something personal wherever it may be."""
    body = sale(**SOLD)
    body["items"] = [body["items"][0], body["items"][0] | {"meta": {"line": CANARY}}]
    return body | fields


async def everything(api: Api) -> str:
    """All that all tables hold, as text and as bytes in hexadecimal."""
    tables = await api.services.pool.fetch(
        "SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables "
        "WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
    )
    assert len(tables) > 15
    found = []
    for table in tables:
        rows = await api.services.pool.fetch(f"SELECT t::text AS row FROM {table['name']} t")
        found += [row["row"] for row in rows]
    return "\n".join(found)


def in_any_form(text: str) -> tuple[str, str]:
    """As text, and as a bytea shows it."""
    return text, text.encode().hex()


async def lookups(api: Api) -> int:
    """How often keys were looked at so far."""
    return api.services.vault.keys.looks  # type: ignore[attr-defined, no-any-return]


@pytest.fixture
def counted(api: Api) -> Api:
    """The API with its looks for keys counted."""
    keys: Any = api.services.vault.keys
    keys.looks = 0
    opening, sealing = keys.opening, keys.sealing

    async def count_opening(key_ids: Any) -> Any:
        keys.looks += 1
        return await opening(key_ids)

    async def count_sealing(owners: Any) -> Any:
        keys.looks += 1
        return await sealing(owners)

    keys.opening, keys.sealing = count_opening, count_sealing
    return api


async def test_what_is_personal_comes_back_as_it_was_sent_and_stands_nowhere(api: Api) -> None:
    reward = await api.issue(meta=META, value=30)
    redemption = await api.redeem(amount=10, meta=META)
    transaction = await api.sell(**sold(profile_id="p-1", redemption_id=redemption["id"]))
    shown = {
        f"/rewards/{reward['id']}": reward,
        f"/redemptions/{redemption['id']}": redemption,
        f"/transactions/{transaction['id']}": transaction,
    }
    for path, made in shown.items():
        read = await api.data(path)
        assert made["meta"] == read["meta"] == META
        assert "personal_data" not in read
        listed = await api.data(f"/profiles/p-1/{path.split('/')[1]}")
        assert listed[0]["meta"] == META
    read = await api.data(f"/transactions/{transaction['id']}")
    assert read["receipt_email"] == transaction["receipt_email"] == SOLD["receipt_email"]
    assert [item["meta"] for item in read["items"]] == [None, {"line": CANARY}]
    assert read["payments"][0]["meta"] == {"holder": CANARY}
    assert read["custom_fields"] == {"c": CANARY}
    held = await everything(api)
    assert "sealed:v1:" in held or b"sealed:v1:".hex() in held
    for form in in_any_form(CANARY):
        assert form not in held


async def test_a_repeat_and_a_dry_run_show_it_as_well(api: Api) -> None:
    await api.issue(value=30)
    body = {"amount": 5, "meta": META}
    path = "/profiles/p-1/redeem"
    dry = (await api.post(f"{path}?dry_run=true", body)).json()["data"]
    assert dry["meta"] == META
    assert await api.services.pool.fetchval("SELECT count(*) FROM ledger.personal_keys") == 0
    first = await api.post(path, body, idempotency_key="k")
    again = await api.post(path, body, idempotency_key="k")
    assert again.headers["Idempotency-Replayed"] == "true"
    assert first.json()["data"]["meta"] == again.json()["data"]["meta"] == META
    refused(
        await api.post(path, body | {"meta": {"note": "other"}}, idempotency_key="k"),
        422,
        "idempotency_key_reused",
    )
    named = {"amount": 1, "meta": META, "external_id": "x-1"}
    assert (await api.post(path, named)).json()["data"]["meta"] == META
    repeated = await api.post(path, named)
    assert (repeated.status_code, repeated.json()["data"]["meta"]) == (200, META)


async def test_rows_of_a_batch_show_their_own(api: Api) -> None:
    definition = (await api.define())["id"]
    rows = [
        {"profile_id": f"p-{n}", "reward_definition_id": definition, "meta": {"n": n}}
        for n in range(3)
    ]
    answer = (await api.post("/rewards/batch.json", {"rewards": rows})).json()
    assert [row["data"]["meta"] for row in answer["data"]] == [{"n": 0}, {"n": 1}, {"n": 2}]


async def test_answers_without_anything_personal_look_for_no_key(counted: Api) -> None:
    api = counted
    reward = await api.issue(value=30)
    redemption = await api.redeem(amount=10)
    await api.sell(profile_id="p-1", redemption_id=redemption["id"])
    for path in (f"/rewards/{reward['id']}", "/rewards", "/transactions", "/redemptions"):
        await api.data(path)
    assert await lookups(api) == 0
    await api.redeem(amount=1, meta=META)  # one look to seal; to open, the key is at hand
    assert await lookups(api) == 1
    await api.data("/profiles/p-1/redemptions")
    assert await lookups(api) == 2


async def test_a_reason_is_told_in_the_history_and_sealed_in_the_log(api: Api) -> None:
    reward = await api.issue()
    services = api.services
    command = RevokeReward(reward_id=reward["id"], reason=CANARY)
    (without,) = await stripped([command], services.vault, services.store)
    await services.committer.submit(
        Submission(without.command, "t", "t", personal=without.personal)
    )
    assert (await api.data("/profiles/p-1/history"))[-1]["words"].endswith(f": {CANARY}")
    held = await everything(api)
    assert all(form not in held for form in in_any_form(CANARY))
    await api.delete("/profiles/p-1/personal-data")
    assert CANARY not in str(await api.data("/profiles/p-1/history"))


async def test_an_erasure_leaves_nothing_personal_and_all_of_the_value(api: Api) -> None:
    reward = await api.issue(meta=META, value=30)
    redemption = await api.redeem(amount=10, meta=META)
    transaction = await api.sell(**sold(profile_id="p-1", redemption_id=redemption["id"]))
    other = await api.issue("p-2", meta=META)
    balance = await api.data("/profiles/p-1/balances")

    answer = await api.delete("/profiles/p-1/personal-data")
    assert answer.status_code == 200
    receipt = answer.json()["data"]
    assert (receipt["profile_id"], len(receipt["keys_destroyed"])) == ("p-1", 1)
    assert receipt["position"] == int(answer.headers["Ledger-Position"])
    assert receipt["id"]
    assert receipt["at"]

    for path in (f"/rewards/{reward['id']}", f"/redemptions/{redemption['id']}"):
        read = await api.data(path)
        assert (read["meta"], read["personal_data"]) == (None, "erased")
    read = await api.data(f"/transactions/{transaction['id']}")
    assert CANARY not in str(read)
    assert (read["receipt_email"], read["custom_fields"]) == (None, None)
    assert read["personal_data"] == "erased"
    assert (await api.data(f"/rewards/{other['id']}"))["meta"] == META
    assert await api.data("/profiles/p-1/balances") == balance
    assert (await api.data("/profiles/p-1/history"))[-1]["words"].startswith("Personal data erased")

    store = api.services.store
    log = await store.read_log(after_position=0, limit=1_000)
    assert verify(log, await store.incarnation()) is None
    sealed = [text for text in (await everything(api)).split('"') if text.startswith("sealed:")]
    opened = await api.services.vault.opened(sealed)
    assert {key_id_of(t) for t, o in opened.items() if o is None} >= {
        key_id_of(t) for t in sealed if str(key_id_of(t)) in receipt["keys_destroyed"]
    }


async def test_what_comes_after_an_erasure_has_a_new_key(api: Api) -> None:
    await api.issue(meta=META, value=30)
    (first,) = await erased(api)
    reward = await api.issue(meta={"new": 1})
    assert (await api.data(f"/rewards/{reward['id']}"))["meta"] == {"new": 1}
    (second,) = await erased(api)
    assert first != second
    assert await erased(api) == []


async def erased(api: Api) -> list[str]:
    """The keys an erasure destroyed."""
    answer = await api.delete("/profiles/p-1/personal-data")
    keys: list[str] = answer.json()["data"]["keys_destroyed"]
    return keys


async def test_a_repeated_erasure_gives_the_same_receipt_and_finishes_the_first(api: Api) -> None:
    await api.issue(meta=META)
    path = "/profiles/p-1/personal-data"
    keys: Any = api.services.vault.keys
    destroy = keys.destroy

    async def dies(_: Any) -> Any:
        raise ConnectionError

    keys.destroy = dies
    assert (await api.delete(path, idempotency_key="k")).status_code == 503
    keys.destroy = destroy
    reward = (await api.data("/profiles/p-1/rewards"))[0]
    assert reward["meta"] == META  # recorded, and not done yet
    receipt = (await api.delete(path, idempotency_key="k")).json()["data"]
    assert len(receipt["keys_destroyed"]) == 1
    assert (await api.data("/profiles/p-1/rewards"))[0]["meta"] is None
    again = await api.delete(path, idempotency_key="k")
    assert again.json()["data"] == receipt


async def test_a_dry_run_of_an_erasure_erases_nothing(api: Api) -> None:
    await api.issue(meta=META)
    answer = await api.delete("/profiles/p-1/personal-data?dry_run=true")
    assert answer.json()["data"]["id"] is None
    assert len(answer.json()["data"]["keys_destroyed"]) == 1
    assert (await api.data("/profiles/p-1/rewards"))[0]["meta"] == META


async def test_the_first_answer_again_after_an_erasure_has_nothing_personal(api: Api) -> None:
    await api.issue(value=30)
    body = {"amount": 5, "meta": META}
    await api.post("/profiles/p-1/redeem", body, idempotency_key="k")
    await erased(api)
    again = (await api.post("/profiles/p-1/redeem", body, idempotency_key="k")).json()["data"]
    assert (again["meta"], again["personal_data"]) == (None, "erased")


async def test_a_sale_of_nobodys_has_a_key_of_its_own_until_it_is_somebodys(api: Api) -> None:
    await api.issue(value=30)
    await api.issue("p-2", value=30)
    ours = await api.sell(**sold(external_id="s-1"))
    nobodys = await api.sell(**sold(external_id="s-2"))
    redemption = await api.redeem(amount=1)
    link = {"redemption_id": redemption["id"]}
    await api.changed(f"/transactions/{ours['id']}", link)
    answer = await api.delete("/profiles/p-2/personal-data")
    assert answer.json()["data"]["keys_destroyed"] == []
    assert len(await erased(api)) == 1
    assert (await api.data(f"/transactions/{ours['id']}"))["meta"] is None
    assert (await api.data(f"/transactions/{nobodys['id']}"))["meta"] == META


async def test_a_sale_that_names_only_its_redemption_is_sealed_for_its_profile(api: Api) -> None:
    await api.issue(value=30)
    redemption = await api.redeem(amount=1)
    sold_to = await api.sell(**sold(redemption_id=redemption["id"]))
    owner = await api.services.pool.fetchval("SELECT owner FROM ledger.personal_keys")
    assert (owner, sold_to["profile_id"]) == ("p-1", "p-1")


async def test_nobody_unknown_is_erased(api: Api) -> None:
    refused(await api.delete("/profiles/nobody/personal-data"), 404, "profile_not_found")


@pytest.mark.parametrize("asked", ["p-1", "p-2"])
async def test_who_became_one_is_erased_as_one(api: Api, asked: str) -> None:
    rewards = [(await api.issue(profile, meta=META))["id"] for profile in ("p-1", "p-2", "p-3")]
    sold_to = await api.sell(**sold(profile_id="p-2"))
    answer = await api.post("/profiles/merge", {"winner": "p-1", "loser": "p-2"})
    assert answer.status_code in (200, 201), answer.text
    assert (await api.data(f"/rewards/{rewards[1]}"))["meta"] == META
    answer = await api.delete(f"/profiles/{asked}/personal-data")
    receipt = answer.json()["data"]
    assert (receipt["profile_id"], len(receipt["keys_destroyed"])) == ("p-1", 2)
    shown = [(await api.data(f"/rewards/{reward}"))["meta"] for reward in rewards]
    assert shown == [None, None, META]
    assert CANARY not in str(await api.data(f"/transactions/{sold_to['id']}"))
    assert await api.balance("p-1") == 20


async def test_no_way_in_leaves_anything_in_clear(api: Api) -> None:
    reward = await api.issue(value=30, meta=META)
    path = f"/rewards/{reward['id']}"
    await api.changed(path, {"value_remaining": 25, "reason": CANARY, "meta": {"adj": CANARY}})
    body = {"reward_ids": [reward["id"]], "days": 3, "reason": CANARY}
    extended = await api.post("/rewards/extend", body)
    assert extended.status_code in (200, 201, 422), extended.text
    redemption = await api.redeem(amount=10, meta=META)
    await api.made(f"/redemptions/{redemption['id']}/return", {"amount": 1, "meta": META})
    held = await api.redeem(amount=2, meta=META, hold="PT5M")
    transaction = await api.sell(**sold(profile_id="p-1", external_id="s-1"))
    changes = {"meta": {"new": CANARY}, "receipt_email": None, "items": sold()["items"][1:]}
    changed = await api.changed(f"/transactions/{transaction['id']}", changes)
    assert (changed["meta"], changed["receipt_email"]) == ({"new": CANARY}, None)
    assert changed["custom_fields"] == {"c": CANARY}
    assert [item["meta"] for item in changed["items"]] == [{"line": CANARY}]
    upserted = await api.post("/transactions/update-create", sold(external_id="s-2"))
    assert upserted.status_code in (200, 201), upserted.text
    held_now = await everything(api)
    for form in in_any_form(CANARY):
        assert form not in held_now
    assert (await api.data(path))["meta"] == {"adj": CANARY}
    assert (await api.data(f"/redemptions/{held['id']}"))["meta"] == META
    assert CANARY in str(await api.data("/profiles/p-1/history"))
    await erased(api)
    for read in (path, f"/redemptions/{redemption['id']}", f"/transactions/{transaction['id']}"):
        assert CANARY not in str(await api.data(read))
    assert CANARY not in str(await api.data("/profiles/p-1/history"))
