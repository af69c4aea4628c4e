"""`ledger import rewards`: what whoever runs it meets, also when it is killed in the middle."""

import asyncio
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from command_line.ledger_command import LEDGER, Up, environment, run_ledger

HEAD = "PROFILE_ID,REWARD_DEFINITION_HANDLE,VALUE_INITIAL"
ROWS = 20_000
SECONDS_MAX = 90


def written(file: Path, *rows: str) -> Path:
    file.write_text("\n".join((HEAD, *rows, "")))
    return file


def bring_in(up: Up, file: Path, *options: str) -> "subprocess.CompletedProcess[str]":
    return run_ledger("import", "rewards", str(file), "--data-dir", str(up.data_dir), *options)


def rewards_of(up: Up, prefix: str) -> int:
    """How many rewards of profiles with this prefix the log holds."""

    async def counted() -> Any:
        connection = await asyncpg.connect(up.ready["database_url"])
        try:
            return await connection.fetchval(
                "SELECT count(*) FROM ledger.events"
                " WHERE type = 'RewardIssued' AND starts_with(stream_id, $1)",
                f"account-{prefix}",
            )
        finally:
            await connection.close()

    return int(asyncio.run(counted()))


@pytest.fixture(autouse=True)
def definition(up: Up) -> None:
    up.issue("p-known")


def test_a_dry_run_writes_nothing_and_says_what_would_be(up: Up, tmp_path: Path) -> None:
    file = written(tmp_path / "rewards.csv", "dry-1,birthday,5.50", "dry-2,birthday,")
    done = bring_in(up, file, "--dry-run", "--create-profiles")
    assert done.returncode == 0, done.stderr
    assert "2 rows: 2 good, 0 rejected." in done.stdout
    assert "2 rewards, 15.5 AUD to spend" in done.stdout
    assert rewards_of(up, "dry-") == 0
    assert not (tmp_path / "rewards.errors.csv").exists()


def test_rejected_rows_are_corrected_and_fed_back(up: Up, tmp_path: Path) -> None:
    file = written(tmp_path / "r.csv", "fed-1,birthday,5", "fed-2,birthday,five", "p-known,,1")
    done = bring_in(up, file, "--yes", "--create-profiles")
    assert done.returncode == 1, done.stderr
    assert "1 rewards are written." in done.stdout
    assert "line 3: VALUE_INITIAL: Give a plain decimal" in done.stdout
    errors = tmp_path / "r.errors.csv"
    assert errors.stat().st_mode & 0o077 == 0
    errors.write_text(errors.read_text().replace("five", "5").replace("known,,", "known,birthday,"))
    again = bring_in(up, errors, "--yes", "--create-profiles")
    assert again.returncode == 0, again.stdout
    assert rewards_of(up, "fed-") == 2


def test_what_was_rejected_before_is_removed_when_nothing_is_any_more(
    up: Up, tmp_path: Path
) -> None:
    file, errors = tmp_path / "r.csv", tmp_path / "r.errors.csv"
    assert bring_in(up, written(file, "gone-1,birthday,five"), "--dry-run").returncode == 1
    assert errors.exists()
    good = written(file, "gone-1,birthday,5")
    done = bring_in(up, good, "--dry-run", "--create-profiles")
    assert done.returncode == 0, done.stderr
    assert "no row is rejected any more" in done.stdout
    assert not errors.exists()
    errors.write_text("a file of somebody's own\n")
    assert bring_in(up, good, "--dry-run", "--create-profiles").returncode == 0
    assert errors.exists()


def test_nothing_is_written_where_nobody_says_yes(up: Up, tmp_path: Path) -> None:
    file = written(tmp_path / "r.csv", "asked-1,birthday,5")
    done = bring_in(up, file, "--create-profiles")
    assert done.returncode == 2
    assert "Say --yes" in done.stderr
    assert rewards_of(up, "asked-") == 0


@pytest.mark.parametrize("content", ["", "NAME\nx\n", "PROFILE_ID\nx\n", "PK\x03\x04"])
def test_a_file_that_is_none_ends_with_2_and_one_line(content: str, up: Up, tmp_path: Path) -> None:
    file = tmp_path / "r.csv"
    file.write_text(content)
    done = bring_in(up, file, "--yes")
    assert done.returncode == 2
    assert done.stderr.startswith("ledger: ")
    assert "Traceback" not in done.stderr


def test_a_file_that_is_not_there_ends_with_2(up: Up, tmp_path: Path) -> None:
    assert bring_in(up, tmp_path / "none.csv").returncode == 2


def settled_at(up: Up, prefix: str) -> int:
    """The same, once what a killed process had sent is committed or given up."""
    before, now = -1, rewards_of(up, prefix)
    while now != before:
        time.sleep(0.5)
        before, now = now, rewards_of(up, prefix)
    return now


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_cut_off_in_the_middle_it_goes_on_and_doubles_nothing(
    number: int, up: Up, tmp_path: Path
) -> None:
    prefix = f"cut{number:d}"
    rows = (f"{prefix}-{n % 2_000},birthday,1" for n in range(ROWS))
    file = written(tmp_path / "large.csv", *rows)
    arguments = ["import", "rewards", str(file), "--yes", "--create-profiles"]
    process = subprocess.Popen(
        [LEDGER, *arguments, "--data-dir", str(up.data_dir)],
        env=environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + SECONDS_MAX
    while not rewards_of(up, f"{prefix}-"):
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.05)
    process.send_signal(number)
    _, said = process.communicate(timeout=SECONDS_MAX)
    assert process.returncode not in (0, 1, 2)
    assert "Traceback" not in said
    before = settled_at(up, f"{prefix}-")
    assert 0 < before < ROWS
    done = bring_in(up, file, "--yes", "--create-profiles")
    assert done.returncode == 0, done.stderr
    assert f"{before} written before" in done.stdout
    assert rewards_of(up, f"{prefix}-") == ROWS
