"""The master key of a deployment: given, or made once; never another one. Erasures are finished."""

import stat
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import orjson
import pytest
from pydantic import SecretStr

from app.data_dir import keep_first
from app.doctor.personal_data import examine_personal_data
from app.master_key import NoMasterKey, finish_erasures, key_file, open_keys, vault_if_known
from app.settings import BadSettings, Settings, read_settings
from ledger.personal.master import WrongMasterKey, new_master_key
from ledger.personal.vault import Vault

Pool = asyncpg.Pool
FIELDS = {"meta": {"n": 1}}


@pytest.fixture
async def pool(application_url: str) -> AsyncIterator[Pool]:
    async with asyncpg.create_pool(application_url, min_size=1, max_size=2) as pool:
        yield pool


def settings_in(folder: Path, **more: str) -> Settings:
    """The settings of a machine with this data directory."""
    secrets = {name: SecretStr(text) for name, text in more.items()}
    return Settings(data_dir=folder, **secrets)


async def test_a_new_database_gets_a_master_key_of_its_own_for_its_owners_eyes(
    pool: Pool, tmp_path: Path
) -> None:
    settings = settings_in(tmp_path)
    assert await vault_if_known(settings, pool) is None
    vault = await Vault.open(await open_keys(settings, pool))
    sealed = await vault.sealed("p-1", FIELDS)
    assert stat.S_IMODE(key_file(settings).stat().st_mode) == 0o600
    again = await vault_if_known(settings, pool)
    assert again is not None
    assert await again.opened([sealed.text]) == {sealed.text: FIELDS}


async def test_a_database_that_has_one_is_never_given_another(
    pool: Pool, tmp_path: Path, application_url: str
) -> None:
    key = new_master_key()
    await Vault.open(await open_keys(settings_in(tmp_path, master_key=key), pool))
    assert not key_file(settings_in(tmp_path)).exists()
    with pytest.raises(NoMasterKey, match="LEDGER_MASTER_KEY is not set"):
        await open_keys(settings_in(tmp_path), pool)
    other = settings_in(tmp_path, master_key=new_master_key())
    with pytest.raises(WrongMasterKey):
        await Vault.open(await open_keys(other, pool))
    (finding,) = await examine_personal_data(other, application_url)
    assert (finding.name, finding.ok) == ("Master key", False)
    changing = settings_in(tmp_path, master_key=new_master_key(), master_key_previous=key)
    await Vault.open(await open_keys(changing, pool))


def test_of_two_that_make_a_key_at_once_the_first_makes_it_for_both(tmp_path: Path) -> None:
    file = tmp_path / "secrets" / "master.key"
    assert keep_first(file, "mine") == keep_first(file, "yours") == "mine"
    assert [each.name for each in file.parent.iterdir()] == ["master.key"]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


async def test_a_key_file_that_holds_none_is_said_to(pool: Pool, tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    key_file(settings).parent.mkdir()
    key_file(settings).write_text("not a key\n")
    with pytest.raises(NoMasterKey, match="holds no master key"):
        await open_keys(settings, pool)


def test_a_setting_that_is_no_key_is_refused_without_showing_it() -> None:
    with pytest.raises(BadSettings, match="LEDGER_MASTER_KEY: Give 32 random bytes") as refusal:
        read_settings(master_key="hunter2")
    assert "hunter2" not in str(refusal.value)


async def test_an_erasure_the_log_tells_of_is_finished_by_whoever_starts(
    pool: Pool,
    tmp_path: Path,
    application_url: str,
    superuser: "asyncpg.Connection[asyncpg.Record]",
) -> None:
    settings = settings_in(tmp_path)
    keys = await open_keys(settings, pool)
    vault = await Vault.open(keys)
    ours, other = await vault.sealed("p-1", FIELDS), await vault.sealed("p-2", FIELDS)
    payload = orjson.dumps({"erasure_id": 1, "profile_id": "p-1", "keys": [str(ours.key.key_id)]})
    await superuser.execute(
        "INSERT INTO ledger.reservations VALUES ('erasure', '1', 'account-p-1');"
        "INSERT INTO ledger.events SELECT 1, 'account-p-1', 1, 'PersonalDataErased', 1,"
        f" '\\x{payload.hex()}', gen_random_uuid(), NULL, NULL, now(), now(), 't', 0, 1, ''"
    )
    findings = {each.name: each for each in await examine_personal_data(settings, application_url)}
    assert findings["Master key"].ok
    assert not findings["Erasures"].ok
    assert await finish_erasures(keys) == 1
    assert await finish_erasures(keys) == 0
    opened = await vault.opened([ours.text, other.text])
    assert list(opened.values()) == [None, FIELDS]
    assert all(each.ok for each in await examine_personal_data(settings, application_url))
