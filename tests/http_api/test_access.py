"""Who may do what: every route asks for a token with its own scope, before it reads anything."""

import time
from typing import Any

import asyncpg
import pytest
from fastapi.routing import APIRoute
from http_api.ledger_client import Api, refused
from http_api.test_bad_requests import ROUTES, url_of

from api import tokens
from api.app import create_app, routers
from api.route import LedgerRoute

OPEN = {
    "/healthz",
    "/readyz",
    "/metrics",
    "/",
    "/docs",
    "/docs/assets",
    "/docs/errors",
    "/api/v3/openapi.json",
}
SCOPES = {
    "GET /rewards/definitions": "read-reward-definitions",
    "GET /rewards/definitions/{definition_id}": "read-reward-definitions",
    "GET /rewards/definitions/{definition_id}/versions": "read-reward-definitions",
    "POST /rewards/definitions": "create-reward-definitions",
    "PUT /rewards/definitions/{definition_id}": "update-reward-definitions",
    "DELETE /rewards/definitions/{definition_id}": "delete-reward-definitions",
    "GET /rewards": "read-rewards",
    "GET /rewards/{reward_id}": "read-rewards",
    "GET /profiles": "read-profiles",
    "POST /profiles": "create-profiles",
    "PUT /profiles/{profile_id}": "update-profiles",
    "DELETE /profiles/{profile_id}": "delete-profiles",
    "POST /profiles/{profile_id}/restore": "delete-profiles",
    "GET /profiles/{profile_id}/rewards": "read-rewards",
    "GET /profiles/{profile_id}/rewards/expiry-order": "read-rewards",
    "GET /profiles/{profile_id}/rewards/{reward_id}": "read-rewards",
    "POST /rewards": "create-rewards",
    "POST /rewards/batch.json": "create-rewards",
    "POST /rewards/extend": "update-rewards",
    "PUT /rewards/{reward_id}": "update-rewards",
    "PUT /profiles/{profile_id}/rewards/{reward_id}": "update-rewards",
    "POST /profiles/{profile_id}/rewards": "create-rewards",
    "DELETE /rewards/{reward_id}": "delete-rewards",
    "DELETE /profiles/{profile_id}/rewards/{reward_id}": "delete-rewards",
    "POST /profiles/{profile_id}/redeem": "redeem-strategy",
    "POST /profiles/{profile_id}/redemptions": "redeem-strategy",
    "POST /redemptions/{redemption_id}/reversal": "redeem-strategy",
    "POST /redemptions/{redemption_id}/return": "return",
    "GET /redemptions": "read-redemptions",
    "GET /redemptions/{redemption_id}": "read-redemptions",
    "GET /profiles/{profile_id}/redemptions": "read-redemptions",
    "GET /profiles/{profile_id}/linked/redemptions": "read-redemptions",
    "GET /profiles/{profile_id}/redemptions/{type}/{incentive_id}/count": "read-redemptions",
    "GET /redemptions/group/{attribute}": "read-redemptions",
    "POST /redemptions/{redemption_id}/capture": "redeem-strategy",
    "POST /redemptions/{redemption_id}/release": "redeem-strategy",
    "GET /profiles/{profile_id}/redemptions/{redemption_id}": "read-redemptions",
    "POST /transactions": "create-transactions",
    "PUT /transactions/{transaction_id}": "update-transactions",
    "GET /transactions": "read-transactions",
    "GET /transactions/{transaction_id}": "read-transactions",
    "GET /transactions/external/{external_id:path}": "read-transactions",
    "GET /profiles/{profile_id}/transactions": "read-transactions",
    "GET /profiles/{profile_id}/transactions/{transaction_id}": "read-transactions",
    "POST /rewards/{reward_id}/reassign": "update-rewards",
    "POST /rewards/{reward_id}/revoke": "delete-rewards",
    "GET /identities/search": "read-identities",
    "GET /identities/search-profile/{identifier:path}": "read-identities",
    "POST /profiles/search-id": "read-identities",
    "GET /profiles/{profile_id}/identities": "read-identities",
    "GET /profiles/{profile_id}/identities/{identity_id}": "read-identities",
    "POST /profiles/{profile_id}/identities": "create-identities",
    "DELETE /profiles/{profile_id}/identities/{identity_id}": "delete-identities",
    "POST /profiles/merge": "merge-profiles",
    "POST /profiles/{profile_id}/merge": "merge-profiles",
    "GET /profiles/{profile_id}": "read-profiles",
    "GET /profiles/{profile_id}/balances": "read-profiles",
    "GET /profiles/{profile_id}/balances/explain": "read-ledgers",
    "GET /profiles/{profile_id}/balances/explain/{reward_id}": "read-ledgers",
    "GET /profiles/{profile_id}/ledgers": "read-ledgers",
    "GET /profiles/{profile_id}/history": "read-ledgers",
    "DELETE /profiles/{profile_id}/personal-data": "erase-personal-data",
    "POST /imports": "create-imports",
    "GET /imports": "read-imports",
    "GET /imports/{import_id}": "read-imports",
    "GET /imports/{import_id}/failed": "read-imports",
    "GET /imports/{import_id}/rejected-rows": "read-imports",
    "POST /imports/{import_id}/confirm": "create-imports",
    "DELETE /imports/{import_id}": "create-imports",
    "GET /programme/settings": "read-programme",
    "GET /programme/settings/history": "read-programme",
    "PUT /programme/settings": "update-programme",
    "GET /operations": "read-operations",
    "GET /operations/dead-letters": "read-operations",
    "GET /operations/parked": "read-operations",
    "GET /programme/statistics": "read-programme",
    "GET /programme/expiry-calendar": "read-programme",
    "POST /transactions/update-create": "create-transactions",
    "POST /transactions/batch.json": "create-transactions",
    "POST /transactions/queue": "create-transactions",
    "POST /transactions/incentive-estimate": "redeem-strategy",
    "POST /profiles/{profile_id}/transactions/{transaction_id}/unattach": "update-transactions",
    "POST /profiles/{profile_id}/transactions/claims": "create-transaction-claims",
    "GET /profiles/{profile_id}/transactions/claims": "read-transaction-claims",
    "GET /profiles/{profile_id}/transactions/claims/{claim_id}": "read-transaction-claims",
    "GET /profiles/{profile_id}/ledgers/{line_id}": "read-ledgers",
    "GET /rewards/definitions/{definition_id}/outstanding": "read-programme",
    "GET /search": "read-profiles",
    "GET /access/tokens": "manage-access",
    "POST /access/tokens": "manage-access",
    "DELETE /access/tokens/{token_id}": "manage-access",
    "GET /access/users": "manage-access",
    "POST /access/users": "manage-access",
    "PUT /access/users/{user_name}": "manage-access",
}
SCOPES |= {
    name.replace("/rewards/definitions", "/reward-definitions"): scope
    for name, scope in SCOPES.items()
}


def test_every_route_asks_for_its_scope() -> None:
    found = {name: route.access and route.access.scope for name, route in ROUTES.items()}
    assert found == SCOPES
    assert set(SCOPES.values()) <= set(tokens.SCOPES)


def test_only_what_everybody_may_see_is_open(api: Api) -> None:
    app = create_app(api.services)
    ours = {id(route) for router in routers() for route in router.routes}
    others = set()
    for route in app.routes:
        if id(route) in ours:
            assert isinstance(route, LedgerRoute)
            assert route.access is not None
        elif isinstance(route, APIRoute) or hasattr(route, "path"):
            others.add(route.path)
    assert others <= OPEN


async def test_each_route_and_each_scope(api: Api) -> None:
    holders = {scope: await api.services.tokens.create("till", [scope]) for scope in tokens.SCOPES}
    for name, wanted in SCOPES.items():
        method, url = url_of(name)
        for scope, token in holders.items():
            response = await api.send_bytes(method, url, b"{", authorization=f"Bearer {token}")
            if scope in (wanted, tokens.ALL):
                assert response.status_code not in (401, 403), response.text
            else:
                problem = refused(response, 403, "forbidden")
                assert wanted in problem.content["detail"]
        refused(await api.send_bytes(method, url, b"{", authorization=""), 401, "unauthenticated")
    assert await api.head() == 0


AUTHORIZATIONS: dict[str, list[bytes]] = {
    "none": [],
    "empty": [b""],
    "no token": [b"Bearer"],
    "blank token": [b"Bearer   "],
    "unknown": [b"Bearer ledger_nobody"],
    "basic": [b"Basic TOKEN"],
    "token alone": [b"TOKEN"],
    "two": [b"Bearer TOKEN", b"Bearer TOKEN"],
    "long": [b"Bearer " + b"x" * 100_000],
    "not ASCII": [b"Bearer \xff\xfe\xe9"],
    "NUL": [b"Bearer \x00"],
    "with more": [b"Bearer TOKEN x"],
}


async def test_without_a_valid_token_nothing_is_said(api: Api) -> None:
    for sent in AUTHORIZATIONS.values():
        headers: list[tuple[bytes, Any]] = [
            (b"authorization", value.replace(b"TOKEN", api.token.encode())) for value in sent
        ]
        response = await api.client.get("/api/v3/profiles/nobody/balances", headers=headers)
        problem = refused(response, 401, "unauthenticated")
        assert problem.headers["www-authenticate"] == "Bearer"
        assert response.json()["message"] == "Unauthenticated."


async def test_the_scheme_is_read_in_any_case(api: Api) -> None:
    response = await api.get("/redemptions", authorization=f"bEARER  {api.token}")
    assert response.status_code == 200


async def test_who_calls_is_asked_before_anything_else(api: Api) -> None:
    url = "/rewards/definitions/abc?dryrun=1"
    refused(await api.put(url, {"x": 1}, authorization="Bearer x"), 401, "unauthenticated")


async def test_a_return_with_a_policy_of_its_own_needs_its_own_scope(api: Api) -> None:
    await api.issue()
    url = f"/redemptions/{(await api.redeem())['id']}/return"
    plain = f"Bearer {await api.services.tokens.create('till', ['return'])}"
    body = {"amount": 1, "policy": "restore"}
    refused(await api.post(url, body, authorization=plain), 403, "forbidden")
    both = await api.services.tokens.create("till", ["return", "return-policy"])
    await api.made(url, body, authorization=f"Bearer {both}")
    await api.made(url, {"amount": 1}, authorization=plain)


async def test_a_revoked_token_is_known_for_a_few_seconds_at_most(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert (await api.get("/redemptions")).status_code == 200
    await api.services.pool.execute("UPDATE access.tokens SET revoked_at = now()")
    later = time.monotonic() + tokens.KNOWN_SECONDS
    monkeypatch.setattr(time, "monotonic", lambda: later)
    refused(await api.get("/redemptions"), 401, "unauthenticated")


async def test_a_known_token_is_believed_while_the_database_is_away(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = await api.services.tokens.caller(api.token)

    async def away(*_: Any) -> None:
        raise asyncpg.CannotConnectNowError("starting up")

    monkeypatch.setattr(tokens, "KNOWN_SECONDS", 0.0)
    monkeypatch.setattr(type(api.services.pool), "fetchrow", away)
    assert await api.services.tokens.caller(api.token) == known
    refused(await api.get("/redemptions", authorization="Bearer other"), 503, "unavailable")


async def test_a_token_has_only_scopes_there_are(api: Api) -> None:
    with pytest.raises(tokens.UnknownScope, match="read-rewards"):
        await api.services.tokens.create("till", ["read-everything"])
