"""The demo on a fresh folder, and once more on what it left there."""

import asyncio
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from command_line.ledger_command import Up, run_ledger, running

from app.demo.programme import CLIENTS, plan
from ledger.account.folding import fold
from schemas.amounts import from_minor
from schemas.events import decode

PROFILES, SEED = 30, 4
READ_MODELS = ("balances", "rewards", "redemptions", "transactions")


def test_the_walk_gives_what_the_article_says_again_and_again(tmp_path: Path) -> None:
    arguments = ("demo", "--once", "--data-dir", str(tmp_path / "data"), "--port", "0")
    first = run_ledger(*arguments)
    assert first.returncode == 0, first.stdout + first.stderr
    assert '"handle": "birthday-reward"' in first.stdout
    assert '"reward_balance": 10' in first.stdout
    assert '"reward_balance": 0' in first.stdout
    assert '"redemption_share": 10' in first.stdout
    assert "RedemptionMade" in first.stdout.partition("The Kafka records behind it")[2]
    assert "Every step gave what the article says" in first.stdout
    assert "Traceback" not in first.stderr

    second = run_ledger(*arguments)
    assert second.returncode == 0, second.stdout + second.stderr
    assert "An earlier run has defined 'birthday-reward' already" in second.stdout
    assert '"external_id": "91040123233312"' in second.stdout


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    """A ledger that the demo has filled, running again."""
    folder = tmp_path_factory.mktemp("filled")
    done = _fill(folder / "data")
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"Demo data: {PROFILES} profiles" in done.stdout
    assert "Read models: caught up with every event" in done.stdout
    assert "Every step gave what the article says" in done.stdout
    assert "Traceback" not in done.stderr
    with running(folder) as found:
        yield found


def _fill(folder: Path, *more: str) -> Any:
    arguments = ("--data", str(PROFILES), "--seed", str(SEED), "--once", *more)
    return run_ledger("demo", *arguments, "--data-dir", str(folder), "--port", "0")


def test_every_balance_is_the_fold_of_the_log(filled: Up) -> None:
    accounts = asyncio.run(_accounts(filled))
    profiles = {
        str(step.fields["profile_id"])
        for step in plan(SEED, PROFILES, datetime.now(UTC))
        if step.kind.__name__ == "RegisterProfile"
    }
    assert profiles <= set(accounts)
    for profile in profiles:
        account = fold(decode(*each) for each in accounts[profile])
        if account.merged_into is None:
            minor = account.available_minor(datetime.now(UTC))
            assert Decimal(str(filled.balance(profile))) == from_minor(minor), profile


def test_the_ledgers_own_checks_hold_on_demo_data(filled: Up) -> None:
    folder = ("--data-dir", str(filled.data_dir))
    doctor = run_ledger("doctor", *folder, "--json")
    assert doctor.returncode == 0, doctor.stdout
    for name in READ_MODELS:
        compared = run_ledger("read-models", "rebuild", name, "--compare-only", *folder)
        assert compared.returncode == 0, compared.stdout + compared.stderr


def test_demo_data_are_recorded_now_and_happened_then(filled: Up) -> None:
    statement = (
        "SELECT min(occurred_at) AS first, max(occurred_at) AS last, min(recorded_at) AS recorded"
        " FROM ledger.events WHERE actor = ANY($1)"
    )
    (row,) = asyncio.run(_rows(filled, statement, list(CLIENTS)))
    assert (row["last"] - row["first"]).days >= 725
    assert row["last"] <= row["recorded"]


def test_demo_data_are_not_filled_into_a_ledger_that_serves(filled: Up) -> None:
    done = _fill(filled.data_dir)
    assert done.returncode == 1
    assert "Another process carries this ledger's events on" in done.stderr


def test_filled_again_nothing_is_doubled_and_another_size_is_refused(filled: Up) -> None:
    statement = "SELECT count(*) FROM ledger.events WHERE actor = ANY($1)"
    ((before,),) = asyncio.run(_rows(filled, statement, list(CLIENTS)))
    filled.stop()
    again = _fill(filled.data_dir)
    assert again.returncode == 0, again.stdout + again.stderr
    assert "none is written twice" in again.stdout
    other = _fill(filled.data_dir, "--data", str(PROFILES + 1))
    assert other.returncode == 1
    assert "a demo programme of another size or seed" in other.stderr
    filled.start()
    ((after,),) = asyncio.run(_rows(filled, statement, list(CLIENTS)))
    assert after == before


async def _accounts(up: Up) -> dict[str, list[tuple[str, int, bytes]]]:
    accounts: dict[str, list[tuple[str, int, bytes]]] = defaultdict(list)
    statement = (
        "SELECT stream_id, type, schema_version, payload FROM ledger.events"
        " WHERE stream_id LIKE 'account-%' ORDER BY position"
    )
    for row in await _rows(up, statement):
        accounts[row[0].removeprefix("account-")].append((row[1], row[2], row[3]))
    return accounts


async def _rows(up: Up, statement: str, *values: Any) -> list[Any]:
    connection = await asyncpg.connect(up.ready["database_url"])
    try:
        return list(await connection.fetch(statement, *values))
    finally:
        await connection.close()
