"""Personal data of a profile: erased by destroying the keys that open it."""

from typing import Any, ClassVar
from uuid import UUID

from schemas.commands import Command
from schemas.events import Event
from schemas.profiles import ProfileId


class ErasePersonalData(Command):
    """Make unreadable, everywhere and for good, all that is personal of a profile so far.

    Its balance, its history and what comes later are untouched.
    """

    profile_id: ProfileId


class PersonalDataErased(Event):
    """All that these keys open is unreadable from now on, wherever a copy of it is."""

    EXAMPLE: ClassVar[dict[str, Any]] = {
        "erasure_id": 31,
        "profile_id": "p-1",
        "keys": ["3d5e0d3c-7c1e-4f0a-9a51-0d8f6f1b2c4d"],
    }

    erasure_id: int
    profile_id: str
    keys: tuple[UUID, ...]
