"""The commands of the Makefile, as far as they can be seen without running them."""

import os
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]


def told(target: str, **variables: str) -> str:
    """What make would run for a target, from the start."""
    kept = {name: value for name, value in os.environ.items() if name not in ("CI", "MAKEFLAGS")}
    return subprocess.run(
        ["make", "--dry-run", "--always-make", target],
        cwd=ROOT,
        env=kept | variables,
        capture_output=True,
        text=True,
        check=True,
    ).stdout


def test_a_person_sees_how_far_the_setup_is_and_a_log_stays_short() -> None:
    shown, logged = told(".venv/.ready"), told(".venv/.ready", CI="true")
    assert shown.count("pip install") == logged.count("pip install") == 2
    assert "--quiet" not in shown
    assert logged.count("--quiet") == 2
    assert "--require-hashes -r requirements.lock" in shown


def test_each_command_sets_itself_up_first() -> None:
    for command in ("demo", "test", "lint", "bench"):
        assert told(command).index("--require-hashes") < told(command).index(".venv/bin/", 200)
