"""Lists: each filter with each operator, order, pages and cursors; bad values are named."""

from typing import Any

import pytest
from http_api.ledger_client import Api, refused
from http_api.test_imports import csv, taken

from api.filters import Field
from api.queries import Listing
from api.routes import (
    imports,
    ledgers,
    redemptions,
    registry,
    reward_definitions,
    reward_expiry_order,
    rewards,
    transaction_claims,
    transactions,
)

LISTS: dict[str, Listing] = {
    "/rewards": rewards.LISTING,
    "/profiles/p-1/rewards": rewards.LISTING,
    "/profiles/p-1/rewards/expiry-order": reward_expiry_order.LISTING,
    "/redemptions": redemptions.LISTING,
    "/profiles/p-1/redemptions": redemptions.LISTING,
    "/profiles/p-1/linked/redemptions": redemptions.LISTING,
    "/transactions": transactions.LISTING,
    "/profiles/p-1/transactions": transactions.LISTING,
    "/rewards/definitions": reward_definitions.LISTING,
    "/profiles/p-1/ledgers": ledgers.LISTING,
    "/profiles/p-1/transactions/claims": transaction_claims.LISTING,
    "/imports": imports.LISTING,
    "/profiles": registry.LISTING,
}
OPERATORS = ("", "[eq]", "[ne]", "[gt]", "[gte]", "[lt]", "[lte]", "[in]", "[nullable]")
GOOD = {
    "_text": "x",
    "_number": "9007199254740991",
    "_money": "-10.50",
    "_instant": "2031-03-10 00:00:00",
    "_boolean": "true",
}
BAD = {
    "_text": ("x" * 1001, "a%00b"),
    "_number": ("", "x", "1.5", "1e3", "9" * 17, "+1", "%D9%A1"),
    "_money": ("", "x", "1.001", "1e3", "9" * 17, "NaN"),
    "_instant": ("", "now", "2031-02-30 00:00:00", "2031-03-10", "2031-03-10T00:00:00"),
    "_boolean": ("", "yes", "2"),
}
each_list = pytest.mark.parametrize("path", LISTS)


def kind(field: Field) -> str:
    """How a field reads its values."""
    name: str = getattr(field.read, "__name__", "")
    return name


async def filled(api: Api) -> None:
    """Two profiles, with something in every list."""
    await taken(api, csv("p-1,,any,,"))
    for profile in ("p-1", "p-2"):
        await api.issue(profile, 10)
        redeemed = await api.redeem(profile, 4)
        await api.sell(redemption_id=redeemed["id"], external_id=f"of-{profile}")
        claim = {"transaction_receipt_ref": "0042", "transaction_total": 10}
        await api.made(f"/profiles/{profile}/transactions/claims", claim)
        await brought(api, profile)


async def brought(api: Api, profile: str) -> None:
    """What Kafka does for the lists over all profiles, the profile's own lists do too."""
    for part in ("rewards", "redemptions", "transactions"):
        await api.data(f"/profiles/{profile}/{part}")


@each_list
async def test_every_filter_takes_every_operator(api: Api, path: str) -> None:
    await filled(api)
    for name, field in LISTS[path].fields.items():
        for operator in OPERATORS:
            value = "0" if operator == "[nullable]" else GOOD[kind(field)]
            answer = await api.get(f"{path}?filter[{name}]{operator}={value}")
            if operator[1:-1] not in ("", "in", "nullable", *field.operators):
                refused(answer, 422, "validation_failed", f"filter[{name}]{operator}")
                continue
            assert answer.status_code == 200, (name, operator, answer.text)
            assert answer.json()["meta"]["total"] == len(answer.json()["data"])
        for bad in BAD[kind(field)]:
            for operator in ("", "[in]"):
                problem = await api.get(f"{path}?filter[{name}]{operator}={bad}")
                refused(problem, 422, "validation_failed", f"filter[{name}]{operator}")


@each_list
async def test_every_field_sorts_both_ways(api: Api, path: str) -> None:
    await filled(api)
    for name in LISTS[path].fields:
        up = (await api.data(f"{path}?sort={name}"), await api.data(f"{path}?sort=-{name}"))
        assert len(up[0]) == len(up[1]) > 0
    every = ",".join(LISTS[path].fields)
    assert await api.data(f"{path}?sort={every}")


NOT_KNOWN = (
    ("filter[colour]=red", "filter[colour]"),
    ("filter[colour][gte]=red", "filter[colour][gte]"),
    ("sort=colour", "sort"),
    ("sort=", "sort"),
    ("sort=--id", "sort"),
    ("page[size]=0", "page[size]"),
    ("page[size]=201", "page[size]"),
    ("page[size]=-1", "page[size]"),
    ("page[size]=1.0", "page[size]"),
    ("page[size]=", "page[size]"),
    ("page[size]=9999999999999999999999", "page[size]"),
    ("page[number]=0", "page[number]"),
    ("page[number]=10001", "page[number]"),
    ("page[number]=%D9%A1", "page[number]"),
    ("page[after]=%00", "page[after]"),
    ("page[after]=%C3%A9", "page[after]"),
    ("page[after]=djE6OTk5OTk5OTk5OTk5OTk5OQ", "page[after]"),
    ("page=2", "page"),
    ("search=anna", "search"),
    ("dry_run=true", "dry_run"),
)


@each_list
async def test_what_a_list_does_not_know(api: Api, path: str) -> None:
    await api.issue("p-1")
    for query, name in NOT_KNOWN:
        refused(await api.get(f"{path}?{query}"), 422, "validation_failed", name)


async def test_an_operator_there_is_not(api: Api) -> None:
    problem = await api.get("/rewards?filter[id][like]=1")
    refused(problem, 422, "validation_failed", "filter[id][like]")
    many = ",".join(["1"] * 101)
    problem = await api.get(f"/rewards?filter[id][in]={many}")
    refused(problem, 422, "validation_failed", "filter[id][in]")


MEANT: tuple[tuple[str, list[Any]], ...] = (
    ("", [3, 2, 1, 0.5]),
    ("filter[value_initial]=2", [2]),
    ("filter[value_initial][gte]=2.00", [3, 2]),
    ("filter[value_initial][lt]=1", [0.5]),
    ("filter[value_initial][in]=1,3", [3, 1]),
    ("filter[value_initial][ne]=3", [2, 1, 0.5]),
    ("filter[value_initial][gt]=0.5&filter[value_initial][lte]=2", [2, 1]),
    ("filter[expires_at][nullable]=true", [3]),
    ("filter[expires_at][nullable]=0", [2, 1, 0.5]),
    ("filter[expires_at][lt]=2031-04-02T00:00:00Z", [2, 1]),
    ("filter[external_id]=x-1", [1]),
    ("filter[external_id][ne]=x-1", [3, 2, 0.5]),
    ("sort=value_initial", [0.5, 1, 2, 3]),
    ("sort=-value_initial&page[size]=2&page[number]=2", [1, 0.5]),
    ("sort=expires_at,-value_initial", [2, 1, 0.5, 3]),
    ("filter[profile_id]=p-2", []),
)


async def test_what_filters_and_orders_mean(api: Api) -> None:
    await api.issue(value=0.5, expires_at="2031-05-01 00:00:00")
    await api.issue(value=1, expires_at="2031-04-01 00:00:00", external_id="x-1")
    await api.issue(value=2, expires_at="2031-04-01 00:00:00")
    await api.issue(value=3, expires_at=None)
    for path in ("/profiles/p-1/rewards", "/rewards"):
        for query, values in MEANT:
            found = [each["value_initial"] for each in await api.data(f"{path}?{query}")]
            assert found == values, query


async def test_pages_lead_to_their_neighbours(api: Api) -> None:
    made = [(await api.define())["id"] for _ in range(5)]
    path = "/reward-definitions"
    newest = made[::-1]
    page = (await api.get(f"{path}?page[size]=2&page[number]=2&sort=-id")).json()
    assert [each["id"] for each in page["data"]] == newest[2:4]
    assert page["meta"] | {"path": None} == {
        "current_page": 2,
        "from": 3,
        "to": 4,
        "last_page": 3,
        "path": None,
        "per_page": 2,
        "total": 5,
        "next_cursor": None,
    }
    for name, wanted in (
        ("first", newest[:2]),
        ("prev", newest[:2]),
        ("next", newest[4:]),
        ("last", newest[4:]),
    ):
        assert await api.ids(page["links"][name]) == wanted
    empty = (await api.get(f"{path}?page[number]=10000")).json()
    assert (empty["data"], empty["links"]["next"], empty["meta"]["from"]) == ([], None, None)


async def test_cursors_are_stable_while_others_write(api: Api) -> None:
    made = [(await api.define())["id"] for _ in range(5)]
    found, page = [], (await api.get("/rewards/definitions?page[size]=2")).json()
    while True:
        found += [each["id"] for each in page["data"]]
        cursor = page["meta"]["next_cursor"]
        if cursor is None:
            break
        await api.define()
        page = (await api.get(f"/rewards/definitions?page[size]=2&page[after]={cursor}")).json()
    assert found == made[::-1]
    both = f"page[after]={'djE6MQ'}&page[number]=2"
    refused(await api.get(f"/rewards/definitions?{both}"), 422, "validation_failed", "page[after]")
    sorted_ = "page[after]=djE6MQ&sort=id"
    refused(await api.get(f"/rewards/definitions?{sorted_}"), 422, "validation_failed", "sort")


@each_list
async def test_a_list_says_where_the_log_stood(api: Api, path: str) -> None:
    await filled(api)
    position = (await api.get(path)).headers["ledger-position"]
    assert 0 <= int(position) <= await api.head()
    if path.startswith("/profiles"):
        assert int(position) > 0


@pytest.mark.parametrize("path", ["/rewards", "/redemptions", "/transactions"])
async def test_a_list_may_not_be_older_than_an_answer(api: Api, path: str) -> None:
    await api.issue()
    assert await api.data(path) == []
    redeemed = await api.post("/profiles/p-1/redeem", {"amount": 4, "transaction_external_id": "t"})
    answer = await api.post("/transactions", {
        "total": 1, "transacted_at": "2031-03-10 09:00:00", "timezone": "UTC", "items": [],
        "external_id": "t", "profile_id": "p-1",
    })  # fmt: skip
    for position in (redeemed.headers["ledger-position"], answer.headers["ledger-position"]):
        response = await api.get(path, ledger_wait_for=position)
        assert response.status_code == 200
    (shown,) = response.json()["data"]
    if path == "/redemptions":
        assert shown["transaction_id"] == answer.json()["data"]["id"]
    if path == "/rewards":
        assert (shown["value_remaining"], shown["definition"]["name"]) == (6, "R")


async def test_a_list_says_up_to_where_it_lacks_nothing(api: Api) -> None:
    """What one profile's own reads have brought is no sign for the others."""
    first = await api.issue("a")
    await api.issue("b", reward_definition_id=first["reward_definition_id"])
    behind = (await api.get("/rewards")).headers["ledger-position"]
    await api.get(f"/profiles/b/rewards/{first['id'] + 1}")
    assert (await api.get("/rewards")).headers["ledger-position"] == behind
    await api.data("/profiles/b/rewards")
    assert (await api.get("/rewards")).headers["ledger-position"] == behind == "1"
    await api.data("/profiles/a/rewards")
    assert (await api.get("/rewards")).headers["ledger-position"] == str(await api.head())


async def test_a_list_never_says_more_than_it_has(api: Api) -> None:
    issued = await api.post(
        "/rewards", {"profile_id": "p-1", "reward_definition_id": (await api.define())["id"]}
    )
    position = issued.headers["ledger-position"]
    await api.services.pool.execute(
        "INSERT INTO projections.rewards_v1_streams (stream_id, parked_at_version) "
        "VALUES ('account-p-1', 1)"
    )
    for path in ("/rewards", "/profiles/p-1/rewards"):
        shown = (await api.get(path)).json()
        assert shown["data"] == []
        assert shown["meta"]["stale"] is True
        assert shown["meta"]["code"] == "projection_parked"
    answer = await api.get("/rewards", ledger_wait_for=position)
    assert refused(answer, 503, "read_model_parked").headers["retry-after"] == "1"


async def test_a_position_there_is_not(api: Api) -> None:
    await api.issue()
    for position in ("0", "-1", "x", "", "999", "9" * 16, "9" * 30, "1.0"):
        answer = await api.get("/rewards", ledger_wait_for=position)
        refused(answer, 422, "validation_failed", "Ledger-Wait-For")


async def test_balances_are_kept_in_one_currency(api: Api) -> None:
    await api.issue()
    shown = await api.data("/profiles/p-1/balances?currency=AUD")
    assert shown == await api.data("/profiles/p-1/balances")
    for currency in ("EUR", "aud", "", "AUD%00", "AUDX"):
        answer = await api.get(f"/profiles/p-1/balances?currency={currency}")
        refused(answer, 422, "unsupported_currency", "currency")
