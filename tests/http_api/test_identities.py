"""Identities over HTTP: one profile's each, found by them, named by them, and let go of."""

from typing import Any
from urllib.parse import quote

import pytest
from http_api.ledger_client import Api, refused, sale

CARD = {"handle": "card", "identifier": "29000017"}
EMAIL = {"handle": "email", "identifier": "Ada@Example.org"}


async def known(api: Api, profile: str = "p-1") -> dict[str, Any]:
    """A profile with a card and an e-mail; the identities."""
    paths = f"/profiles/{profile}/identities"
    return {each["handle"]: await api.made(paths, each) for each in (CARD, EMAIL)}


async def test_an_identity_is_shown_as_it_was_told(api: Api) -> None:
    card = (await known(api))["card"]
    assert (card["profile_id"], card["identifier"], card["is_primary"]) == ("p-1", "29000017", True)
    assert await api.data(f"/profiles/p-1/identities/{card['id']}") == card
    listed = await api.data("/profiles/p-1/identities")
    assert [each["identifier"] for each in listed] == ["Ada@Example.org", "29000017"]
    only = await api.data("/profiles/p-1/identities?filter[handle]=card")
    assert only == [card]
    told = (await api.data("/profiles/p-1/history"))[-1]
    assert "Ada" not in str(told)
    log = await api.services.store.read_log(after_position=0, limit=100)
    assert not any(b"29000017" in each.payload for each in log)


@pytest.mark.parametrize(
    "body", [CARD, CARD | {"identifier": " 29000017 "}, EMAIL | {"identifier": "ada@example.ORG"}]
)
@pytest.mark.parametrize("profile", ["p-1", "p-2"])
async def test_what_is_somebodys_is_taken(api: Api, profile: str, body: dict[str, str]) -> None:
    await known(api)
    answer = await api.post(f"/profiles/{profile}/identities", body)
    problem = refused(answer, 409, "identity_taken", "identifier")
    assert body["identifier"].strip() not in answer.text
    assert "p-1" not in str(problem.content["detail"])


async def test_the_same_number_of_another_kind_is_another_identity(api: Api) -> None:
    await known(api)
    await api.made("/profiles/p-2/identities", CARD | {"handle": "shop"})
    refused(await api.get("/identities/search-profile/29000017"), 409, "identity_ambiguous")
    found = await api.data("/identities/search-profile/29000017?handle=shop")
    assert found["id"] == "p-2"


async def test_a_detached_identity_is_free_for_another_profile(api: Api) -> None:
    card = (await known(api))["card"]
    path = f"/profiles/p-1/identities/{card['id']}"
    assert (await api.delete(path)).status_code == 204
    refused(await api.delete(path), 404, "identity_not_found")
    refused(await api.get(path), 404, "identity_not_found")
    refused(await api.get("/identities/search-profile/29000017"), 404, "profile_not_found")
    again = await api.made("/profiles/p-2/identities", CARD)
    assert again["id"] != card["id"]
    assert (await api.data("/identities/search-profile/29000017"))["id"] == "p-2"


async def test_a_new_primary_comes_before_the_old_one(api: Api) -> None:
    card = (await known(api))["card"]
    new = {"handle": "card", "identifier": "29000018", "is_primary": True}
    await api.made("/profiles/p-1/identities", new)
    assert not (await api.data(f"/profiles/p-1/identities/{card['id']}"))["is_primary"]


@pytest.mark.parametrize(
    ("identifier", "handle"),
    [
        ("29000017", "card"),
        ("29000017", None),
        ("ada@example.org", "email"),
        ("ADA@example.org", None),
    ],
)
async def test_a_profile_is_found_by_what_it_is_known_by(
    api: Api, identifier: str, handle: str | None
) -> None:
    await known(api)
    query = "" if handle is None else f"handle={handle}"
    sought = quote(identifier)
    paths = (
        f"/identities/search-profile/{sought}?{query}",
        f"/identities/search?identifier={sought}&{query}",
    )
    for path in paths:
        assert (await api.data(path.rstrip("?&")))["id"] == "p-1"
    body = {"identifier": identifier} | ({} if handle is None else {"handle": handle})
    answer = await api.post("/profiles/search-id", body)
    assert answer.json()["data"]["id"] == "p-1"


async def test_nobody_is_found_by_what_is_nobodys(api: Api) -> None:
    await known(api)
    for path in ("/identities/search-profile/1", "/identities/search?identifier=29000017&handle=x"):
        refused(await api.get(path), 404, "profile_not_found")
    refused(await api.get("/identities/search"), 422, "validation_failed", "identifier")
    refused(await api.get("/identities/search-profile/" + "9" * 300), 404, "profile_not_found")


async def test_an_identity_that_was_refused_finds_nobody_new(api: Api) -> None:
    await known(api)
    refused(await api.post("/profiles/p-2/identities", CARD), 409, "identity_taken")
    assert (await api.data("/identities/search-profile/29000017"))["id"] == "p-1"


async def test_rewards_and_sales_name_their_profile_by_an_identity(api: Api) -> None:
    await known(api)
    by_email = {"profile_id": "ada@example.org", "profile_id_handle": "email"}
    definition = (await api.define())["id"]
    issued = await api.made("/rewards", by_email | {"reward_definition_id": definition})
    assert issued["profile_id"] == "p-1"
    by_card = {"profile_id": "29000017", "profile_id_handle": "card"}
    sold = await api.made("/transactions", sale(**by_card))
    assert sold["profile_id"] == "p-1"
    upserted = await api.post("/transactions/update-create", sale(**by_card, external_id="t-9"))
    assert upserted.json()["data"]["profile_id"] == "p-1"
    rows = [by_card, by_card | {"profile_id": "1"}, {"profile_id": "p-1"}]
    body = {"rewards": [row | {"reward_definition_id": definition} for row in rows]}
    answer = (await api.post("/rewards/batch.json", body)).json()["data"]
    assert [row["status"] for row in answer] == [201, 422, 201]
    assert answer[1]["problem"]["code"] == "profile_not_found"
    assert list(answer[1]["problem"]["errors"]) == ["profile_id"]


async def test_an_identity_nobody_has_names_the_field(api: Api) -> None:
    body = {"profile_id": "ada@example.org", "profile_id_handle": "email"}
    definition = (await api.define())["id"]
    answer = await api.post("/rewards", body | {"reward_definition_id": definition})
    refused(answer, 422, "profile_not_found", "profile_id")
    assert "ada@" not in answer.text
    answer = await api.post("/transactions", sale(**body))
    refused(answer, 422, "profile_not_found", "profile_id")
    answer = await api.post("/transactions", sale(profile_id_handle="email"))
    refused(answer, 422, "validation_failed")
    answer = await api.post("/transactions", sale(profile_id="ada@example.org"))
    refused(answer, 422, "validation_failed", "profile_id")
    refused(await api.get("/profiles/unknown"), 404, "profile_not_found")


async def test_a_repeat_means_the_request_as_it_was_sent(api: Api) -> None:
    """Also when the identity is another profile's by then."""
    card = (await known(api))["card"]
    body = {"profile_id": "29000017", "profile_id_handle": "card", "value_initial": 5}
    body |= {"reward_definition_id": (await api.define())["id"]}
    first = await api.post("/rewards", body, idempotency_key="k")
    await api.delete(f"/profiles/p-1/identities/{card['id']}")
    await api.made("/profiles/p-2/identities", CARD)
    again = await api.post("/rewards", body, idempotency_key="k")
    assert again.json() == first.json()
    other = await api.post(
        "/rewards", body | {"profile_id": "p-1", "profile_id_handle": None}, idempotency_key="k"
    )
    refused(other, 422, "idempotency_key_reused")


async def test_repeats_and_dry_runs_of_an_attachment(api: Api) -> None:
    path = "/profiles/p-1/identities"
    tried = (await api.post(f"{path}?dry_run=true", CARD)).json()["data"]
    assert (tried["id"], tried["identifier"]) == (None, "29000017")
    first = await api.post(path, CARD, idempotency_key="k")
    again = await api.post(path, CARD, idempotency_key="k")
    assert again.json() == first.json()
    assert again.headers["idempotency-replayed"] == "true"


async def test_identities_pass_with_a_merge(api: Api) -> None:
    card = (await known(api, "p-2"))["card"]
    await api.issue("p-1", 1)
    await api.post("/profiles/merge", {"winner": "p-1", "loser": "p-2"})
    assert (await api.data("/identities/search-profile/29000017"))["id"] == "p-1"
    assert (await api.data("/identities/search?identifier=29000017&handle=card"))["id"] == "p-1"
    for profile in ("p-1", "p-2"):
        shown = await api.data(f"/profiles/{profile}/identities/{card['id']}")
        assert (shown["profile_id"], shown["identifier"]) == ("p-1", "29000017")
    issued = await api.issue("29000017", 2, profile_id_handle="card")
    assert issued["profile_id"] == "p-1"
    assert (await api.delete(f"/profiles/p-2/identities/{card['id']}")).status_code == 204
    await api.made("/profiles/p-3/identities", CARD)


async def test_an_erasure_leaves_nothing_to_be_found_by_and_frees_the_names(api: Api) -> None:
    await known(api, "p-2")
    await api.issue("p-1", 1)
    await api.made("/profiles/p-1/identities", CARD | {"identifier": "1"})
    await api.post("/profiles/merge", {"winner": "p-1", "loser": "p-2"})
    assert (await api.delete("/profiles/p-1/personal-data")).status_code == 200
    assert await api.data("/profiles/p-1/identities") == []
    pool = api.services.pool
    kept = "SELECT count(*) FROM ledger.reservations WHERE kind = 'identity'"
    assert await pool.fetchval(kept) == 0
    assert await pool.fetchval("SELECT count(*) FROM ledger.personal_index") == 0
    for path in ("/identities/search-profile/1", "/identities/search-profile/29000017?handle=card"):
        refused(await api.get(path), 404, "profile_not_found")
    await known(api, "p-3")


async def test_the_email_of_a_profile_names_it_as_an_identity_would(api: Api) -> None:
    await api.made("/profiles", {"id": "p-1", "email": "Ada@Example.org"})
    assert (await api.data("/identities/search-profile/ada@example.org"))["id"] == "p-1"
    issued = await api.issue("ada@example.ORG", 2, profile_id_handle="email")
    assert issued["profile_id"] == "p-1"
    await api.made("/profiles", {"id": "p-2", "email": "ada@example.org"})
    found = await api.get("/identities/search-profile/ada@example.org")
    refused(found, 404, "profile_not_found")
    await api.made("/profiles/p-2/identities", EMAIL)
    assert (await api.data("/identities/search-profile/ada@example.org"))["id"] == "p-2"


@pytest.mark.parametrize(
    "body",
    [
        {"handle": "card"},
        {"identifier": "7"},
        {"handle": "a card", "identifier": "7"},
        {"handle": "", "identifier": "7"},
        {"handle": "h" * 65, "identifier": "7"},
        CARD | {"identifier": ""},
        CARD | {"identifier": "7" * 256},
        CARD | {"identifier": 7},
        CARD | {"identifier": ["7"]},
        CARD | {"identifier": "7\x00"},
        CARD | {"is_primary": "perhaps"},
        CARD | {"is_active": False},
        [],
    ],
)
async def test_what_is_no_identity_is_refused_and_nobody_becomes_known(api: Api, body: Any) -> None:
    answer = await api.post("/profiles/p-1/identities", body)
    assert answer.status_code == 422, answer.text
    assert answer.json()["errors"] or answer.json()["code"] == "body_not_an_object"
    refused(await api.get("/profiles/p-1"), 404, "profile_not_found")


async def test_an_identifier_of_nothing_but_space_is_none(api: Api) -> None:
    answer = await api.post("/profiles/p-1/identities", CARD | {"identifier": "  "})
    refused(answer, 422, "validation_failed", "identifier")


async def test_identities_are_reached_by_their_own_profile_alone(api: Api) -> None:
    card = (await known(api))["card"]
    await api.issue("p-2", 1)
    path = f"/profiles/p-2/identities/{card['id']}"
    refused(await api.get(path), 404, "identity_not_found")
    refused(await api.delete(path), 404, "identity_not_found")
    refused(await api.delete(f"/profiles/nobody/identities/{card['id']}"), 404, "profile_not_found")
    refused(await api.get("/profiles/nobody/identities"), 404, "profile_not_found")
    refused(await api.delete("/profiles/p-1/identities/0"), 422, "validation_failed")


async def test_a_closed_profile_takes_no_identity(api: Api) -> None:
    await known(api)
    await api.delete("/profiles/p-1")
    answer = await api.post("/profiles/p-1/identities", CARD | {"identifier": "3"})
    refused(answer, 409, "profile_closed")


async def test_more_identities_than_one_profile_has(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ledger.account.identities.IDENTITIES_MAX", 2)
    await known(api)
    answer = await api.post("/profiles/p-1/identities", CARD | {"identifier": "3"})
    refused(answer, 409, "too_many_identities")


async def test_a_duplicate_is_not_deleted_in_the_winners_place(api: Api) -> None:
    await api.issue("p-1", 1)
    await api.issue("p-2", 1)
    await api.post("/profiles/merge", {"winner": "p-1", "loser": "p-2"})
    refused(await api.delete("/profiles/p-2"), 409, "profile_merged")
    assert (await api.data("/profiles/p-1"))["type"] == "active"


async def test_a_registration_without_an_id_is_repeated_under_its_key(api: Api) -> None:
    first = await api.post("/profiles", {"first_name": "Ada"}, idempotency_key="k")
    again = await api.post("/profiles", {"first_name": "Ada"}, idempotency_key="k")
    assert first.status_code == 201, first.text
    assert again.json() == first.json()


async def test_profiles_are_listed_by_their_tags(api: Api) -> None:
    await api.made("/profiles", {"id": "p-1", "tags": ["vip", "new"]})
    await api.made("/profiles", {"id": "p-2", "tags": ["new"]})
    for profile in ("p-1", "p-2"):
        await api.data(f"/profiles/{profile}")
    assert await api.ids("/profiles?filter[tags]=vip") == ["p-1"]
    assert await api.ids("/profiles?filter[tags][ne]=vip") == ["p-2"]
    assert set(await api.ids("/profiles?filter[tags][in]=vip,new")) == {"p-1", "p-2"}
