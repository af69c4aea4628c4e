"""Limits of staff over HTTP: they hold for tokens without the scope `exceed-limits`."""

import pytest
from http_api.ledger_client import Api, refused

from ledger.decider import ProgrammeSettings

SCOPES = ["create-rewards", "redeem-strategy", "return"]


@pytest.fixture
def settings() -> ProgrammeSettings:
    return ProgrammeSettings(issue_max_minor=2000, return_max_minor=500)


async def test_who_lacks_the_scope_is_limited(api: Api) -> None:
    made = await api.define()
    body = {"profile_id": "p-1", "reward_definition_id": made["id"], "value_initial": 20.5}
    token = await api.services.tokens.create("desk", SCOPES)
    staff = {"authorization": f"Bearer {token}"}
    problem = refused(await api.post("/rewards", body, **staff), 403, "limit_exceeded")
    assert problem.content["limit"] == 20
    assert (await api.post("/rewards", body | {"value_initial": 20}, **staff)).status_code == 201
    redeemed = (await api.redeem(amount=10))["id"]
    path = f"/redemptions/{redeemed}/return"
    refused(await api.post(path, {}, **staff), 403, "limit_exceeded")
    assert (await api.post(path, {"amount": 5}, **staff)).status_code == 201


async def test_who_has_it_is_not(api: Api) -> None:
    made = await api.define()
    body = {"profile_id": "p-1", "reward_definition_id": made["id"], "value_initial": 20.5}
    token = await api.services.tokens.create("boss", [*SCOPES, "exceed-limits"])
    answer = await api.post("/rewards", body, authorization=f"Bearer {token}")
    assert answer.status_code == 201
