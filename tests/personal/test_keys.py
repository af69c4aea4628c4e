"""The keeper of keys, in memory and on PostgreSQL, through the same scenarios."""

import asyncio
from collections.abc import AsyncIterator
from uuid import uuid4

import asyncpg
import pytest

from ledger.personal.keys import MemoryKeys, PersonalKeys, nobody
from ledger.personal.master import MasterKeys, WrongMasterKey, from_text, new_master_key
from ledger.personal.postgres_keys import PostgresKeys
from ledger.personal.vault import Vault

FIELDS = {"first_name": "Ada"}
MASTER = from_text(new_master_key())

Pool = asyncpg.Pool


@pytest.fixture
async def pool(database_url: str) -> AsyncIterator[Pool]:
    async with asyncpg.create_pool(database_url, min_size=1, max_size=4) as pool:
        yield pool


@pytest.fixture(params=["memory", "postgres"])
def keys(request: pytest.FixtureRequest) -> PersonalKeys:
    if request.param == "memory":
        return MemoryKeys()
    return PostgresKeys(request.getfixturevalue("pool"), MasterKeys(MASTER))


async def test_an_owner_has_one_key_however_often_it_is_asked_for(keys: PersonalKeys) -> None:
    first = await keys.sealing(["p-1", "p-2", "p-1"])
    again = await keys.sealing(["p-1"])
    assert first["p-1"] == again["p-1"] != first["p-2"]
    assert await keys.opening([first["p-1"].key_id]) == {first["p-1"].key_id: first["p-1"]}


async def test_many_asking_at_once_get_the_same_key(pool: Pool) -> None:
    keys = PostgresKeys(pool, MasterKeys(MASTER))
    answers = await asyncio.gather(*(keys.sealing(["p-1", f"q-{n % 3}"]) for n in range(30)))
    assert len({answer["p-1"].key_id for answer in answers}) == 1


async def test_a_destroyed_key_opens_nothing_and_its_owner_gets_a_new_one(
    keys: PersonalKeys,
) -> None:
    vault = await Vault.open(keys)
    before, other = await vault.sealed("p-1", FIELDS), await vault.sealed("p-2", FIELDS)
    alive = await keys.living(["p-1"], [])
    assert list(alive) == [before.key.key_id]
    assert list(await keys.destroy(alive)) == alive
    assert list(await keys.destroy(alive)) == []
    after = await vault.sealed("p-1", FIELDS)
    assert await vault.opened([before.text, other.text, after.text]) == {
        before.text: None,
        other.text: FIELDS,
        after.text: FIELDS,
    }


async def test_the_living_are_the_owners_own_and_those_of_nobody_that_were_named(
    keys: PersonalKeys,
) -> None:
    anonymous, not_asked = nobody(), nobody()
    made = await keys.sealing(["p-1", "p-2", anonymous, not_asked])
    named = [made[owner].key_id for owner in ("p-2", anonymous)]
    found = await keys.living(["p-1"], named)
    assert set(found) == {made["p-1"].key_id, made[anonymous].key_id}


async def test_a_profile_is_found_until_its_key_is_destroyed(keys: PersonalKeys) -> None:
    vault = await Vault.open(keys)
    ada, bea = await vault.sealed("p-1", FIELDS), await vault.sealed("p-2", FIELDS)
    await vault.index("p-1", ada.key.key_id, [("name", "Ada Lovelace"), ("email", "ada@x.org")])
    await vault.index("p-2", bea.key.key_id, [("name", "Adele")])
    assert [hit.owner for hit in await vault.search("name", "ada")] == ["p-1", "p-2"]
    assert [hit.owner for hit in await vault.search("email", "ADA@x.org")] == ["p-1"]
    assert await vault.search("email", "Ada Lovelace") == []
    await keys.destroy([ada.key.key_id])
    await vault.index("p-1", ada.key.key_id, [("name", "Ada")])
    assert [hit.owner for hit in await vault.search("name", "ada")] == ["p-2"]


async def test_a_dry_run_leaves_no_key(keys: PersonalKeys) -> None:
    vault = await Vault.open(keys)
    sealed = vault.rehearsed(FIELDS)
    assert await vault.opened([sealed.text], [sealed.key]) == {sealed.text: FIELDS}
    assert await vault.opened([sealed.text]) == {sealed.text: None}


async def test_another_master_key_is_refused_at_once(pool: Pool) -> None:
    secret = await PostgresKeys(pool, MasterKeys(MASTER)).secret()
    assert await PostgresKeys(pool, MasterKeys(MASTER)).secret() == secret
    other = PostgresKeys(pool, MasterKeys(from_text(new_master_key())))
    with pytest.raises(WrongMasterKey):
        await other.secret()


async def test_a_new_master_key_takes_over_while_both_are_known(pool: Pool) -> None:
    old = await Vault.open(PostgresKeys(pool, MasterKeys(MASTER)))
    sealed = [await old.sealed(f"p-{n}", FIELDS) for n in range(3)]
    await old.keys.destroy([sealed[2].key.key_id])
    new_key = from_text(new_master_key())
    both, new = (PostgresKeys(pool, MasterKeys(new_key, k)) for k in ([MASTER], []))
    assert await both.rewrap() == 3  # two keys that live, and the deployment's secret
    assert await both.rewrap() == 0
    vault = await Vault.open(new)
    assert vault.identity_name("card", "1") == old.identity_name("card", "1")
    opened = await vault.opened([each.text for each in sealed])
    assert list(opened.values()) == [FIELDS, FIELDS, None]
    with pytest.raises(WrongMasterKey):
        await old.opened([sealed[0].text])


async def test_the_table_has_no_key_in_clear(pool: Pool) -> None:
    vault = await Vault.open(PostgresKeys(pool, MasterKeys(MASTER)))
    sealed = await vault.sealed("p-1", FIELDS)
    await vault.index("p-1", sealed.key.key_id, [("name", "Ada")])
    (row,) = await pool.fetch("SELECT * FROM ledger.personal_keys")
    assert sealed.key.secret not in row["wrapped"]
    assert MASTER not in row["wrapped"]
    assert await pool.fetchval("SELECT count(*) FROM ledger.personal_index") > 0
    assert uuid4() not in await vault.keys.opening([uuid4()])


async def test_many_texts_are_looked_for_at_once_and_not_more_of_each_than_asked_for(
    keys: PersonalKeys,
) -> None:
    vault = await Vault.open(keys)
    for owner in ("p-1", "p-2", "p-3"):
        key = (await keys.sealing([owner]))[owner]
        await vault.index(owner, key.key_id, [("email", "ada@example.org"), ("email", owner)])
    texts = ["Ada@Example.org", "p-2", "nobody@example.org", ""]
    found = await vault.search_each("email", texts, limit=2)
    assert {text: len(entries) for text, entries in found.items()} == dict(
        zip(texts, (2, 1, 0, 0), strict=True)
    )
    assert found["p-2"][0].owner == "p-2"
    assert await vault.search_each("email", [], limit=2) == {}
