"""Checks of personal data: whether the master key is the right one, and all erasures are done."""

from typing import Any

import asyncpg

from app.doctor.findings import Finding
from app.master_key import NoMasterKey, key_file, known_master_keys
from app.settings import Settings
from ledger.event_store.faults import FAULTS
from ledger.personal.master import MasterKeys, WrongMasterKey
from ledger.personal.postgres_keys import PostgresKeys

NAME = "Master key"


async def examine_personal_data(settings: Settings, url: str) -> list[Finding]:
    """Changes nothing. What the database itself lacks, its own checks say."""
    try:
        master = known_master_keys(settings)
    except NoMasterKey as error:
        return [Finding(NAME, False, str(error), "Put the right key there, or set the variable.")]
    if master is None:
        detail = f"neither LEDGER_MASTER_KEY nor {key_file(settings)} here; only the API needs it"
        return [Finding(NAME, True, detail)]
    try:
        async with asyncpg.create_pool(url, min_size=1, max_size=1) as pool:
            return await _examined(pool, master)
    except FAULTS:
        return []


async def _examined(pool: "asyncpg.Pool[Any]", master: MasterKeys) -> list[Finding]:
    keys = PostgresKeys(pool, master)
    try:
        set_up = await keys.is_set_up()
    except WrongMasterKey as error:
        remedy = "Set LEDGER_MASTER_KEY to the key this database was set up with."
        return [Finding(NAME, False, str(error).partition(": ")[0], remedy)]
    detail = "opens this database's keys" if set_up else "this database has used none yet"
    alive = await keys.opening(await keys.recorded_erasures())
    return [
        Finding(NAME, True, detail),
        Finding(
            "Erasures",
            not alive,
            f"{len(alive)} keys of recorded erasures still live" if alive else "all are done",
            "Run `ledger personal-data reapply-erasures`.",
        ),
    ]
