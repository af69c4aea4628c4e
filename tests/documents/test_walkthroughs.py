"""The commands of a page, run by a shell in the page's order; each answer has what it shows."""

import asyncio
import json
import os
import re
import shutil
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from http_api.ledger_client import Api

from api.app import create_app
from app.http_server import HttpServer, listen, url_of

DOCS = Path(__file__).parents[2] / "docs"
PAGES = {
    "getting-started.md": 7,
    "guide/till.md": 7,
    "guide/web-shop.md": 9,
    "guide/returns-desk.md": 11,
}
"""Pages with commands, and how many answers each shows."""
BLOCK = re.compile(r"^```(sh|json)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SHELL = ("bash", "-euc")


@pytest.fixture
async def url(api: Api) -> AsyncIterator[str]:
    """The API behind a port, as a shell's commands need it."""
    listening = listen("127.0.0.1", 0)
    server = HttpServer(create_app(api.services), listening, 5)
    running = asyncio.create_task(server.run())
    yield f"{url_of(listening)}/api/v3"
    await server.stop()
    await running


async def run(script: str, variables: dict[str, str]) -> tuple[str, dict[str, str]]:
    """What a block prints, and the variables it leaves."""
    marker = "\n---variables---\n"
    process = await asyncio.create_subprocess_exec(
        *SHELL,
        f"set -a\n{script}\nprintf '{marker}'\nenv -0",
        env={**os.environ, **variables, "NO_PROXY": "127.0.0.1"},
        stdout=asyncio.subprocess.PIPE,
    )
    printed, _ = await process.communicate()
    assert process.returncode == 0, script
    text, _, left = printed.decode().partition(marker)
    found = dict(line.split("=", 1) for line in left.split("\0") if "=" in line)
    return text, {name: found[name] for name in found if name.isupper() and f"{name}=" in script}


def assert_shown(shown: Any, found: Any, where: str) -> None:
    """The page may leave fields out; those it shows are as they are."""
    if isinstance(shown, dict):
        for name, value in shown.items():
            assert name in found, f"{where}.{name} is missing"
            assert_shown(value, found[name], f"{where}.{name}")
    elif isinstance(shown, list):
        assert len(shown) == len(found), where
        for index, (one, other) in enumerate(zip(shown, found, strict=True)):
            assert_shown(one, other, f"{where}[{index}]")
    else:
        assert shown == found, where


@pytest.mark.skipif(
    not (shutil.which("curl") and shutil.which("bash")) and not os.environ.get("CI"),
    reason="needs bash and curl",
)
@pytest.mark.skipif(sys.platform == "win32", reason="needs a Unix shell")
@pytest.mark.parametrize("page", PAGES)
async def test_every_command_gives_what_the_page_shows(api: Api, url: str, page: str) -> None:
    api.clock.now = datetime.now(UTC)
    variables: dict[str, str] = {}
    answer: Any = None
    compared = 0
    for kind, block in BLOCK.findall((DOCS / page).read_text("utf-8")):
        if kind == "json":
            assert_shown(json.loads(block), answer, "the answer")
            compared += 1
            continue
        printed, left = await run(block, variables)
        variables |= left
        if printed:
            answer = json.loads(printed)
        # What the reader is asked to note down is the id of the answer before.
        noted = re.fullmatch(r"([A-Z]+)=[0-9]+\n", block)
        if noted:
            variables[noted[1]] = str(answer["data"]["id"])
        if "URL" in left:
            variables |= {"URL": url, "TOKEN": api.token}
    assert compared == PAGES[page]
