"""The page that lists every setting, made from the settings themselves."""

from pathlib import Path

from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from app.settings import PREFIX, Settings

HEADER = """\
# Settings

Every setting is an environment variable. A value that can't be used ends the program with one line
that says which and why; a variable set to nothing counts as not set.

This page is made by `ledger settings --markdown`.

| Variable | Default | Meaning |
|---|---|---|
"""


def settings_as_markdown() -> str:
    """The whole page."""
    rows = (_row(name, field) for name, field in Settings.model_fields.items())
    return HEADER + "".join(rows)


def _row(name: str, field: FieldInfo) -> str:
    default = field.default
    shown = "" if default in (None, PydanticUndefined) else f"`{_plain(default)}`"
    return f"| `{PREFIX}{name.upper()}` | {shown} | {field.description} |\n"


def _plain(default: object) -> str:
    return default.as_posix() if isinstance(default, Path) else str(default)
