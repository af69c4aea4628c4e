"""What the data directory holds beside the servers' own files: a token, and the ready file."""

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from app.embedded.errors import unwritable


def token_file(data_dir: Path) -> Path:
    """Where `ledger up` keeps its token, readable by its owner only."""
    return data_dir / "secrets" / "token"


def kept_token(data_dir: Path) -> str | None:
    """The token of an earlier start."""
    with suppress(OSError):
        return kept_secret(token_file(data_dir))
    return None


def keep_token(data_dir: Path, token: str) -> None:
    """Write it for the next start and for scripts."""
    keep_secret(token_file(data_dir), token)


def kept_secret(file: Path) -> str | None:
    """What a file of one line keeps; None where there is no such file."""
    with suppress(FileNotFoundError, NotADirectoryError):
        return file.read_text().strip() or None
    return None


def keep_secret(file: Path, secret: str) -> None:
    """Write it, for its owner's eyes only."""
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _write_whole(file, secret + "\n")
    except OSError as error:
        raise unwritable(file, error) from error


def keep_first(file: Path, secret: str) -> str:
    """Write it unless somebody else has by now; what the file keeps then, for good."""
    partial = file.with_name(f".{file.name}.first.{os.getpid()}")
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _write_whole(partial, secret + "\n")
        with suppress(FileExistsError):
            os.link(partial, file)
        partial.unlink()
        return file.read_text().strip()
    except OSError as error:
        raise unwritable(file, error) from error


def write_ready_file(file: Path, ready: Mapping[str, Any]) -> None:
    """Whole or not at all: whoever waits for the file never reads half of it."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        _write_whole(file, json.dumps(ready, indent=2) + "\n")
    except OSError as error:
        raise unwritable(file, error) from error


def remove_ready_file(file: Path) -> None:
    """Nothing is ready any more."""
    with suppress(OSError):
        file.unlink(missing_ok=True)


def _write_whole(file: Path, text: str) -> None:
    # It holds a secret, so it is never readable by others, not even for a moment.
    partial = file.with_name(f".{file.name}.{os.getpid()}")
    partial.unlink(missing_ok=True)
    with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
        out.write(text)
    partial.replace(file)
