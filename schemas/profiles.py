"""Profiles: whom value belongs to."""

import re
from typing import Annotated, Any, ClassVar, Self

from pydantic import AfterValidator, Field, ValidationInfo, WithJsonSchema, model_validator

from schemas.amounts import PlainText
from schemas.commands import Command
from schemas.events import Event
from schemas.handover import AccountTakenOver, HandedOver

PROFILE_ID_PATTERN = r"^[A-Za-z0-9._~-]{1,64}$"
_ID = re.compile(PROFILE_ID_PATTERN.removesuffix("$"))
_UUID_LENGTH = 36


def _canonical(profile_id: str) -> str:
    """A UUID means the same profile in either case; any other id is kept as it came."""
    is_uuid = len(profile_id) == _UUID_LENGTH and profile_id.count("-") == 4
    return profile_id.lower() if is_uuid else profile_id


ProfileId = Annotated[str, Field(pattern=PROFILE_ID_PATTERN), AfterValidator(_canonical)]

IdentityHandle = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
"""What kind of identity one is: `email`, `card`, the name of a shop."""


def _named(value: str, told: ValidationInfo) -> str:
    """An id, unless the handle before it says that it is an identifier."""
    if told.data.get("profile_id_handle") is not None:
        return value
    if _ID.fullmatch(value) is None:
        raise ValueError(
            "Give an id: 1 to 64 letters, digits and ._~-; or say in profile_id_handle what it is."
        )
    return _canonical(value)


_AN_ID = {"type": "string", "pattern": PROFILE_ID_PATTERN}
_AN_IDENTIFIER = {"type": "string", "minLength": 1, "maxLength": 255}
ProfileName = Annotated[
    str,
    PlainText(max_length=255, min_length=1),
    AfterValidator(_named),
    WithJsonSchema({"anyOf": [_AN_ID, _AN_IDENTIFIER]}),
]
"""A profile by its id, or by its identity under a handle."""


class NamesProfile(Command):
    """A command that may name its profile by an identity. The edge puts the id in its place."""

    profile_id_handle: IdentityHandle | None = None
    """What `profile_id` is: left out, an id; else the profile's identity under this handle."""

    @model_validator(mode="after")
    def _handle_of_something(self) -> Self:
        if self.profile_id_handle is not None and getattr(self, "profile_id", None) is None:
            raise ValueError("profile_id_handle has a meaning only with profile_id.")
        return self


class ProfileRegistered(Event):
    """The account exists from now on."""

    EXAMPLE: ClassVar[dict[str, Any]] = {"profile_id": "8f3c2b1e-0000-4000-8000-000000000001"}

    profile_id: str
    type: str = "active"
    tags: tuple[str, ...] = ()


class MergeProfiles(Command):
    """Make one profile of two: all that the loser has is the winner's, for good."""

    winner: ProfileId
    loser: ProfileId


class AccountPartHandedOver(HandedOver):
    """A part of what a merged profile leaves, where that is too much for one event."""

    EXAMPLE: ClassVar[dict[str, Any]] = {
        "into": "p-1",
        "rewards": [18],
        "redemptions": [159],
        "movements": [{"lot": 18, "from": "available", "to": "transferred", "amount_minor": 500}],
    }


class ProfileMergedAway(HandedOver):
    """The profile has become another one, and nothing happens on this account any more."""

    EXAMPLE: ClassVar[dict[str, Any]] = AccountPartHandedOver.EXAMPLE


class ProfileMerged(AccountTakenOver):
    """Another profile has become this one. `absorbed` had become that one before."""

    EXAMPLE: ClassVar[dict[str, Any]] = {
        "giver": "p-2",
        "absorbed": ["p-3"],
        "lots": [
            {
                "reward_id": 18,
                "definition_id": 6,
                "definition_version": 1,
                "period": 30,
                "period_type": "days",
                "value_initial_minor": 1000,
                "issued_at": "2026-02-09T23:00:00Z",
                "expires_at": "2027-02-10T01:59:59Z",
                "timezone": "Australia/Melbourne",
                "books": {"available": 500, "redeemed": 500},
            }
        ],
        "redemptions": [
            {
                "redemption_id": 159,
                "taken": [[18, 600]],
                "given_back": {"18": 100},
                "reversible_until": "2026-02-10T00:10:00Z",
                "announced": "91040123233312",
            }
        ],
        "final_records": {"160": 159},
        "announcements": {"91040123233312": [159]},
        "transactions": {"901": True},
        "movements": [
            {"lot": 18, "from": "issued", "to": "available", "amount_minor": 500},
            {"lot": 18, "from": "issued", "to": "redeemed", "amount_minor": 500},
        ],
    }

    absorbed: tuple[str, ...] = ()


class AccountPartTakenOver(AccountTakenOver):
    """More of what a merged profile has brought, where that is too much for one event."""

    EXAMPLE: ClassVar[dict[str, Any]] = {
        name: value for name, value in ProfileMerged.EXAMPLE.items() if name != "absorbed"
    }
