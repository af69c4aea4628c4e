"""The pictures of the console in `docs/images`, from the demo's data: `make screenshots`."""

import asyncio
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))
from command_line.ledger_command import LEDGER, Up, environment, running
from in_browser.browsing import Visitor, browsing

IMAGES = Path(__file__).parents[2] / "docs" / "images"
PROFILES = 200
WIDE, NARROW = {"width": 1280, "height": 960}, {"width": 390, "height": 844}


def main() -> None:
    """Fill a ledger, start it, go round with a camera."""
    with tempfile.TemporaryDirectory(prefix="ledger-pictures-") as folder:
        data = Path(folder) / "data"
        subprocess.run(
            [LEDGER, "demo", "--data", str(PROFILES), "--once", "--data-dir", data],
            env=environment(),
            check=True,
        )
        with running(Path(folder)) as up:
            asyncio.run(_round(up))


async def _round(up: Up) -> None:
    IMAGES.mkdir(exist_ok=True)
    profile = _busiest(up)
    pictures: dict[str, tuple[str, dict[str, Any]]] = {
        "profile": (f"/profiles/{profile}", {"viewport": WIDE}),
        "profile-dark": (f"/profiles/{profile}", {"viewport": NARROW, "color_scheme": "dark"}),
        "why": (f"/profiles/{profile}/why", {"viewport": WIDE}),
        "programme": ("/programme", {"viewport": WIDE}),
        "operations": ("/operations", {"viewport": WIDE}),
    }
    async with browsing() as browser:
        for name, (path, options) in pictures.items():
            visitor = await Visitor.arrive(browser, up.ready["url"], **options)
            await visitor.sign_in(up.ready["token"])
            await visitor.go(path)
            await visitor.page.wait_for_load_state("load")
            await visitor.page.wait_for_timeout(1_500)
            await visitor.page.screenshot(path=IMAGES / f"{name}.png")
            await visitor.context.close()


def _busiest(up: Up) -> str:
    """A profile with much to see: something to spend, and a long story."""
    found = up.request("GET", "/api/v3/profiles?page[size]=60").json()["data"]

    def much(profile: dict[str, Any]) -> tuple[bool, int]:
        path = f"/api/v3/profiles/{profile['id']}/history?page[size]=1"
        meta = up.request("GET", path).json()["meta"]
        return meta["balance"] > 0, meta["total"]

    return str(max(found, key=much)["id"])


if __name__ == "__main__":
    main()
