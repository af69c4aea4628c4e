"""An import of a file of rewards, beside a bare COPY of the same rows."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import asyncpg
from pydantic import SecretStr

from app.importing import import_ledger
from app.settings import Settings
from app.wiring import now, programme_settings
from benchmarks.deployment import Deployment
from benchmarks.results import Result
from ledger.imports.checking import Check, Rules
from ledger.imports.csv_lines import CsvLines, Line, digest_of
from ledger.imports.reward_rows import RewardRows
from ledger.imports.run import FileOfRows
from ledger.imports.writing import Sender, Writing
from ledger.submission import Submission
from schemas.reward_definitions import AddRewardDefinition

ROWS_A_SECOND = 10_000
"""So many rows are made for each second the load is to last."""
_HEAD = (
    "PROFILE_ID,VALUE_REMAINING,VALUE_INITIAL,TIMEZONE,ISSUED_AT,REWARD_DEFINITION_HANDLE,"
    "HAS_NOTIFIED_ISSUE,HAS_NOTIFIED_EXPIRY,EXPIRES_AT"
)
_TABLE = """CREATE TABLE bench_import (profile_id text, value_remaining text, value_initial text,
timezone text, issued_at text, handle text, told_issue text, told_expiry text, expires_at text)"""


def run(at: Deployment, seconds: float) -> list[Result]:
    """One reward for each of many new profiles: check, write, and go over it once more."""
    rows = max(1_000, int(ROWS_A_SECOND * seconds))
    file = at.folder / "import.csv"
    _make(file, rows)
    return asyncio.run(_run(at, file, rows))


async def _run(at: Deployment, file: Path, rows: int) -> list[Result]:
    copied = await _rate(rows, lambda: _copy(at, file))
    settings = Settings(database_url=SecretStr(at.database_url), data_dir=at.folder / "data")
    async with import_ledger(settings) as ledger:
        definition = {"name": "B", "handle": "bench", "value": 1, "type": "bench", "period": 30}
        added = AddRewardDefinition.model_validate(definition)
        await ledger.lanes[0].submit(Submission(added, "bench", "bench"))
        rules = Rules(now, programme_settings(settings), create_profiles=True)
        check = Check(ledger.store, ledger.profiles, rules, _refuse)
        checked = await _rate(rows, lambda: check.run(_file(file)))
        lanes = [each.submit_all for each in ledger.lanes]
        sender = Sender("bench", ledger.vault.fingerprint_key)

        def writing() -> Writing:
            return Writing(ledger.store, ledger.profiles, lanes, sender, _refuse)

        first, again = writing(), writing()
        written = await _rate(rows, lambda: first.run(_file(file), ()))
        passed_over = await _rate(rows, lambda: again.run(_file(file), ()))
    assert (first.tally.good, again.tally.done_before) == (rows, rows)
    beside = f"bare COPY {copied:,.0f}/s"
    goal = "≥ 10,000"
    return [
        Result("import, rows checked", f"{checked:,.0f}/s", beside, checked / copied),
        Result("import, rewards written", f"{written:,.0f}/s", beside, written / copied, goal),
        Result("import, the same again", f"{passed_over:,.0f}/s", beside, passed_over / copied),
    ]


async def _rate(rows: int, work: Callable[[], Awaitable[None]]) -> float:
    start = time.perf_counter()
    await work()
    return rows / (time.perf_counter() - start)


async def _copy(at: Deployment, file: Path) -> None:
    connection = await asyncpg.connect(at.owner_database_url)
    try:
        await connection.execute(_TABLE)
        with file.open("rb") as source:
            await connection.copy_to_table("bench_import", source=source, format="csv", header=True)
    finally:
        await connection.close()


def _file(path: Path) -> FileOfRows:
    opened = path.open("rb")
    return FileOfRows(digest_of(opened), RewardRows(CsvLines(opened)))


def _make(path: Path, rows: int) -> None:
    with path.open("w") as file:
        print(_HEAD, file=file)
        for number in range(rows):
            month, day = 1 + number % 9, 1 + number % 28
            print(
                f"i-{number},7.50,10,Australia/Melbourne,2026-{month:02}-01,bench,1,0,"
                f"2036-01-{day:02}",
                file=file,
            )


def _refuse(line: Line, why: str) -> None:
    raise AssertionError(f"line {line.number}: {why}")
