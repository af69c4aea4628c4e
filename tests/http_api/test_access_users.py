"""Users of the console: made, changed, found by their password, slowed when they guess."""

import asyncio
from typing import Any

import pytest
from http_api.ledger_client import Api, refused
from http_api.test_access_tokens import manager

from api import passwords, tokens
from api.roles import READ_ONLY, SCOPES_OF, STAFF
from api.users import FREE_FAILURES, TryLater

PASSWORD = "correct horse battery"
BODY: dict[str, Any] = {"name": "ada", "role": "staff", "password": PASSWORD}
ADMIN = BODY | {"name": "root", "role": "admin"}


async def shown(api: Api, name: str) -> Any:
    return next(each for each in await api.data("/access/users") if each["name"] == name)


def test_roles_are_sets_of_scopes() -> None:
    assert {"read-profiles", "read-ledgers"} <= READ_ONLY
    assert all(scope.startswith("read-") for scope in READ_ONLY)
    assert READ_ONLY < STAFF
    assert {"create-rewards", "redeem-strategy", "return", "update-profiles"} <= STAFF
    beyond = {"exceed-limits", "return-policy", "manage-access", "erase-personal-data"}
    assert not STAFF & (beyond | {tokens.ALL, "merge-profiles", "update-programme"})
    assert SCOPES_OF["admin"] == {tokens.ALL}


async def test_a_user_is_shown_without_the_password(api: Api) -> None:
    made = await api.made("/access/users", BODY)
    assert made["scopes"] == sorted(STAFF)
    assert (made["disabled"], made["disabled_at"], made["signed_in_at"]) == (False, None, None)
    assert await shown(api, "ada") == made
    assert "password" not in str(made)
    refused(await api.post("/access/users", BODY), 409, "user_exists", "name")
    refused(await api.post("/access/users?dry_run=true", BODY), 409, "user_exists", "name")


async def test_a_repeat_makes_no_second_user(api: Api) -> None:
    first = await api.made("/access/users", BODY, idempotency_key="k-1")
    again = await api.post("/access/users", BODY, idempotency_key="k-1")
    assert again.headers["idempotency-replayed"] == "true"
    assert (again.status_code, again.json()["data"]) == (201, first)
    other = await api.post("/access/users", BODY | {"name": "bob"}, idempotency_key="k-1")
    refused(other, 422, "idempotency_key_reused")


async def test_a_dry_run_makes_and_changes_nobody(api: Api) -> None:
    assert (await api.post("/access/users?dry_run=true", BODY)).status_code == 200
    assert await api.data("/access/users") == []
    await api.made("/access/users", BODY)
    tried = await api.changed("/access/users/ada?dry_run=true", {"disabled": True})
    assert tried["disabled"] is True
    assert (await shown(api, "ada"))["disabled"] is False


async def test_whoever_knows_the_password_is_let_in(api: Api) -> None:
    await api.made("/access/users", BODY)
    caller = await api.services.users.authenticate(" Ada ", PASSWORD)
    assert caller is not None
    assert (caller.client, caller.name) == ("console", "ada")
    assert caller.scopes == STAFF
    assert (await shown(api, "ada"))["signed_in_at"] is not None
    for name, password in (
        ("ada", PASSWORD.upper()),
        ("ada", ""),
        ("ada", "\ud800"),
        ("bob", PASSWORD),
        ("\x00", PASSWORD),
        ("\udfff", PASSWORD),
        ("x" * 100_000, PASSWORD),
    ):
        assert await api.services.users.authenticate(name, password) is None


async def test_a_letter_composed_otherwise_is_the_same_password(api: Api) -> None:
    await api.made("/access/users", BODY | {"password": "caf\u00e9 au lait, please"})
    caller = await api.services.users.authenticate("ada", "cafe\u0301 au lait, please")
    assert caller is not None


async def test_unknown_names_cost_a_hash_too(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    await api.made("/access/users", BODY)
    checked: list[bool] = []
    real = passwords._fits

    def counting(password: str, password_hash: str | None) -> bool:
        checked.append(password_hash is not None)
        return real(password, password_hash)

    monkeypatch.setattr(passwords, "_fits", counting)
    for name in ("ada", "bob", "no such name!"):
        assert await api.services.users.authenticate(name, "wrong") is None
    assert checked == [True, False, False]


async def wait_over(api: Api) -> None:
    await api.services.pool.execute("UPDATE access.failed_sign_ins SET blocked_until = now()")


@pytest.mark.parametrize("name", ["ada", "nobody"])
async def test_guessing_is_slowed_whether_there_is_such_a_user_or_not(api: Api, name: str) -> None:
    users = api.services.users
    await api.made("/access/users", BODY)
    for _ in range(FREE_FAILURES + 1):
        assert await users.authenticate(name, "wrong") is None
    waits = []
    for _ in range(3):
        with pytest.raises(TryLater) as later:
            await users.authenticate(name, PASSWORD)
        waits.append(later.value.seconds)
        await wait_over(api)
        assert await users.authenticate(name, "wrong") is None
    assert 1 <= waits[0] <= 2 < waits[1] <= 4 < waits[2] <= 8
    assert await users.authenticate("another", "wrong") is None


async def test_many_guesses_at_once_are_counted_too(api: Api) -> None:
    await api.made("/access/users", BODY)
    tries = [api.services.users.authenticate("ada", f"wrong {n}") for n in range(20)]
    found = await asyncio.gather(*tries, return_exceptions=True)
    assert found.count(None) == FREE_FAILURES + 1
    assert all(each is None or isinstance(each, TryLater) for each in found)


async def test_success_and_a_new_password_forget_the_failures(api: Api) -> None:
    users = api.services.users
    await api.made("/access/users", BODY)
    for _ in range(2):
        for _ in range(FREE_FAILURES):
            assert await users.authenticate("ada", "wrong") is None
        assert await users.authenticate("ada", PASSWORD) is not None
    for _ in range(FREE_FAILURES + 1):
        assert await users.authenticate("ada", "wrong") is None
    await api.changed("/access/users/ada", {"password": "another horse battery"})
    assert await users.authenticate("ada", "another horse battery") is not None


async def test_no_more_wait_than_is_reasonable(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    await api.made("/access/users", BODY)
    monkeypatch.setattr(passwords, "WAITING_MAX", 0)
    with pytest.raises(TryLater):
        await api.services.users.authenticate("ada", PASSWORD)
    problem = refused(await api.post("/access/users", BODY | {"name": "bob"}), 503, "overloaded")
    assert problem.headers["retry-after"] == "1"
    changes = {"password": "another horse battery"}
    refused(await api.put("/access/users/ada", changes), 503, "overloaded")


async def test_a_user_is_changed_and_shut_out(api: Api) -> None:
    users = api.services.users
    await api.made("/access/users", BODY)
    changed = await api.changed("/access/users/ada", {"role": "read-only"})
    assert (changed["role"], changed["changed_by"]) == ("read-only", "till")
    caller = await users.authenticate("ada", PASSWORD)
    assert caller is not None
    assert caller.scopes == READ_ONLY
    disabled = await api.changed("/access/users/ada", {"disabled": True})
    assert (disabled["disabled"], disabled["role"]) == (True, "read-only")
    assert await users.authenticate("ada", PASSWORD) is None
    assert await api.changed("/access/users/ada", {"role": None}) == disabled
    assert not (await api.changed("/access/users/ada", {"disabled": False}))["disabled"]
    assert await users.authenticate("ada", PASSWORD) is not None
    refused(await api.put("/access/users/bob", {"role": "staff"}), 404, "user_not_found")


async def test_one_admin_remains(api: Api) -> None:
    await api.made("/access/users", ADMIN)
    for changes in ({"disabled": True}, {"role": "staff"}):
        refused(await api.put("/access/users/root", changes), 409, "last_administrator")
    assert (await shown(api, "root"))["role"] == "admin"
    await api.made("/access/users", ADMIN | {"name": "root2"})
    both = [
        api.put("/access/users/root", {"disabled": True}),
        api.put("/access/users/root2", {"role": "staff"}),
    ]
    statuses = sorted(each.status_code for each in await asyncio.gather(*both))
    assert statuses == [200, 409]


async def test_nobody_makes_or_takes_over_somebody_who_may_do_more(api: Api) -> None:
    header = await manager(api, *STAFF)
    await api.made("/access/users", ADMIN)
    assert (await api.post("/access/users", BODY, **header)).status_code == 201
    for answer in (
        await api.post("/access/users", ADMIN | {"name": "eve"}, **header),
        await api.put("/access/users/ada", {"role": "admin"}, **header),
        await api.put("/access/users/root", {"password": "another horse battery"}, **header),
        await api.put("/access/users/root", {"disabled": True}, **header),
    ):
        refused(answer, 403, "forbidden")
    assert await api.services.users.authenticate("root", PASSWORD) is not None


@pytest.mark.parametrize("password", ["aaaaaaaaaaaaaaaa", "abababababababab", "ADA.LOVELACE-SHOP"])
async def test_a_password_anybody_would_try_is_refused(api: Api, password: str) -> None:
    body = BODY | {"name": "ada.lovelace-shop", "password": password}
    refused(await api.post("/access/users", body), 422, "validation_failed", "password")
    await api.made("/access/users", body | {"password": PASSWORD})
    changes = {"password": password}
    answer = await api.put("/access/users/ada.lovelace-shop", changes)
    refused(answer, 422, "validation_failed", "password")


@pytest.mark.parametrize("name", ["Ada", "-a", "a b", "a\n", "a@b.org", "\u00e4", "a" * 65])
async def test_a_name_is_written_in_one_way(api: Api, name: str) -> None:
    answer = await api.post("/access/users", BODY | {"name": name})
    refused(answer, 422, "validation_failed", "name")
