"""The one error of this room: what is wrong with a server, and how to mend it."""

from pathlib import Path

LOG_LINES_QUOTED_MAX = 15
LOG_BYTES_READ_MAX = 16_384


class EmbeddedServerError(Exception):
    """An embedded server could not be had; `code` is stable, `message` says how to mend it."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def last_lines(log: Path) -> str:
    """The end of a server's log, ready to stand under an error message; empty without a log."""
    try:
        with log.open("rb") as file:
            file.seek(0, 2)
            file.seek(max(0, file.tell() - LOG_BYTES_READ_MAX))
            text = file.read().decode(errors="replace")
    except OSError:
        return ""
    lines = text.splitlines()[-LOG_LINES_QUOTED_MAX:]
    return "\n".join((f"\nThe last lines of {log}:", *(f"  {line}" for line in lines)))


def unwritable(path: Path, cause: OSError) -> EmbeddedServerError:
    """A folder or file we need to write is refused by the system."""
    return EmbeddedServerError(
        "unwritable",
        f"{cause.filename or path} cannot be written ({cause.strerror or cause}). Free some disk"
        " space, give this user the right to write there, or choose another folder.",
    )
