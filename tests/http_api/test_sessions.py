"""Sessions: opened for a user or a token, worth what that is worth now, ended by time."""

import time

import pytest
from http_api.ledger_client import Api

from api import sessions, tokens
from api.roles import READ_ONLY, STAFF
from api.users import NewUser

PASSWORD = "correct horse battery"


async def ada(api: Api) -> str:
    """A session of a new user's."""
    await api.services.users.create(NewUser("ada", "staff", PASSWORD))
    return await api.services.sessions.open(user="ada")


def skip(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    later = time.monotonic() + seconds
    monkeypatch.setattr(time, "monotonic", lambda: later)


async def aged(api: Api, column: str, by: str) -> None:
    await api.services.pool.execute(
        f"UPDATE access.sessions SET {column} = {column} - interval '{by}'"
    )


async def test_a_session_of_a_user_is_the_user(api: Api) -> None:
    secret = await ada(api)
    found = await api.services.sessions.caller(secret)
    assert found is not None
    assert (found.caller.client, found.caller.name) == ("console", "ada")
    assert found.caller.scopes == STAFF
    assert len(found.csrf) >= 32
    assert found.csrf != secret
    other = await api.services.sessions.caller(await api.services.sessions.open(user="ada"))
    assert other is not None
    assert other.csrf != found.csrf


async def test_a_session_of_a_token_is_its_client(api: Api) -> None:
    token = await api.services.tokens.create("till", ["read-rewards"], "Till 3")
    secret = await api.services.sessions.open(token=token)
    found = await api.services.sessions.caller(secret)
    assert found is not None
    assert found.caller == await api.services.tokens.caller(token)


async def test_the_secret_is_kept_nowhere(api: Api) -> None:
    secret = await ada(api)
    rows = await api.services.pool.fetch("SELECT s::text AS row FROM access.sessions s")
    assert all(secret not in row["row"] for row in rows)


@pytest.mark.parametrize("secret", ["", "nobody", "\x00", "\ud800", "x" * 100_000])
async def test_an_unknown_secret_is_nobodys(api: Api, secret: str) -> None:
    assert await api.services.sessions.caller(secret) is None
    await api.services.sessions.close(secret)


async def test_a_closed_session_is_over_at_once(api: Api) -> None:
    secret = await ada(api)
    assert await api.services.sessions.caller(secret) is not None
    for _ in range(2):
        await api.services.sessions.close(secret)
        assert await api.services.sessions.caller(secret) is None


@pytest.mark.parametrize(("column", "by"), [("seen_at", "31 minutes"), ("expires_at", "13 hours")])
async def test_time_ends_a_session(
    api: Api, monkeypatch: pytest.MonkeyPatch, column: str, by: str
) -> None:
    secret = await ada(api)
    assert await api.services.sessions.caller(secret) is not None
    await aged(api, column, by)
    skip(monkeypatch, tokens.KNOWN_SECONDS)
    assert await api.services.sessions.caller(secret) is None
    await api.services.sessions.open(user="ada")
    assert await api.services.pool.fetchval("SELECT count(*) FROM access.sessions") == 1


async def test_only_what_a_person_does_keeps_a_session_awake(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = await ada(api)
    await api.services.sessions.caller(secret)
    await aged(api, "seen_at", "29 minutes")
    skip(monkeypatch, sessions.SEEN_SECONDS)
    assert await api.services.sessions.caller(secret, seen=False) is not None
    assert await _idle(api)
    assert await api.services.sessions.caller(secret) is not None
    assert not await _idle(api)


async def _idle(api: Api) -> bool:
    statement = "SELECT seen_at < now() - interval '20 minutes' FROM access.sessions"
    return bool(await api.services.pool.fetchval(statement))


async def test_a_session_follows_its_user(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = await ada(api)
    await api.services.sessions.caller(secret)
    await api.changed("/access/users/ada", {"role": "read-only"})
    skip(monkeypatch, tokens.KNOWN_SECONDS)
    found = await api.services.sessions.caller(secret)
    assert found is not None
    assert found.caller.scopes == READ_ONLY


@pytest.mark.parametrize("changes", [{"disabled": True}, {"password": "another horse battery"}])
async def test_who_is_shut_out_or_has_a_new_password_is_out(
    api: Api, monkeypatch: pytest.MonkeyPatch, changes: dict[str, object]
) -> None:
    secret = await ada(api)
    await api.services.sessions.caller(secret)
    await api.changed("/access/users/ada", changes)
    skip(monkeypatch, tokens.KNOWN_SECONDS)
    assert await api.services.sessions.caller(secret) is None
    await api.changed("/access/users/ada", {"disabled": False})
    assert await api.services.sessions.caller(secret) is None


async def test_a_revoked_token_ends_its_session(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    made = await api.made("/access/tokens", {"client": "till", "scopes": ["read-rewards"]})
    secret = await api.services.sessions.open(token=made["token"])
    assert await api.services.sessions.caller(secret) is not None
    await api.delete(f"/access/tokens/{made['id']}")
    skip(monkeypatch, tokens.KNOWN_SECONDS)
    assert await api.services.sessions.caller(secret) is None
