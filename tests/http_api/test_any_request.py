"""Whatever is sent, the answer is as the OpenAPI document says, and never an error of ours."""

from typing import Any

import pytest
from http_api.fuzzing import Fuzz
from http_api.ledger_client import Api
from http_api.test_bad_requests import ROUTES

EXAMPLES = 25
"""Requests to each operation."""


async def known(api: Api, path: str) -> dict[str, Any]:
    """Something of each kind, and its ids."""
    definition = (await api.define(is_extendable=True, is_reassignable=True))["id"]
    reward = await api.issue("p-1", 100, reward_definition_id=definition)
    await api.issue("p-2", 100, reward_definition_id=definition)
    ended = await api.redeem("p-1", 10)
    if path.endswith(("capture", "release")):
        ended = await api.redeem("p-1", 5, hold="PT15M")
    sold = await api.sell(profile_id="p-1", external_id="t-1")
    receipt = {"transaction_receipt_ref": "0042", "transaction_total": 10}
    card = {"handle": "card", "identifier": "7"}
    identity = await api.made("/profiles/p-1/identities", card)
    claim = await api.made("/profiles/p-1/transactions/claims", receipt)
    password = "correct horse battery"
    await api.made("/access/users", {"name": "ada", "role": "staff", "password": password})
    token = await api.made("/access/tokens", {"client": "till", "scopes": ["read-rewards"]})
    return {
        **card,
        "identity_id": identity["id"],
        "token_id": token["id"],
        "user_name": "ada",
        "definition_id": definition,
        "reward_definition_id": definition,
        "reward_id": reward["id"],
        "ids": [reward["id"]],
        "profile_id": "p-1",
        "winner": "p-1",
        "loser": "p-2",
        "redemption_id": ended["id"],
        "incentive_id": reward["id"],
        "claim_id": claim["id"],
        "transaction_id": sold["id"],
        "external_id": "t-1",
        "type": "reward",
        "timezone": "Australia/Melbourne",
    }


SHOWN = sorted(name for name, route in ROUTES.items() if route.include_in_schema)


@pytest.mark.parametrize("name", SHOWN)
async def test_any_request_is_answered_as_documented(api: Api, name: str) -> None:
    method, path = name.split()
    document = (await api.get("/openapi.json")).json()
    fuzz = Fuzz(api, document, await known(api, path))
    await fuzz.run(method, f"/api/v3{path.replace(':path', '')}", EXAMPLES)
