"""Registrations: what is known of a profile beside its value, and whether it is open.

Names, addresses and whatever else is personal stand sealed in the events, never in clear.
"""

from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, model_validator

from schemas.commands import Command, Name, Searched, Text
from schemas.events import Event
from schemas.json_values import JsonObject
from schemas.profiles import ProfileId

TAGS_MAX = 100
ProfileType = Literal["active", "dependant", "incomplete", "pending", "system", "temporary"]
"""What kind of profile it is: a label. `deleted` is a state and no kind; see `DeleteProfile`."""

Tags = Annotated[tuple[Name, ...], Field(max_length=TAGS_MAX)]


class PersonalDetails(Command):
    """What is personal in a profile."""

    PERSONAL: ClassVar[frozenset[str]] = frozenset(
        {
            "title",
            "first_name",
            "last_name",
            "email",
            "mobile_phone",
            "phone",
            "birth_date",
            "gender",
            "address",
            "meta",
            "custom_fields",
        }
    )
    SEARCHED: ClassVar[dict[str, Searched]] = {
        "first_name": "name",
        "last_name": "name",
        "email": "email",
        "mobile_phone": "phone",
        "phone": "phone",
    }

    title: Name | None = None
    first_name: Name | None = None
    last_name: Name | None = None
    email: Name | None = None
    mobile_phone: Name | None = None
    phone: Name | None = None
    birth_date: Name | None = None
    gender: Name | None = None
    address: JsonObject | None = None
    meta: JsonObject | None = None
    custom_fields: JsonObject | None = None


class RegisterProfile(PersonalDetails):
    """Make a profile known before its first reward or sale."""

    profile_id: ProfileId
    type: ProfileType = "active"
    tags: Tags = ()


class ProfileChanges(PersonalDetails):
    """What of a profile is to be as told here; what is left out stays, null takes away."""

    NULL_SAYS_MORE: ClassVar[frozenset[str]] = PersonalDetails.PERSONAL

    type: ProfileType | None = None
    tags: Tags | None = None

    @model_validator(mode="after")
    def _something(self) -> Self:
        if not self.model_fields_set - {"profile_id"}:
            raise ValueError("Give at least one field to change.")
        return self


class ChangeProfile(ProfileChanges):
    """Change what is known of a profile."""

    profile_id: ProfileId


class DeleteProfile(Command):
    """Close a profile: it gives and takes nothing any more, until it is restored."""

    PERSONAL: ClassVar[frozenset[str]] = frozenset({"reason"})

    profile_id: ProfileId
    reason: Text | None = None


class RestoreProfile(Command):
    """Open a deleted profile again."""

    profile_id: ProfileId


class ProfileChanged(Event):
    """What is known of a profile is another. `replaced` names the personal fields that were told:
    those without a new value are gone."""

    EXAMPLE: ClassVar[dict[str, Any]] = {
        "profile_id": "p-1",
        "type": "active",
        "tags": ["vip"],
        "replaced": ["first_name"],
    }

    profile_id: str
    type: ProfileType
    tags: tuple[str, ...] = ()
    replaced: tuple[str, ...] = ()


class ProfileDeleted(Event):
    """The profile is closed: its value stays, and nobody can use it."""

    EXAMPLE: ClassVar[dict[str, Any]] = {"profile_id": "p-1"}

    profile_id: str


class ProfileRestored(Event):
    """The profile is open again."""

    EXAMPLE: ClassVar[dict[str, Any]] = {"profile_id": "p-1"}

    profile_id: str
