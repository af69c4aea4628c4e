"""Changes of a transaction: upsert, partial change, a profile that comes late or goes again.

What is left out stays; null takes away what may be missing.
"""

from datetime import datetime
from typing import Any, ClassVar, Final, Self

from pydantic import model_validator

from schemas.amounts import SignedAmount, WholeNumber
from schemas.commands import Command
from schemas.events import Event
from schemas.flags import Flag
from schemas.profiles import NamesProfile, ProfileId, ProfileName
from schemas.times import Moment, ZoneName
from schemas.transactions import (
    PERSONAL_OF_A_SALE,
    Items,
    ItemsFacts,
    Payments,
    PaymentsFacts,
    PersonalDetails,
    SaleDetails,
    Texts,
)

DETAILS: Final = tuple(SaleDetails.model_fields)
CLEARABLE: Final = frozenset(DETAILS) - {"external_id", "source_version"}
"""What null takes away; a name stays, and so does the version."""
LISTS: Final = ("items", "payments", "systems", "tags")


class ChangedFacts(SaleDetails):
    """The fields of a sale, each of which may be left out."""

    items: ItemsFacts | None = None
    payments: PaymentsFacts | None = None
    systems: Texts | None = None
    tags: Texts | None = None


class TransactionChanges(NamesProfile, PersonalDetails, ChangedFacts, Command):
    """What of a transaction is to be as told here. `items` replace the list.

    `profile_id` attaches a transaction that is nobody's, `redemption_id` links one that has none,
    `is_void` voids it for good.
    """

    NULL_SAYS_MORE: ClassVar[frozenset[str]] = CLEARABLE | frozenset(PersonalDetails.model_fields)
    PERSONAL: ClassVar[frozenset[str]] = PERSONAL_OF_A_SALE

    items: Items | None = None
    payments: Payments | None = None
    total: SignedAmount | None = None
    transacted_at: Moment | None = None
    timezone: ZoneName | None = None
    profile_id: ProfileName | None = None
    redemption_id: WholeNumber | None = None
    is_void: Flag | None = None
    keep_redemption: Flag = False
    delete_existing_items: Flag | None = None
    """The list is always replaced by the one given; so this changes nothing."""

    @model_validator(mode="after")
    def _sensible(self) -> Self:
        if self.keep_redemption and not self.is_void:
            raise ValueError("keep_redemption has a meaning only with is_void.")
        return self


class UpsertTransaction(TransactionChanges):
    """Record a transaction, or change the one with this `external_id`, else with this `id`."""

    id: WholeNumber | None = None


class ChangeTransaction(TransactionChanges):
    """Change a transaction that is there."""

    transaction_id: WholeNumber


class UnattachTransaction(Command):
    """The transaction is not this profile's after all."""

    profile_id: ProfileId
    transaction_id: WholeNumber


class TransactionChanged(ChangedFacts, Event):
    """These fields have new values, each whole; the `cleared` ones have none any more."""

    EXAMPLE: ClassVar[dict[str, Any]] = {
        "transaction_id": 900,
        "total_minor": 1200,
        "transacted_at": "2026-02-09T13:05:00Z",
        "tags": ["birthday", "corrected"],
        "cleared": ["tender"],
    }

    transaction_id: int
    total_minor: int | None = None
    transacted_at: datetime | None = None
    timezone: str | None = None
    cleared: tuple[str, ...] = ()

    @property
    def new_values(self) -> dict[str, Any]:
        """The fields of the sale that are different now, by name."""
        told = ((name, getattr(self, name)) for name in (*DETAILS, *LISTS))
        return dict.fromkeys(self.cleared) | {name: v for name, v in told if v is not None}


class RedemptionsSpread(Event):
    """The lines have changed: what its redemptions paid is spread over them anew."""

    EXAMPLE: ClassVar[dict[str, Any]] = {
        "transaction_id": 900,
        "shares_minor": [600, 400],
        "unallocated_minor": 0,
    }

    transaction_id: int
    shares_minor: tuple[int, ...]
    unallocated_minor: int


class TransactionAssigned(Event):
    """A transaction that was nobody's is this profile's from now on."""

    EXAMPLE: ClassVar[dict[str, Any]] = {"transaction_id": 900, "profile_id": "p-1"}

    transaction_id: int
    profile_id: str


class TransactionUnattached(Event):
    """On both streams: the transaction is nobody's again."""

    EXAMPLE: ClassVar[dict[str, Any]] = {"transaction_id": 900, "profile_id": "p-1"}

    transaction_id: int
    profile_id: str


class AttachedTransactionChanged(Event):
    """On the account: a transaction of this profile's is not as it was."""

    EXAMPLE: ClassVar[dict[str, Any]] = {"transaction_id": 900, "total_minor": 1200}

    transaction_id: int
    total_minor: int
