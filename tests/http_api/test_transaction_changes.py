"""Changes over HTTP: upsert, partial change, unattach."""

from typing import Any

import pytest
from http_api.ledger_client import Api, refused, sale
from http_api.test_transactions import NOTHING_BACK, WHOLE

UPSERT = "/transactions/update-create"
LINE = sale()["items"][0]
PLAIN = {
    name: value
    for name, value in WHOLE.items()
    if name not in ("receipt_email", "meta", "custom_fields", "items", "payments")
}
"""All of it that is nobody's own: what is personal is sealed, and can't be compared."""


async def upserted(api: Api, code: int = 200, /, **told: Any) -> Any:
    """What an upsert gives."""
    answer = await api.post(UPSERT, told)
    assert answer.status_code == code, answer.text
    return answer.json()["data"]


async def test_an_upsert_records_then_changes_nothing_then_changes(api: Api) -> None:
    made = await upserted(api, 201, **WHOLE)
    head = await api.head()
    assert await upserted(api, **PLAIN) == made
    assert await api.head() == head
    assert await upserted(api, **WHOLE) == made
    assert await api.data(f"/transactions/{made['id']}") == made
    api.clock.forward(seconds=1)
    news = {"tender": "card", "fees": None, "tags": [], "total": "20.00"}
    changed = await upserted(api, external_id=made["external_id"], **news)
    later = {"updated_at": "2031-03-10 09:30:01"}
    assert changed == made | {"tender": "card", "fees": None, "tags": [], "total": 20} | later
    for path in (f"/transactions/{made['id']}", f"/profiles/p-1/transactions/{made['id']}"):
        assert await api.data(path) == changed
    assert await api.data("/profiles/p-1/transactions") == [changed]


async def test_every_field_of_a_sale_can_be_changed(api: Api) -> None:
    made = await api.sell(external_id="t/1 \u00e9")
    changed = await api.changed(f"/transactions/{made['id']}", WHOLE)
    whole = await upserted(api, 201, **WHOLE | {"external_id": "t-2", "receipt_ref": "other"})
    own = {"id", "external_id", "receipt_ref"}
    assert {k: v for k, v in changed.items() if k not in own} == (
        {k: v for k, v in whole.items() if k not in own}
    )
    nothing = {
        name: None
        for name, value in WHOLE.items()
        if name not in ("total", "external_id", "source_version", "timezone", "transacted_at")
        and not isinstance(value, list)
        and name not in ("profile_id", "is_void")
    }
    emptied = await api.changed(f"/transactions/{made['id']}", nothing)
    assert {name: emptied[name] for name in nothing} == nothing
    assert emptied["items"] == changed["items"]


async def test_what_is_personal_is_replaced_and_taken_away_like_the_rest(api: Api) -> None:
    made = await upserted(api, 201, **WHOLE)
    path = f"/transactions/{made['id']}"
    line = {name: value for name, value in WHOLE["items"][0].items() if name != "meta"}
    for change, expected in (
        ({"meta": {"n": 2}}, {"meta": {"n": 2}}),
        ({"receipt_email": None}, {"receipt_email": None}),
        ({"tender": "card"}, {"meta": {"n": 2}, "custom_fields": WHOLE["custom_fields"]}),
    ):
        changed = await api.changed(path, change)
        assert {name: changed[name] for name in expected} == expected
    bare = await api.changed(path, {"items": [line]})
    assert bare["items"][0]["meta"] is None
    assert bare["payments"] == made["payments"]
    paid = await api.changed(path, {"payments": [{"amount": 5, "meta": {"last": "2"}}]})
    assert paid["payments"][0]["meta"] == {"last": "2"}
    assert await api.data(path) == paid


async def test_null_and_nothing_are_different_requests(api: Api) -> None:
    made = await api.sell(tender="cash")
    path = f"/transactions/{made['id']}"
    await api.changed(path, {"staff_id": 1}, idempotency_key="k-1")
    again = await api.put(path, {"staff_id": 1, "tender": None}, idempotency_key="k-1")
    refused(again, 422, "idempotency_key_reused")


async def test_new_lines_share_what_was_redeemed_anew(api: Api) -> None:
    await api.issue()
    redeemed = await api.redeem(amount=5)
    made = await api.sell(redemption_id=redeemed["id"], external_id="t-1")
    lines = [LINE | {"price_current": 3}, LINE | {"price_current": 2}]
    changed = await upserted(api, external_id="t-1", items=lines)
    assert [line["redemption_share"] for line in changed["items"]] == [3, 2]
    assert changed["redemptions"] == made["redemptions"]
    assert changed == await api.data("/transactions/external/t-1")
    assert changed["items"][0] == LINE_SHOWN | {"price_current": 3, "redemption_share": 3}


LINE_SHOWN = {
    "name": "Cake",
    "quantity": 1,
    "price_current": 10,
    "price_sell": 10,
    "price_original": None,
    "price_margin": None,
    "price_tax": None,
    "is_void": False,
    "external_id": None,
    "sku": None,
    "product_variant_id": None,
    "product_variant": None,
    "variant_external_id": None,
    "department": None,
    "discounts": [],
    "tags": [],
    "meta": None,
    **NOTHING_BACK,
}


async def test_a_new_sale_needs_what_every_sale_has(api: Api) -> None:
    problem = await api.post(UPSERT, {"external_id": "t-1", "total": 5})
    refused(problem, 422, "invalid_transaction", "transacted_at")


async def test_an_older_version_is_stale_and_changes_nothing(api: Api) -> None:
    made = await upserted(api, 201, **sale(external_id="t-1", source_version=5))
    head = await api.head()
    assert "stale" not in made
    stale = await upserted(api, external_id="t-1", source_version="4", tender="card")
    assert stale == made | {"stale": True}
    path = f"/transactions/{made['id']}"
    assert await api.changed(path, {"source_version": 0, "tender": "x"}) == stale
    assert await api.head() == head
    news = await upserted(api, external_id="t-1", source_version=6, tender="card")
    assert (news["tender"], news["source_version"]) == ("card", 6)
    assert "stale" not in news


async def test_names_of_two_sales_are_refused(api: Api) -> None:
    first, second = await api.sell(external_id="t-1"), await api.sell(external_id="t-2")
    both = {"id": second["id"], "external_id": "t-1"}
    refused(await api.post(UPSERT, both), 409, "transaction_id_mismatch", "external_id")
    renamed = await api.put(f"/transactions/{first['id']}", {"external_id": "t-3"})
    refused(renamed, 409, "transaction_id_mismatch")
    unnamed = await api.sell()
    taken = await api.put(f"/transactions/{unnamed['id']}", {"external_id": "t-2"})
    refused(taken, 409, "transaction_id_mismatch", "external_id")
    refused(await api.post(UPSERT, {"id": 99}), 404, "transaction_not_found")
    refused(await api.put("/transactions/99", {"tender": "x"}), 404, "transaction_not_found")


async def test_a_name_given_late_is_taken_for_good(api: Api) -> None:
    made = await api.sell()
    await api.changed(f"/transactions/{made['id']}", {"external_id": "t-1"})
    assert (await api.data("/transactions/external/t-1"))["id"] == made["id"]
    refused(await api.post("/transactions", sale(external_id="t-1")), 409, "external_id_taken")


async def test_a_sale_moves_only_by_way_of_nobody(api: Api) -> None:
    await api.issue("p-1", 10)
    made = await upserted(api, 201, **sale(external_id="t-1"))
    assert made["profile_id"] is None
    mine = await upserted(api, external_id="t-1", profile_id="p-1")
    assert await api.data("/profiles/p-1/transactions") == [mine]
    other = await api.post(UPSERT, {"external_id": "t-1", "profile_id": "p-2"})
    refused(other, 409, "transaction_profile_mismatch", "profile_id")
    unattach = f"/profiles/p-1/transactions/{made['id']}/unattach"
    gone = await api.post(unattach)
    assert gone.status_code == 200
    assert gone.json()["data"]["profile_id"] is None
    assert await api.data("/profiles/p-1/transactions") == []
    refused(await api.post(unattach), 404, "transaction_not_found")
    await upserted(api, external_id="t-1", profile_id="p-2")
    assert len(await api.data("/profiles/p-2/transactions")) == 1


async def test_what_a_redemption_paid_for_is_not_unattached(api: Api) -> None:
    await api.issue()
    made = await api.sell(redemption_id=(await api.redeem(amount=4))["id"])
    answer = await api.post(f"/profiles/p-1/transactions/{made['id']}/unattach")
    refused(answer, 409, "transaction_has_redemptions")


async def test_an_upsert_links_one_redemption_and_no_other(api: Api) -> None:
    await api.issue()
    first, second = await api.redeem(amount=4), await api.redeem(amount=3)
    await upserted(api, 201, **sale(external_id="t-1"))
    told = {"external_id": "t-1", "redemption_id": first["id"]}
    linked = await upserted(api, **told)
    assert (linked["profile_id"], linked["redemption_total"]) == ("p-1", 4)
    assert await upserted(api, **told) == linked
    other = await api.post(UPSERT, told | {"redemption_id": second["id"]})
    refused(other, 409, "transaction_redemption_mismatch", "redemption_id")


async def test_a_void_is_final(api: Api) -> None:
    await api.issue()
    redeemed = await api.redeem(amount=4)
    told = sale(external_id="t-1", redemption_id=redeemed["id"])
    made = await upserted(api, 201, **told)
    path = f"/transactions/{made['id']}"
    assert await api.changed(path, {"is_void": False}) == made
    void = await upserted(api, external_id="t-1", is_void=True)
    assert void["is_void"] is True
    assert await api.balance("p-1") == 10
    for change in ({"is_void": False}, {"tender": "card"}):
        refused(await api.put(path, change), 409, "transaction_void")
    assert await upserted(api, **told) == void


@pytest.mark.parametrize("path", [UPSERT, "/profiles/p-1/transactions/1/unattach"])
async def test_changes_need_a_scope_of_their_own(api: Api, path: str) -> None:
    api.token = await api.services.tokens.create("till", ["create-transactions"])
    body = sale() if path == UPSERT else None
    refused(await api.post(path, body), 403, "forbidden")


async def test_a_dry_run_shows_what_a_change_would_do(api: Api) -> None:
    tried = await api.post(f"{UPSERT}?dry_run=true", sale(external_id="t-1"))
    assert (tried.status_code, tried.json()["data"]["id"]) == (200, None)
    made = await api.sell(external_id="t-1")
    told = {"external_id": "t-1", "tender": "card", "profile_id": "p-1"}
    tried = await api.post(f"{UPSERT}?dry_run=true", told)
    assert tried.json()["data"] == made | {"tender": "card", "profile_id": "p-1"}
    assert await api.data(f"/transactions/{made['id']}") == made
