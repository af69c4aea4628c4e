"""What the pages say is there: paths, links, commands, settings, routes, numbers."""

import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import typer.main

from api.app import create_app
from app.cli.commands import ledger
from app.settings import PREFIX, Settings
from ledger.transactions.shares import shares

ROOT = Path(__file__).parents[2]
PAGES = {
    path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8")
    for path in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("tests/**/*.md")]
}
FOLDERS = sorted(path.name for path in ROOT.iterdir() if path.is_dir())
LINK = re.compile(r"\]\(([^)#\s]+)(?:#([^)\s]*))?\)")
FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"`([^`\n]+)`")
BASE = "/api/v3"
TRANSACTIONS = PAGES["docs/transactions.md"]


def shape(path: str) -> str:
    """A path with every name in braces alike."""
    return re.sub(r"\{[^}]*\}", "{}", path)


def routes() -> set[tuple[str, str]]:
    nothing: Any = SimpleNamespace(health=None)
    app = create_app(nothing)
    found = set()
    for route in app.routes:
        for method in getattr(route, "methods", None) or ():
            found.add((method, shape(getattr(route, "path", "")).removeprefix(BASE)))
    for path, methods in app.openapi()["paths"].items():
        found |= {(method.upper(), shape(path).removeprefix(BASE)) for method in methods}
    return found


def commands_in(page: str) -> list[str]:
    """What a reader may type: code in a line, and indented lines."""
    return [*CODE.findall(page), *re.findall(r"^ {4}.*", page, re.MULTILINE)]


@pytest.mark.parametrize("name", sorted(PAGES))
def test_every_relative_link_leads_to_a_file(name: str) -> None:
    for target, _ in LINK.findall(PAGES[name]):
        if "://" not in target:
            assert (ROOT / name).parent.joinpath(target).resolve().exists(), target


@pytest.mark.parametrize("name", sorted(PAGES))
def test_every_path_of_the_project_exists(name: str) -> None:
    folders = "|".join(FOLDERS)
    for code in CODE.findall(FENCE.sub("", PAGES[name])):
        for path in re.findall(rf"^(?:{folders})/[\w./-]*", code):
            assert (ROOT / path).exists(), path


@pytest.mark.parametrize("name", sorted(PAGES))
def test_every_setting_is_one(name: str) -> None:
    known = {f"{PREFIX}{field.upper()}" for field in Settings.model_fields}
    named = set(re.findall(rf"\b{PREFIX}(?!TEST_)[A-Z_]*[A-Z]\b", PAGES[name]))
    assert named <= known


@pytest.mark.parametrize("name", sorted(PAGES))
def test_every_command_of_ours_exists(name: str) -> None:
    commands: Any = typer.main.get_command(ledger)
    for code in commands_in(PAGES[name]):
        found = re.search(r"(?:^|[ /])ledger ([a-z-]+)(?: ([a-z-]+))?", code)
        if found:
            assert found[1] in commands.commands, code
            inner = getattr(commands.commands[found[1]], "commands", None)
            assert inner is None or found[2] in inner, code


@pytest.mark.parametrize("name", sorted(PAGES))
def test_every_target_of_make_exists(name: str) -> None:
    targets = re.findall(r"^([a-z]+(?: [a-z]+)*):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    known = {target for line in targets for target in line.split()}
    for code in commands_in(PAGES[name]):
        assert set(re.findall(r"(?:^|\s)make ([a-z]+)\b", code)) <= known, code


@pytest.mark.parametrize("name", sorted(PAGES))
def test_every_request_has_a_route(name: str) -> None:
    known = routes()
    for method, path in re.findall(r"\b(GET|POST|PUT|DELETE) (/[\w/{}.-]+)", PAGES[name]):
        assert (method, shape(path.removeprefix(BASE))) in known, f"{method} {path}"


def test_the_example_of_shares_is_what_the_ledger_gives() -> None:
    rows = re.findall(r"^\| \d \| (\d+) \| \d+ \| (\d+) \|$", TRANSACTIONS, re.MULTILINE)
    weights = [int(weight) for weight, _ in rows]
    assert weights == [65, 115, 25, 45]
    by_line = shares(5_000, weights).by_line
    assert [share / 100 for share in by_line] == [int(share) for _, share in rows] == [13, 23, 5, 9]
