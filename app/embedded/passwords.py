"""Random passwords of the database roles, kept beside the data and readable by its owner only."""

import json
import os
import re
import secrets
from dataclasses import asdict, dataclass
from pathlib import Path

from app.embedded.errors import EmbeddedServerError

# No character that would need quoting in SQL or escaping in a URL.
SHAPE = re.compile(r"[A-Za-z0-9_-]{16,200}")


@dataclass(frozen=True)
class Passwords:
    """One password per role; the superuser's is used by this package alone."""

    superuser: str
    owner: str
    application: str


def passwords(folder: Path, *, first_start: bool) -> Passwords:
    """The directory's passwords; made at the first start, and only then."""
    file = folder / "secrets" / "postgres.json"
    if not file.exists() and first_start:
        _write(file)
    try:
        stored = Passwords(**json.loads(file.read_text()))
    except (OSError, ValueError, TypeError) as cause:
        raise _unusable(file, str(cause)) from cause
    if not all(isinstance(word, str) and SHAPE.fullmatch(word) for word in asdict(stored).values()):
        raise _unusable(file, "a password is missing or has a forbidden character")
    return stored


def refused(folder: Path) -> EmbeddedServerError:
    """The server is up, but does not know the stored password."""
    return _unusable(folder / "secrets" / "postgres.json", "the server refuses its password")


def _write(file: Path) -> None:
    file.parent.mkdir(mode=0o700, exist_ok=True)
    made = Passwords(*(secrets.token_urlsafe(24) for _ in range(3)))
    partial = file.with_suffix(".new")
    partial.unlink(missing_ok=True)
    with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
        json.dump(asdict(made), out)
    partial.replace(file)


def _unusable(file: Path, why: str) -> EmbeddedServerError:
    return EmbeddedServerError(
        "secrets_unusable",
        f"The passwords of this database are not usable: {file}: {why}. Restore that file from a"
        f" backup; or, if the data may go, delete {file.parent.parent} and start anew.",
    )
