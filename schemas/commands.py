"""What every command shares. A command may be refused; nothing is written then."""

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

from pydantic import BaseModel, ConfigDict

from schemas.amounts import PlainText

Text = Annotated[str, PlainText(max_length=10_000)]
"""Any text of a sender's: bounded, and storable everywhere."""

Title = Annotated[str, PlainText(max_length=10_000, min_length=1)]
"""What people call something: any text but an empty one."""

Name = Annotated[str, PlainText(max_length=255, min_length=1)]
"""A sender's own name for something: unique, so short enough for any index."""

Searched = Literal["name", "email", "phone", "identity"]
"""How a personal field is looked for."""


class Command(BaseModel):
    """A request to change something. Unknown fields are refused, never silently dropped."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    NULL_SAYS_MORE: ClassVar[frozenset[str]] = frozenset()
    """Fields where null and nothing are different requests."""

    PERSONAL: ClassVar[frozenset[str]] = frozenset()
    """Fields that are personal, as dotted paths with `*` for the entries of a list.

    They are sealed under a key of the profile's own before the command goes anywhere; no decision
    sees them (`schemas/personal.py`).
    """

    SEARCHED: ClassVar[Mapping[str, Searched]] = {}
    """Which personal fields a profile is found by, each with its kind."""
