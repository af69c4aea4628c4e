"""One box: whatever a text names is found, best first, and only what the caller may read."""

from collections.abc import Collection
from typing import Any

import pytest
from http_api.ledger_client import Api, refused
from http_api.plans import plan
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import asyncpg as dialect

from api.search import log
from api.search.names import SAME, likeness
from api.tokens import SCOPES
from ledger.personal import postgres_keys
from ledger.personal.tokens import name_words
from projections.read_models import redemptions, rewards, transactions

ADA = {
    "id": "p-ada",
    "first_name": "Ada",
    "last_name": "Lovelace",
    "email": "ada@example.org",
    "mobile_phone": "+61 400 123 456",
}


async def search(api: Api, q: str, **headers: str) -> Any:
    response = await api.client.get(
        "/api/v3/search",
        params={"q": q},
        headers={"authorization": f"Bearer {api.token}"} | headers,
    )
    assert response.status_code == 200, response.text
    return response.json()["data"]


async def found(api: Api, q: str, **headers: str) -> list[tuple[str, Any, str]]:
    """Kind, id and by what, in their order."""
    return [(hit["kind"], hit["id"], hit["matched"]) for hit in await search(api, q, **headers)]


async def without(api: Api, scopes: Collection[str]) -> dict[str, str]:
    """The header of a token for all but these."""
    kept = [scope for scope in SCOPES if scope != "*" and scope not in scopes]
    return {"authorization": f"Bearer {await api.services.tokens.create('office', kept)}"}


@pytest.mark.parametrize(
    ("asked", "name", "exact"),
    [
        ("ada lovelace", "Ada Lovelace", True),
        ("LOVELACE, Ada", "Ada Lovelace", True),
        ("Muller", "Zoe M\u00fcller", True),
        ("lovelase", "Ada Lovelace", False),
        ("lovlace", "Ada Lovelace", False),
        ("lvoelace", "Ada Lovelace", False),
        ("love", "Ada Lovelace", False),
        ("jon", "John", False),
        ("Smyth", "Smith", False),
    ],
)
def test_names_are_alike(asked: str, name: str, *, exact: bool) -> None:
    score = likeness(name_words(asked), name_words(name))
    assert score == SAME if exact else 0 < score < SAME


@pytest.mark.parametrize("asked", ["bob", "ada smith", "xovexacx", "", "a"])
def test_names_are_not_alike(asked: str) -> None:
    assert likeness(name_words(asked), ["lovelace"]) == 0


@pytest.mark.parametrize(
    ("q", "matched"),
    [
        ("p-ada", "id"),
        ("Ada Lovelace", "name"),
        ("lovelase", "name"),
        ("adda lovlace", "name"),
        (" ADA@Example.org ", "email"),
        ("+61 400 123 456", "phone"),
        ("0400 123 456", "phone"),
    ],
)
async def test_a_profile_is_found_by_what_it_is_called(api: Api, q: str, matched: str) -> None:
    await api.made("/profiles", ADA)
    await api.made("/profiles", {"id": "p-bob", "first_name": "Bob", "last_name": "Hope"})
    (hit,) = await search(api, q)
    score = hit.pop("score")
    assert 0 < score <= 1
    assert hit == {
        "kind": "profile",
        "id": "p-ada",
        "title": "Ada Lovelace",
        "detail": "active",
        "profile_id": "p-ada",
        "matched": matched,
    }


async def test_exact_names_come_before_those_that_are_alike(api: Api) -> None:
    for number, name in enumerate(["Smyth", "Smith", "Smithson"]):
        await api.made("/profiles", {"id": f"p-{number}", "last_name": name})
    hits = await search(api, "smith")
    assert [hit["title"] for hit in hits] == ["Smith", "Smithson", "Smyth"]
    assert [hit["score"] for hit in hits] == sorted((h["score"] for h in hits), reverse=True)


async def test_what_somebody_was_called_finds_nobody(api: Api) -> None:
    await api.made("/profiles", ADA)
    await api.changed("/profiles/p-ada", {"last_name": "King", "email": None})
    assert await search(api, "lovelace") == []
    assert await search(api, "ada@example.org") == []
    assert await found(api, "king") == [("profile", "p-ada", "name")]


async def test_who_is_erased_is_found_by_the_id_alone(api: Api) -> None:
    await api.made("/profiles", ADA)
    await api.delete("/profiles/p-ada/personal-data")
    for q in ("Ada", "lovelace", "ada@example.org", "0400 123 456"):
        assert await search(api, q) == []
    (hit,) = await search(api, "p-ada")
    assert (hit["title"], hit["profile_id"]) == ("p-ada", "p-ada")


async def test_a_merged_or_deleted_profile_says_so(api: Api) -> None:
    await api.made("/profiles", ADA)
    await api.made("/profiles", {"id": "p-2", "first_name": "Ada", "last_name": "King"})
    await api.post("/profiles/merge", {"winner": "p-2", "loser": "p-ada"})
    (hit,) = await search(api, "p-ada")
    assert (hit["detail"], hit["profile_id"]) == ("merged into p-2", "p-2")
    await api.delete("/profiles/p-2")
    assert (await search(api, "p-2"))[0]["detail"] == "deleted"


async def test_a_profile_is_found_by_any_identity_it_has_now(api: Api) -> None:
    await api.made("/profiles", ADA)
    path = "/profiles/p-ada/identities"
    card = await api.made(path, {"handle": "card", "identifier": "990 00 12345"})
    await api.made(path, {"handle": "email", "identifier": "ada@work.example"})
    await api.made(path, {"handle": "shop", "identifier": "ada@example.org"})
    by_identity = [("profile", "p-ada", "identity")]
    assert await found(api, " 990 00 12345 ") == by_identity
    assert await found(api, "ADA@work.example") == by_identity
    assert await found(api, "ada@example.org") == [("profile", "p-ada", "email")]
    assert await found(api, "990 00 12345", **await without(api, ["read-identities"])) == []
    await api.made("/profiles", {"id": "p-2"})
    await api.post("/profiles/merge", {"winner": "p-2", "loser": "p-ada"})
    assert await found(api, "990 00 12345") == [("profile", "p-2", "identity")]
    await api.delete(f"/profiles/p-2/identities/{card['id']}")
    assert await search(api, "990 00 12345") == []


async def test_a_uuid_is_found_in_either_case(api: Api) -> None:
    profile = "8f3c2b1e-0000-4000-8000-000000000001"
    await api.issue(profile)
    assert await found(api, profile.upper()) == [("profile", profile, "id")]


async def test_a_number_may_mean_several_things(api: Api) -> None:
    reward = await api.issue(external_id="7001")
    redemption = await api.redeem(external_id="7001", transaction_external_id="7001")
    sold = await api.sell(external_id="7001", receipt_ref="7001", profile_id="p-1")
    await api.made("/profiles", {"id": "7001"})
    hits = await search(api, "7001")
    assert [(hit["kind"], hit["id"]) for hit in hits] == [
        ("profile", "7001"),
        ("transaction", sold["id"]),
        ("redemption", redemption["id"]),
        ("reward", reward["id"]),
    ]
    assert {hit["profile_id"] for hit in hits[1:]} == {"p-1"}
    assert {hit["matched"] for hit in hits} == {"id", "external_id"}


async def test_ids_lead_to_what_has_them_and_say_what_it_is(api: Api) -> None:
    definition = await api.define(name="Cake")
    await api.data(f"/rewards/definitions/{definition['id']}")
    reward = await api.issue(reward_definition_id=definition["id"])
    redemption = await api.redeem(amount=4)
    sold = await api.sell(redemption_id=redemption["id"], receipt_ref="R-1")
    returned = await api.made(f"/redemptions/{redemption['id']}/return", {"amount": 1})
    for kind, made, detail in (
        ("reward", reward, "6 of 10 AUD left, issued 2031-03-10 09:30:00, expires "),
        ("redemption", redemption, "4 AUD on 2031-03-10 09:30:00"),
        ("redemption", returned, "1 AUD on 2031-03-10 09:30:00"),
        ("transaction", sold, "10 AUD on 2031-03-10 09:00:00, receipt R-1"),
    ):
        hit = next(h for h in await search(api, str(made["id"])) if h["kind"] == kind)
        assert hit["id"] == made["id"]
        assert hit["profile_id"] == "p-1"
        assert hit["matched"] == "id"
        assert str(made["id"]) in hit["title"]
        assert hit["detail"].startswith(detail)


async def test_a_receipt_finds_its_sales(api: Api) -> None:
    await api.sell(receipt_ref="0042", location_id=1)
    sold = await api.sell(receipt_ref="0042", location_id=2)
    hits = await found(api, "0042", **{"ledger-wait-for": str(await api.head())})
    assert ("transaction", sold["id"], "receipt_ref") in hits


async def test_a_reward_that_moved_is_found_where_it_is(api: Api) -> None:
    definition = (await api.define(is_reassignable=True))["id"]
    reward = await api.issue(external_id="x-1", reward_definition_id=definition)
    await api.issue("p-2")
    moved = await api.post(f"/rewards/{reward['id']}/reassign", {"profile_id": "p-2"})
    assert moved.status_code == 200
    (hit,) = await search(api, "x-1")
    assert (hit["id"], hit["profile_id"]) == (reward["id"], "p-2")


async def test_a_key_leads_to_what_its_request_did(api: Api) -> None:
    await api.issue()
    path = "/profiles/p-1/redeem"
    redemption = await api.made(path, {"amount": 4}, idempotency_key="k-1")
    await api.post(path, {"amount": 400}, idempotency_key="k-2")
    hits = await search(api, "k-1")
    assert [(hit["kind"], hit["id"]) for hit in hits] == [
        ("redemption", redemption["id"]),
        ("request", "till k-1"),
    ]
    assert {(hit["matched"], hit["profile_id"]) for hit in hits} == {("idempotency_key", "p-1")}
    assert hits[1]["detail"].startswith(f"Redemption {redemption['id']} took 4 AUD")
    (refusal,) = await search(api, "k-2")
    assert refusal["detail"] == "refused: insufficient_balance"


async def test_a_key_of_any_client_and_of_a_batch_is_found(api: Api) -> None:
    definition = (await api.define())["id"]
    row = {"profile_id": "p-1", "reward_definition_id": definition}
    for client in ("app", "shop", "web"):
        token = await api.services.tokens.create(client, ["*"])
        header = {"authorization": f"Bearer {token}", "idempotency_key": "k"}
        await api.made("/rewards", row, **header)
    await api.post("/rewards/batch.json", {"rewards": [row, row]}, idempotency_key="k")
    hits = [hit for hit in await search(api, "k") if hit["kind"] == "request"]
    assert {hit["id"] for hit in hits} == {"app k", "shop k", "web k", "till  0 k", "till  1 k"}


async def test_a_position_is_an_event_in_words(api: Api) -> None:
    await api.issue()
    head = await api.head()
    hits = await search(api, str(head))
    event = next(hit for hit in hits if hit["kind"] == "event")
    assert (event["id"], event["title"], event["profile_id"]) == (head, "RewardIssued", "p-1")
    assert ", in account-p-1" in event["detail"]
    assert not any(hit["kind"] == "event" for hit in await search(api, str(head + 1)))


@pytest.mark.parametrize(
    ("scope", "kinds"),
    [
        ("read-transactions", {"transaction"}),
        ("read-redemptions", {"redemption"}),
        ("read-rewards", {"reward"}),
        ("read-ledgers", {"request", "event"}),
    ],
)
async def test_what_a_token_can_not_read_is_not_found(
    api: Api, scope: str, kinds: set[str]
) -> None:
    await api.issue(external_id="1", value=100)
    body = {"amount": 10, "external_id": "1"}
    await api.made("/profiles/p-1/redeem", body, idempotency_key="1")
    await api.sell(external_id="1", profile_id="p-1")
    every = {hit["kind"] for hit in await search(api, "1")}
    assert every == {"transaction", "redemption", "reward", "request", "event"}
    left = {hit["kind"] for hit in await search(api, "1", **await without(api, [scope]))}
    assert left == every - kinds


async def test_no_more_than_twenty_are_shown(api: Api) -> None:
    for number in range(25):
        await api.made("/profiles", {"id": f"p-{number}", "last_name": "Smith"})
    assert len(await search(api, "smith")) == 20


@pytest.mark.parametrize("q", ["", "%20%20", "%00", "a%00b", "x" * 256, "%E2%98%83" * 256])
async def test_what_nobody_can_look_for_is_refused(api: Api, q: str) -> None:
    refused(await api.get(f"/search?q={q}"), 422, "validation_failed", "q")
    refused(await api.get("/search"), 422, "validation_failed", "q")


@pytest.mark.parametrize(
    "q", ["%ED%A0%80", "%FF", "9007199254740992", "9" * 255, "'--", "%25", "a@", "@", "((((((((",
          "%F0%9F%8E%82", "0", "-1", "x%0Ay", "account-p-1"]
)  # fmt: skip
async def test_anything_else_may_be_looked_for(api: Api, q: str) -> None:
    response = await api.get(f"/search?q={q}")
    assert (response.status_code, response.json()) == (200, {"data": []})


async def test_no_look_reads_a_whole_table(api: Api) -> None:
    token = b"t" * 16
    looks: list[tuple[str, list[Any]]] = [
        (postgres_keys.FIND, ["name", [token], 50, 5_000]),
        (postgres_keys.FIND_ALL, ["name", token, [token], 50, 5_000]),
        (log.UNDER_KEY, [["k"], 10, 10]),
    ]
    columns = (
        transactions.TABLE.c.receipt_ref,
        redemptions.TABLE.c.transaction_external_id,
        rewards.TABLE.c.external_id,
    )
    for column in columns:
        look = select(column.table).where(column == "x")
        looks.append((str(look.compile(dialect=dialect.dialect())), ["x"]))
    for statement, arguments in looks:
        told = await plan(api, statement, *arguments)
        assert "Seq Scan" not in told, told
        assert "Index" in told
