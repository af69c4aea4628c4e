"""The benchmarks still run: a part of them, for a fraction of a second."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
SECONDS_MAX = 150


def test_a_part_runs_and_prints_its_table() -> None:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("LEDGER_")}
    ran = subprocess.run(
        [sys.executable, "-m", "benchmarks", "--seconds", "0.2", "--only", "committer"],
        cwd=ROOT,
        env=kept | {"COLUMNS": "160"},
        capture_output=True,
        text=True,
        check=False,
        timeout=SECONDS_MAX,
    )
    assert ran.returncode == 0, ran.stderr
    for line in ("committer, 1,000 profiles", "committer, one profile", "single-row inserts"):
        assert line in ran.stdout, ran.stdout


def test_a_part_there_is_not_is_refused_with_those_there_are() -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "benchmarks", "--only", "nothing"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=SECONDS_MAX,
    )
    assert ran.returncode == 2
    assert "committer" in ran.stderr
