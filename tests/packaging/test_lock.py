"""The lock has everything the project asks for, each package with its hashes."""

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
LOCK = (ROOT / "requirements.lock").read_text(encoding="utf-8")


def normal(requirement: str) -> str:
    name = re.match(r"[A-Za-z0-9._-]+", requirement)
    assert name is not None
    return re.sub(r"[-_.]+", "-", name[0]).lower()


def test_every_requirement_is_locked() -> None:
    wanted = {
        normal(requirement)
        for requirements in (PROJECT["dependencies"], *PROJECT["optional-dependencies"].values())
        for requirement in requirements
    }
    locked = {normal(line) for line in LOCK.splitlines() if "==" in line and line[0].isalpha()}
    assert wanted - locked == set(), (
        "uv pip compile pyproject.toml --all-extras --generate-hashes --universal --no-header "
        "-o requirements.lock"
    )


def test_every_locked_package_has_a_hash() -> None:
    packages = re.split(r"\n(?=[a-z0-9])", LOCK.strip(), flags=re.IGNORECASE)
    assert all("--hash=sha256:" in package for package in packages)
    assert not re.search(r"^\s*--(index|extra-index|find-links)", LOCK, re.MULTILINE)
