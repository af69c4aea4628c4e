"""Find or install the browser that the console is tested in: `make test` runs this first."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
from in_browser.browsing import HOW_TO_GET_ONE, installed

WAYS = (
    ["apt-get", "update", "-q"],
    ["apt-get", "install", "-y", "-q", "--no-install-recommends", "chromium"],
    [sys.executable, "-m", "playwright", "install", "--only-shell", "chromium"],
)
"""The system's own where we may; else the one that Playwright fetches."""


def main() -> int:
    """Try what there is; 0 when a browser is there."""
    if installed() is not None:
        return 0
    print("Installing Chromium, which the console is tested in", flush=True)
    for command in WAYS:
        if command[0] == "apt-get" and (os.getuid() != 0 or shutil.which("apt-get") is None):
            continue
        subprocess.run(command, check=False, stdin=subprocess.DEVNULL, timeout=600)
        if installed() is not None:
            return 0
    print(HOW_TO_GET_ONE, file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
