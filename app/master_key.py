"""The master key of personal data: from the settings, or from a file kept beside no database."""

from pathlib import Path
from typing import Any

import asyncpg
import structlog

from app.data_dir import keep_first, kept_secret
from app.settings import Settings
from ledger.event_store.faults import FAULTS, meaning
from ledger.personal.erasing import destroy_all
from ledger.personal.master import MasterKeys, from_text, new_master_key
from ledger.personal.postgres_keys import PostgresKeys
from ledger.personal.vault import Vault

MASTER_KEY_FILE = "master.key"

log = structlog.get_logger("process")


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


async def open_keys(settings: Settings, pool: "asyncpg.Pool[Any]") -> PostgresKeys:
    """The keys of this deployment, opened with its master key.

    Raises:
        NoMasterKey: the key is missing.
    """
    master = known_master_keys(settings)
    return PostgresKeys(pool, master or await _made(settings, pool))


async def open_vault(settings: Settings, pool: "asyncpg.Pool[Any]") -> Vault:
    """The vault of this deployment; what was erased stays so, whatever came between.

    Raises:
        NoMasterKey, WrongMasterKey: the key is missing, or it is another database's.
        EventStoreUnavailable, EventStoreBroken: the database does not answer as it should.
    """
    try:
        keys = await open_keys(settings, pool)
        vault = await Vault.open(keys)
        finished = await finish_erasures(keys)
    except FAULTS as error:
        raise meaning(error) from error
    if finished:
        log.warning("erasures_finished", keys_destroyed=finished)
    return vault


async def finish_erasures(keys: PostgresKeys) -> int:
    """Destroy the keys of all erasures the log tells of; how many still lived.

    A process that died right after recording one has left its keys; so has a restored backup.
    """
    return await destroy_all(await keys.recorded_erasures(), keys)


async def vault_if_known(settings: Settings, pool: "asyncpg.Pool[Any]") -> Vault | None:
    """The vault, where this machine has the master key; None where it hasn't.

    Raises:
        NoMasterKey, WrongMasterKey: there is a key, and it is not the right one.
    """
    master = known_master_keys(settings)
    return None if master is None else await Vault.open(PostgresKeys(pool, master))


async def _made(settings: Settings, pool: "asyncpg.Pool[Any]") -> MasterKeys:
    if await pool.fetchval("SELECT EXISTS (SELECT FROM ledger.personal_secret)"):
        raise NoMasterKey(
            f"LEDGER_MASTER_KEY is not set, and there is no {key_file(settings)}. What is personal"
            " in this database was sealed with a master key; give it that one."
        )
    # Another process may be making one at this moment: whichever is there first is the key of both.
    return MasterKeys(from_text(keep_first(key_file(settings), new_master_key())))
