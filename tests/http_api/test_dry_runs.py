"""`?dry_run=true`: the same decision and the same answer, and nothing written."""

from typing import Any

import pytest
from http_api.ledger_client import Api, refused, sale
from http_api.test_idempotency import Write, each_write

_COUNTED = (
    "SELECT table_schema || '.' || table_name FROM information_schema.tables "
    "WHERE table_schema IN ('ledger', 'access') AND table_name <> 'appends'"
)
"""All but the store's own memory of which groups it has checked, which is swept."""


async def written(api: Api) -> dict[str, int]:
    """How many rows each table of the ledger has."""
    names = [row[0] for row in await api.services.pool.fetch(_COUNTED)]
    assert "ledger.events" in names
    return {
        name: await api.services.pool.fetchval(f"SELECT count(*) FROM {name}") for name in names
    }


def without_what_is_made(document: Any, before: set[int]) -> Any:
    """The document without ids that were not there before."""
    if isinstance(document, dict):
        return {
            key: None if _is_new_id(key, item, before) else without_what_is_made(item, before)
            for key, item in document.items()
        }
    if isinstance(document, list):
        return [without_what_is_made(item, before) for item in document]
    return document


def _is_new_id(key: str, item: Any, before: set[int]) -> bool:
    return (key == "id" or key.endswith("_id")) and isinstance(item, int) and item not in before


def ids_in(document: Any) -> set[int]:
    """Every id anywhere in an answer."""
    if isinstance(document, dict):
        own = {
            item
            for key, item in document.items()
            if (key == "id" or key.endswith("_id")) and isinstance(item, int)
        }
        return own.union(*map(ids_in, document.values()))
    return set().union(*map(ids_in, document)) if isinstance(document, list) else set()


@each_write
async def test_it_answers_as_the_write_will(api: Api, write: Write, status: int) -> None:
    method, path, body = await write(api)
    known = {int(row[0]) for row in await api.services.pool.fetch(_IDS)}
    before = await written(api)
    tried = await api.send(method, f"{path}?dry_run=true", body, idempotency_key="k-1")
    assert tried.status_code == (200 if status == 201 else status), tried.text
    assert await written(api) == before
    done = await api.send(method, path, body, idempotency_key="k-1")
    assert done.status_code == status
    if status == 204:
        assert tried.content == b""
        return
    if status >= 400:
        assert tried.content == done.content
        return
    assert ids_in(tried.json()) <= known
    assert tried.json()["data"] == without_what_is_made(done.json()["data"], known)
    if status == 201:
        assert tried.json()["data"]["id"] is None
        assert done.json()["data"]["id"] not in known
    assert "etag" not in tried.headers


_IDS = """
SELECT key FROM ledger.reservations WHERE kind IN ('reward', 'redemption')
UNION SELECT substr(stream_id, 13) FROM ledger.events WHERE stream_id LIKE 'transaction-%'
UNION SELECT convert_from(payload, 'UTF8')::json->>'definition_id' FROM ledger.events
  WHERE stream_id = 'programme'"""


@each_write
async def test_it_tells_the_balances_that_the_write_leaves(
    api: Api, write: Write, status: int
) -> None:
    method, path, body = await write(api)
    tried = await api.send(method, f"{path}?dry_run=true", body)
    if status not in (200, 201):
        return
    told = tried.json().get("meta", {}).get("balances")
    await api.send(method, path, body)
    about_a_profile = "/definitions" not in path and "already" not in write.__name__
    assert (told is not None) is (about_a_profile and "/transactions" not in path)
    if told is not None:
        assert told == await api.data("/profiles/p-1/balances")


async def test_its_position_is_none(api: Api) -> None:
    await api.issue()
    tried = await api.post("/profiles/p-1/redeem?dry_run=1", {"amount": 1})
    assert "ledger-position" not in tried.headers
    done = await api.post("/profiles/p-1/redeem?dry_run=false", {"amount": 1})
    assert int(done.headers["ledger-position"]) == await api.head()


async def test_a_return_to_a_new_reward_names_none(api: Api) -> None:
    await api.issue()
    redeemed = await api.redeem()
    tried = await api.post(f"/redemptions/{redeemed['id']}/return?dry_run=true", {"amount": 4})
    shown = tried.json()["data"]
    assert [(new["id"], new["value"]) for new in shown["reissued"]] == [(None, 4)]
    assert shown["balances"]["reward_balance"] == 4
    assert await api.balance("p-1") == 0


@pytest.mark.parametrize("query", ["dry_run=true", "dry_run=TRUE", "dry_run=1"])
async def test_an_unknown_profile_and_what_repeats_are_told_too(api: Api, query: str) -> None:
    refused(
        await api.post(f"/profiles/nobody/redeem?{query}", {"amount": 1}), 404, "profile_not_found"
    )
    sold = await api.sell(external_id="t-1")
    again = await api.post(f"/transactions?{query}", sale(external_id="t-1"))
    assert again.json()["data"]["id"] == sold["id"]
    other = await api.post(f"/transactions?{query}", sale(external_id="t-1", total=9))
    refused(other, 409, "external_id_taken", "external_id")
