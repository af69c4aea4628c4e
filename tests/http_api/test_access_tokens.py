"""Tokens over HTTP: shown once, listed without their secret, revoked."""

from typing import Any

from http_api.ledger_client import Api, refused

from api.tokens import ALL

BODY: dict[str, Any] = {"client": "till", "name": "Till 3", "scopes": ["read-rewards"]}


async def manager(api: Api, *scopes: str) -> dict[str, str]:
    """The header of somebody who administers access and has these scopes besides."""
    token = await api.services.tokens.create("office", ["manage-access", *scopes])
    return {"authorization": f"Bearer {token}"}


async def shown(api: Api, token_id: int) -> Any:
    return next(each for each in await api.data("/access/tokens") if each["id"] == token_id)


async def test_a_token_works_and_is_shown_once(api: Api) -> None:
    response = await api.post("/access/tokens", BODY)
    assert response.status_code == 201
    assert response.headers["cache-control"] == "no-store"
    made = response.json()["data"]
    token = made.pop("token")
    answer = await api.get("/rewards", authorization=f"Bearer {token}")
    assert answer.status_code == 200
    assert await shown(api, made["id"]) == made
    assert token not in (await api.get("/access/tokens")).text
    assert made["created_by"] == "till"
    assert (made["last_used_at"], made["revoked_at"], made["revoked_by"]) == (None, None, None)


async def test_a_repeat_makes_no_second_token_and_shows_no_secret(api: Api) -> None:
    first = await api.made("/access/tokens", BODY, idempotency_key="k-1")
    again = await api.post("/access/tokens", BODY, idempotency_key="k-1")
    assert again.status_code == 201
    assert again.headers["idempotency-replayed"] == "true"
    assert again.json()["data"] == first | {"token": None}
    assert len(await api.data("/access/tokens")) == 2
    other = await api.post("/access/tokens", BODY | {"name": "4"}, idempotency_key="k-1")
    refused(other, 422, "idempotency_key_reused")


async def test_a_dry_run_makes_and_revokes_nothing(api: Api) -> None:
    tried = await api.post("/access/tokens?dry_run=true", BODY)
    assert tried.status_code == 200
    assert (tried.json()["data"]["id"], tried.json()["data"]["token"]) == (None, None)
    (only,) = await api.data("/access/tokens")
    refused(
        await api.delete(f"/access/tokens/{only['id']}?dry_run=true"), 409, "last_administrator"
    )
    made = await api.made("/access/tokens", BODY)
    assert (await api.delete(f"/access/tokens/{made['id']}?dry_run=true")).status_code == 204
    assert (await shown(api, made["id"]))["revoked_at"] is None


async def test_nobody_grants_more_than_they_have(api: Api) -> None:
    header = await manager(api, "read-rewards")
    assert (await api.post("/access/tokens", BODY, **header)).status_code == 201
    for scopes in ([ALL], ["read-rewards", "redeem-strategy"]):
        answer = await api.post("/access/tokens", BODY | {"scopes": scopes}, **header)
        problem = refused(answer, 403, "forbidden")
        assert scopes[-1] in problem.content["detail"]


async def test_a_revoked_token_is_out_at_once_where_it_was_revoked(api: Api) -> None:
    made = await api.made("/access/tokens", BODY)
    header = {"authorization": f"Bearer {made['token']}"}
    assert (await api.get("/rewards", **header)).status_code == 200
    for _ in range(2):
        assert (await api.delete(f"/access/tokens/{made['id']}")).status_code == 204
    refused(await api.get("/rewards", **header), 401, "unauthenticated")
    revoked = await shown(api, made["id"])
    assert revoked["revoked_at"] is not None
    assert revoked["revoked_by"] == "till"
    refused(await api.delete("/access/tokens/999"), 404, "token_not_found")


async def test_the_last_token_for_everything_stays_unless_there_is_an_admin(api: Api) -> None:
    (only,) = await api.data("/access/tokens")
    refused(await api.delete(f"/access/tokens/{only['id']}"), 409, "last_administrator")
    assert (await shown(api, only["id"]))["revoked_at"] is None
    admin = {"name": "ada", "role": "admin", "password": "correct horse battery"}
    await api.made("/access/users", admin)
    assert (await api.delete(f"/access/tokens/{only['id']}")).status_code == 204


async def test_uses_are_noted_together_and_by_no_request(api: Api) -> None:
    made = await api.made("/access/tokens", BODY)
    for _ in range(3):
        await api.get("/rewards", authorization=f"Bearer {made['token']}")
    assert (await shown(api, made["id"]))["last_used_at"] is None
    await api.services.tokens.note_uses()
    noted = await api.data("/access/tokens")
    assert all(each["last_used_at"] is not None for each in noted)
    await api.services.pool.execute("UPDATE access.tokens SET last_used_at = NULL")
    await api.get("/rewards")
    await api.services.tokens.note_uses()
    assert (await shown(api, made["id"]))["last_used_at"] is None


async def test_scopes_are_known_and_named_once(api: Api) -> None:
    for scopes in ([], ["read-everything"], ["read-rewards", "read-rewards"]):
        answer = await api.post("/access/tokens", BODY | {"scopes": scopes})
        problem = refused(answer, 422, "validation_failed")
        assert all(name.startswith("scopes") for name in problem.errors)
