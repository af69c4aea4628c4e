"""Every field of every body refuses what it can't mean, by name, and nothing is written."""

from typing import Any

import httpx
import pytest
from http_api.hostile_values import SECRET, Case, array_cases, cases
from http_api.ledger_client import Api, checked, refused, sale
from pydantic import BaseModel

from api.app import routers
from api.bodies import BATCH
from api.route import LedgerRoute

DEFINITION = {"name": "R", "handle": "r", "value": 10, "type": "other", "period": 30}
REWARD = {"reward_definition_id": 6}
REDEMPTION = {"amount": 1}
GOOD: dict[tuple[str, str], dict[str, Any]] = {
    ("POST", "/rewards/definitions"): DEFINITION,
    ("POST", "/reward-definitions"): DEFINITION,
    ("PUT", "/rewards/definitions/{definition_id}"): {"name": "S"},
    ("PUT", "/reward-definitions/{definition_id}"): {"name": "S"},
    ("POST", "/rewards"): REWARD | {"profile_id": "p-1"},
    ("POST", "/rewards/batch.json"): {"rewards": [REWARD | {"profile_id": "p-1"}]},
    ("POST", "/profiles/{profile_id}/rewards"): REWARD,
    ("POST", "/rewards/extend"): {"profile_id": "p-1", "ids": [6], "extend_days": 30},
    ("PUT", "/rewards/{reward_id}"): {"value_remaining": 1},
    ("PUT", "/profiles/{profile_id}/rewards/{reward_id}"): {"value_remaining": 1},
    ("POST", "/profiles/{profile_id}/redeem"): REDEMPTION,
    ("POST", "/profiles/{profile_id}/redemptions"): REDEMPTION,
    ("POST", "/redemptions/{redemption_id}/capture"): {},
    ("POST", "/redemptions/{redemption_id}/return"): {},
    ("POST", "/profiles"): {"id": "ada", "first_name": "Ada"},
    ("PUT", "/profiles/{profile_id}"): {"type": "active"},
    ("POST", "/profiles/{profile_id}/identities"): {"handle": "card", "identifier": "7"},
    ("POST", "/profiles/search-id"): {"identifier": "7"},
    ("POST", "/profiles/merge"): {"winner": "p-1", "loser": "p-2"},
    ("POST", "/profiles/{profile_id}/merge"): {"loser_id": "p-2"},
    ("POST", "/rewards/{reward_id}/reassign"): {"profile_id": "p-2"},
    ("POST", "/rewards/{reward_id}/revoke"): {"reason": "a mistake"},
    ("POST", "/transactions"): sale(),
    ("PUT", "/programme/settings"): {"grace_days": 1},
    ("PUT", "/transactions/{transaction_id}"): {"is_void": True},
    ("POST", "/transactions/update-create"): sale(is_void=True),
    ("POST", "/transactions/incentive-estimate"): {"profile_id": "p-1", "total": 0},
    ("POST", "/transactions/queue"): sale(is_void=True),
    ("POST", "/transactions/batch.json"): {"transactions": [sale(is_void=True)]},
    ("POST", "/profiles/{profile_id}/transactions/claims"): {
        "transaction_receipt_ref": "0042",
        "transaction_total": 10,
    },
    ("POST", "/access/tokens"): {"client": "till", "scopes": ["read-rewards"]},
    ("POST", "/access/users"): {"name": "ada", "role": "staff", "password": "correct horse"},
    ("PUT", "/access/users/{user_name}"): {"disabled": True},
}
WITH_BODY = {
    (method, route.path.removeprefix("/api/v3")): route
    for router in routers()
    for route in router.routes
    if isinstance(route, LedgerRoute) and route.body_field is not None
    if not route.path.endswith("/imports")  # takes a file: see test_imports.py
    for method in route.methods or ()
}
MAY_ECHO = {"number_out_of_range", "body_not_json"}


def model_of(route: LedgerRoute) -> type[BaseModel]:
    """The body's model, also where a body may be left out."""
    assert route.body_field is not None
    found = route.body_field.field_info.annotation
    options = getattr(found, "__args__", (found,))
    return next(o for o in options if isinstance(o, type) and issubclass(o, BaseModel))


def test_every_route_with_a_body_is_tried() -> None:
    assert set(GOOD) == set(WITH_BODY)


async def fault(api: Api, method: str, path: str, case: Case) -> str | None:
    """What is wrong with the refusal of one bad body; None when nothing is."""
    response = await api.send_bytes(method, path, case.content)
    if path.endswith(BATCH) and response.status_code == 200:
        return row_fault(response, case)
    code = response.json().get("code")
    status = 400 if code == "body_not_json" else 422
    try:
        problem = refused(response, status, code)
        assert code in ("validation_failed", "number_out_of_range", "unstorable_text", *MAY_ECHO)
        assert SECRET not in response.text
        assert len(response.content) < 20_000
        named = case.field if status == 422 else "body"
        assert any(name.startswith(named) or name == named for name in problem.errors)
        assert not any("see the field" in said[0] for said in problem.errors.values())
    except AssertionError as error:
        return f"{case.name}: {response.status_code} {response.text[:300]} {error!s:.100}"
    return None


def row_fault(response: httpx.Response, case: Case) -> str | None:
    """What is wrong with the refusal of the one row of a batch."""
    (row,) = response.json()["data"]
    inner = case.field.partition(".0.")[2]
    try:
        problem = checked(row["problem"])
        assert (row["status"], problem.content["code"]) == (422, "validation_failed")
        assert SECRET not in response.text
        assert any(name.startswith(inner) for name in problem.errors)
    except (AssertionError, KeyError) as error:
        return f"{case.name}: {response.text[:300]} {error!s:.100}"
    return None


def url_of(path: str) -> str:
    """The path of p-1, or of number 6."""
    path = path.replace("{profile_id}", "p-1").replace("{user_name}", "ada")
    for name in ("definition_id", "reward_id", "redemption_id", "transaction_id"):
        path = path.replace(f"{{{name}}}", "6")
    return path


def lists_of(method: str, path: str, entries: int) -> list[Case]:
    """A body for each list a route takes, with so many entries in it."""
    return list(array_cases(model_of(WITH_BODY[method, path]), GOOD[method, path], entries))


WITH_LISTS = [route for route in GOOD if lists_of(*route, 1)]


@pytest.mark.parametrize(("method", "path"), WITH_LISTS, ids=map(" ".join, WITH_LISTS))
async def test_a_list_as_long_as_a_body_can_be_is_refused_shortly(
    api: Api, method: str, path: str
) -> None:
    for case in lists_of(method, path, 500_000):
        response = await api.send_bytes(method, url_of(path), case.content)
        refused(response, 422, "validation_failed")
        assert case.field in response.text
        assert len(response.content) < 20_000
    assert await api.head() == 0


@pytest.mark.parametrize(("method", "path"), GOOD, ids=map(" ".join, GOOD))
async def test_each_field_refuses_by_name(api: Api, method: str, path: str) -> None:
    model, url = model_of(WITH_BODY[method, path]), url_of(path)
    tried = list(cases(model, GOOD[method, path]))
    assert {case.field.split(".")[0] for case in tried} >= set(model.model_fields)
    faults = [await fault(api, method, url, case) for case in tried]
    assert not [found for found in faults if found]
    assert await api.head() == 0
