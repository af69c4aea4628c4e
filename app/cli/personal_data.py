"""`ledger personal-data`: change the master key; erase again after a restore."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated
from uuid import UUID

import asyncpg
import typer

from app.cli.console import MISUSED, fail, say, telling
from app.cli.options import DataDir, settings_for_a_person
from app.master_key import finish_erasures, open_keys
from app.own_servers import existing_database
from app.settings import Settings
from ledger.event_store.faults import FAULTS, meaning
from ledger.personal.erasing import destroy_all
from ledger.personal.master import new_master_key
from ledger.personal.postgres_keys import PostgresKeys

group = typer.Typer(help="Keys of personal data.", no_args_is_help=True)


@group.command("new-master-key")
def make_master_key() -> None:
    """Print a fresh master key for LEDGER_MASTER_KEY. It is kept nowhere else."""
    say(new_master_key())


@group.command("rotate-master-key")
def rotate_master_key(data_dir: DataDir = None) -> None:
    """Wrap every key with LEDGER_MASTER_KEY that LEDGER_MASTER_KEY_PREVIOUS has wrapped.

    Start every process with both before, and leave the previous one out after. Interrupted, it
    goes on where it was next time; reads and writes go on meanwhile.
    """
    settings = settings_for_a_person(data_dir=data_dir)
    if settings.master_key is None or settings.master_key_previous is None:
        fail("set LEDGER_MASTER_KEY to the new key and LEDGER_MASTER_KEY_PREVIOUS to the old one.")
    rewrapped = _run(settings, lambda keys: keys.rewrap())
    say(f"{rewrapped} keys are wrapped anew. LEDGER_MASTER_KEY_PREVIOUS is needed no more.")


@group.command("reapply-erasures")
def reapply_erasures(
    receipts: Annotated[
        Path | None,
        typer.Option(
            "--receipts",
            help="A file of receipts, one JSON object a line, for erasures younger than the backup",
        ),
    ] = None,
    data_dir: DataDir = None,
) -> None:
    """Destroy the keys of all erasures again: after a restore from a backup, before all else."""
    settings = settings_for_a_person(data_dir=data_dir)
    named = [] if receipts is None else _keys_of(receipts)

    async def erased(keys: PostgresKeys) -> int:
        return await finish_erasures(keys) + await destroy_all(named, keys)

    say(f"{_run(settings, erased)} keys lived again and are destroyed.")


def _keys_of(file: Path) -> list[UUID]:
    keys: list[UUID] = []
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        fail(f"--receipts: {file} can't be read: {error}", MISUSED)
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            receipt = json.loads(line)
            keys.extend(UUID(key) for key in receipt.get("data", receipt)["keys_destroyed"])
        except (ValueError, TypeError, KeyError, AttributeError):
            fail(f"--receipts: line {number} of {file} is no receipt of an erasure.", MISUSED)
    return keys


def _run(settings: Settings, work: Callable[[PostgresKeys], Awaitable[int]]) -> int:
    with telling() as teller, existing_database(settings, teller) as complete:
        return asyncio.run(_with_keys(complete, work))


async def _with_keys(settings: Settings, work: Callable[[PostgresKeys], Awaitable[int]]) -> int:
    assert settings.database_url is not None
    url = settings.database_url.get_secret_value()
    try:
        async with asyncpg.create_pool(url, min_size=1, max_size=1) as pool:
            return await work(await open_keys(settings, pool))
    except FAULTS as error:
        raise meaning(error) from error
