"""The master key of personal data: from the settings, or from a file kept beside no database."""

from pathlib import Path
from typing import Any

import asyncpg

from app.data_dir import keep_secret, kept_secret
from app.settings import Settings
from ledger.event_store.faults import FAULTS, meaning
from ledger.personal.master import MasterKeys, from_text, new_master_key
from ledger.personal.postgres_keys import PostgresKeys
from ledger.personal.vault import Vault

MASTER_KEY_FILE = "master.key"


class NoMasterKey(Exception):
    """This database has personal data, and nobody has said which key opens it."""


def key_file(settings: Settings) -> Path:
    """Where a master key that no setting names is kept."""
    return settings.data_dir / "secrets" / MASTER_KEY_FILE


def known_master_keys(settings: Settings) -> MasterKeys | None:
    """The master key of the settings, else of the file; None where there is neither.

    Raises:
        NoMasterKey: the file holds none.
    """
    previous = []
    if settings.master_key_previous is not None:
        previous.append(from_text(settings.master_key_previous.get_secret_value()))
    if settings.master_key is not None:
        return MasterKeys(from_text(settings.master_key.get_secret_value()), previous)
    try:
        kept = kept_secret(key_file(settings))
        return None if kept is None else MasterKeys(from_text(kept), previous)
    except OSError as error:
        raise NoMasterKey(f"{key_file(settings)} can't be read: {error.strerror}.") from error
    except ValueError as error:
        raise NoMasterKey(f"{key_file(settings)} holds no master key. {error}") from error


async def open_vault(settings: Settings, pool: "asyncpg.Pool[Any]") -> Vault:
    """The vault of this deployment. A new database gets a master key of its own, in the file.

    Raises:
        NoMasterKey, WrongMasterKey: the key is missing, or it is another database's.
        EventStoreUnavailable, EventStoreBroken: the database does not answer as it should.
    """
    master = known_master_keys(settings)
    try:
        if master is None:
            master = await _made(settings, pool)
        return await Vault.open(PostgresKeys(pool, master))
    except FAULTS as error:
        raise meaning(error) from error


async def vault_if_known(settings: Settings, pool: "asyncpg.Pool[Any]") -> Vault | None:
    """The vault, where this machine has the master key; None where it hasn't.

    Raises:
        NoMasterKey, WrongMasterKey: there is a key, and it is not the right one.
    """
    return None if known_master_keys(settings) is None else await open_vault(settings, pool)


async def _made(settings: Settings, pool: "asyncpg.Pool[Any]") -> MasterKeys:
    if await pool.fetchval("SELECT EXISTS (SELECT FROM ledger.personal_secret)"):
        raise NoMasterKey(
            f"LEDGER_MASTER_KEY is not set, and there is no {key_file(settings)}. What is personal"
            " in this database was sealed with a master key; give it that one."
        )
    key = new_master_key()
    keep_secret(key_file(settings), key)
    return MasterKeys(from_text(key))
