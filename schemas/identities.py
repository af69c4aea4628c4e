"""Identities: what else a profile is known by, such as a card or an e-mail, each under a handle.

Handle and identifier together are one profile's alone. The identifier is personal: it stands sealed
in the events, and is unique by a keyed name that tells nobody what it is.
"""

from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator, Field

from schemas.commands import Command, Name, Searched
from schemas.events import Event
from schemas.flags import Flag
from schemas.profiles import IdentityHandle, ProfileId


def _said(identifier: str) -> str:
    if not identifier.strip():
        raise ValueError("Give more than space: space around an identifier means nothing.")
    return identifier


Identifier = Annotated[Name, AfterValidator(_said)]


class IdentityTerms(Command):
    """An identity, the profile aside. The first of its handle is `is_primary` in any case."""

    PERSONAL: ClassVar[frozenset[str]] = frozenset({"identifier"})
    SEARCHED: ClassVar[dict[str, Searched]] = {"identifier": "identity"}

    handle: IdentityHandle
    identifier: Identifier
    is_primary: Flag = False


class AttachIdentity(IdentityTerms):
    """Let a profile be known by an identity that is nobody's yet."""

    profile_id: ProfileId


class DetachIdentity(Command):
    """An identity is not the profile's any more, and free for another one."""

    profile_id: ProfileId
    identity_id: Annotated[int, Field(ge=1)]


class IdentityAttached(Event):
    """The profile is known by this from now on. `demoted` are no longer primary because of it."""

    EXAMPLE: ClassVar[dict[str, Any]] = {
        "identity_id": 40,
        "handle": "card",
        "is_primary": True,
        "demoted": [39],
    }

    identity_id: int
    handle: str
    is_primary: bool
    demoted: tuple[int, ...] = ()


class IdentityDetached(Event):
    """The profile is not known by this any more."""

    EXAMPLE: ClassVar[dict[str, Any]] = {"identity_id": 40}

    identity_id: int
