"""Profiles: whom value belongs to."""

from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator, Field

from schemas.events import Event

PROFILE_ID_PATTERN = r"^[A-Za-z0-9._~-]{1,64}$"
_UUID_LENGTH = 36


def _canonical(profile_id: str) -> str:
    """A UUID means the same profile in either case; any other id is kept as it came."""
    is_uuid = len(profile_id) == _UUID_LENGTH and profile_id.count("-") == 4
    return profile_id.lower() if is_uuid else profile_id


ProfileId = Annotated[str, Field(pattern=PROFILE_ID_PATTERN), AfterValidator(_canonical)]


class ProfileRegistered(Event):
    """The account exists from now on."""

    EXAMPLE: ClassVar[dict[str, Any]] = {"profile_id": "8f3c2b1e-0000-4000-8000-000000000001"}

    profile_id: str
