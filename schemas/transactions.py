"""Transactions: sales and returns of goods, and the redemptions that paid (article, step 4).

A transaction has its own stream. What it means for a profile is noted on the profile's account in
the same append, so that everything of one profile stands in one order.
"""

from datetime import datetime
from typing import Annotated, Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from schemas.amounts import Label, Quantity, SignedAmount, UnitPrice, WholeFromZero, WholeNumber
from schemas.commands import Command, Name, Text
from schemas.events import Event
from schemas.flags import Flag
from schemas.json_values import JsonObject
from schemas.profiles import NamesProfile, ProfileName
from schemas.times import Moment, ZoneName

ITEMS_MAX = 1_000
ENTRIES_MAX = 100


class Part(BaseModel):
    """A piece of a transaction. Unknown fields are refused, never silently dropped."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Discount(Part):
    """A price reduction the till has already applied to a line."""

    amount: UnitPrice
    reason_desc: Text | None = None


class PaymentFacts(Part):
    """How a part of the total was paid."""

    amount: SignedAmount
    type: Text | None = None
    name: Text | None = None


class Payment(PaymentFacts):
    """The same with what a till adds to it."""

    meta: JsonObject | None = None


class CurrencyValue(Part):
    """The rate a sale in another currency states for itself."""

    from_: Annotated[Text, Field(alias="from")]
    to: Text
    rate: UnitPrice


class ItemFacts(Part):
    """One line. Prices are per unit; `price_current` × `quantity` weighs the line's share."""

    name: Text
    quantity: Quantity
    price_current: UnitPrice
    price_sell: UnitPrice
    price_original: UnitPrice | None = None
    price_margin: UnitPrice | None = None
    price_tax: UnitPrice | None = None
    is_void: Flag = False
    external_id: Text | None = None
    sku: Text | None = None
    product_variant_id: Label | None = None
    product_variant: JsonObject | None = None
    variant_external_id: Text | None = None
    department: Text | None = None
    discounts: Annotated[tuple[Discount, ...], Field(max_length=ENTRIES_MAX)] = ()
    tags: Annotated[tuple[Text, ...], Field(max_length=ENTRIES_MAX)] = ()

    @property
    def is_return(self) -> bool:
        """Goods come back on this line."""
        return self.quantity < 0


class Item(ItemFacts):
    """The same with what a till adds to it."""

    meta: JsonObject | None = None


Texts = Annotated[tuple[Text, ...], Field(max_length=ENTRIES_MAX)]
Items = Annotated[tuple[Item, ...], Field(max_length=ITEMS_MAX)]
Payments = Annotated[tuple[Payment, ...], Field(max_length=ENTRIES_MAX)]
ItemsFacts = Annotated[tuple[ItemFacts, ...], Field(max_length=ITEMS_MAX)]
PaymentsFacts = Annotated[tuple[PaymentFacts, ...], Field(max_length=ENTRIES_MAX)]


class SaleDetails(BaseModel):
    """What a till may say of a sale and may leave out; null is nothing."""

    external_id: Name | None = None
    location_id: Label | None = None
    currency: Text | None = None
    currency_value: CurrencyValue | None = None
    total_original: SignedAmount | None = None
    rounding: SignedAmount | None = None
    tender: Text | None = None
    margin: UnitPrice | None = None
    staff_id: Label | None = None
    receipt_ref: Text | None = None
    linked_receipt_ref: Text | None = None
    return_redemption: Flag | None = None
    """Of a return of goods: what a redemption had paid for them comes back too."""
    receipt_is_email: Flag | None = None
    type: Text | None = None
    status: Text | None = None
    order_id: Label | None = None
    order_number: Label | None = None
    external_order_id: Text | None = None
    need_action: Flag | None = None
    organisation_id: Label | None = None
    fees: SignedAmount | None = None
    source_version: WholeFromZero | None = None
    """The sender's own version of the sale: an upsert with a lower one changes nothing."""


class SaleFacts(SaleDetails):
    """What command, event and answer of a sale have in common: all that is nobody's own."""

    items: ItemsFacts
    payments: PaymentsFacts = ()
    systems: Texts = ()
    tags: Texts = ()


SALE_FIELDS = tuple(SaleFacts.model_fields)


class PersonalDetails(BaseModel):
    """What may be personal in a sale, beside the `meta` of its lines and payments."""

    receipt_email: Text | None = None
    meta: JsonObject | None = None
    custom_fields: JsonObject | None = None


PERSONAL_OF_A_SALE = frozenset(
    {"receipt_email", "meta", "custom_fields", "items.*.meta", "payments.*.meta"}
)


class Sale(PersonalDetails, SaleFacts):
    """A sale with what is personal in it, as it is sent and shown; events have that sealed."""

    items: Items
    payments: Payments = ()


def facts_of(sale: Sale) -> dict[str, Any]:
    """The fields of a sale as an event has them."""
    fields = {name: getattr(sale, name) for name in SALE_FIELDS}
    return fields | {name: list_facts(name, fields[name]) for name in ("items", "payments")}


def list_facts(name: str, parts: tuple[Part, ...]) -> tuple[Part, ...]:
    """Lines or payments as an event has them; other lists are the same there."""
    known: dict[str, type[Part]] = {"items": ItemFacts, "payments": PaymentFacts}
    facts = known.get(name)
    return parts if facts is None else tuple(_as(facts, part) for part in parts)


def _as(facts: type[Part], part: Part) -> Part:
    """What of a checked part stands in its facts too."""
    known = {name: getattr(part, name) for name in facts.model_fields}
    return facts.model_construct(part.model_fields_set & known.keys(), **known)


class RecordTransaction(NamesProfile, Sale, Command):
    """A completed sale. Its redemption is named by id, or has announced the `external_id`.

    Born void (`is_void`), it gives back the redemption it names unless `keep_redemption`.
    """

    PERSONAL: ClassVar[frozenset[str]] = PERSONAL_OF_A_SALE

    total: SignedAmount
    transacted_at: Moment
    timezone: ZoneName
    profile_id: ProfileName | None = None
    redemption_id: WholeNumber | None = None
    is_void: Flag = False
    keep_redemption: Flag = False

    @model_validator(mode="after")
    def _sensible(self) -> Self:
        if self.keep_redemption and not self.is_void:
            raise ValueError("keep_redemption has a meaning only with is_void.")
        return self


class LinkRedemption(Command):
    """Attribute a redemption to a transaction that is already there; each by its id, or by the
    sender's own name for it."""

    transaction_id: WholeNumber | None = None
    transaction_external_id: Name | None = None
    redemption_id: WholeNumber | None = None
    redemption_external_id: Name | None = None

    @model_validator(mode="after")
    def _one_of_each(self) -> Self:
        for kind in ("transaction", "redemption"):
            names = (getattr(self, f"{kind}_id"), getattr(self, f"{kind}_external_id"))
            if names.count(None) != 1:
                raise ValueError(f"Give either {kind}_id or {kind}_external_id.")
        return self


class VoidTransaction(Command):
    """The sale did not happen. Its redemptions are given back unless `keep_redemption`."""

    transaction_id: WholeNumber
    keep_redemption: Flag = False


class TransactionRecorded(SaleFacts, Event):
    """A sale, whole as the till sent it. Decimals are text here, so every reader keeps them."""

    EXAMPLE: ClassVar[dict[str, Any]] = {
        "transaction_id": 900,
        "profile_id": "p-1",
        "total_minor": 1000,
        "transacted_at": "2026-02-09T13:00:00Z",
        "timezone": "Australia/Melbourne",
        "external_id": "91040123233311",
        "total_original": "9.99",
        "margin": "1",
        "items": [
            {
                "name": "Birthday Cake",
                "quantity": "1",
                "price_current": "9.99",
                "price_sell": "9.99",
                "product_variant_id": 1,
                "tags": ["birthday"],
            }
        ],
    }

    transaction_id: int
    profile_id: str | None = None
    total_minor: int
    transacted_at: datetime
    timezone: str


class RedemptionAttributed(Event):
    """A redemption is this transaction's. `shares_minor` spreads all of its redemptions over the
    lines, in their order; what no line can carry is `unallocated_minor`.

    `profile_id` is the transaction's from now on, if it had none.
    """

    EXAMPLE: ClassVar[dict[str, Any]] = {
        "transaction_id": 900,
        "redemption_id": 158,
        "profile_id": "p-1",
        "total_minor": 1000,
        "parts": [{"reward_id": 17, "amount_minor": 1000}],
        "shares_minor": [1000],
        "unallocated_minor": 0,
    }

    class RewardPart(Part):
        """What the redemption took from one reward."""

        reward_id: int
        amount_minor: int

    transaction_id: int
    redemption_id: int
    profile_id: str
    total_minor: int
    parts: tuple[RewardPart, ...]
    shares_minor: tuple[int, ...]
    unallocated_minor: int


class TransactionVoided(Event):
    """The sale did not happen; it stays in history."""

    EXAMPLE: ClassVar[dict[str, Any]] = {"transaction_id": 900, "keep_redemption": False}

    transaction_id: int
    keep_redemption: bool = False


class TransactionAttached(Event):
    """On the account: a transaction is this profile's."""

    EXAMPLE: ClassVar[dict[str, Any]] = {
        "transaction_id": 900,
        "external_id": "91040123233311",
        "total_minor": 1000,
        "transacted_at": "2026-02-09T13:00:00Z",
    }

    transaction_id: int
    external_id: str | None = None
    total_minor: int
    transacted_at: datetime


class TransactionLinked(Event):
    """On the account: this redemption paid for that transaction."""

    EXAMPLE: ClassVar[dict[str, Any]] = {"transaction_id": 900, "redemption_id": 158}

    transaction_id: int
    redemption_id: int


class TransactionUnlinked(Event):
    """On the account: the transaction was voided, so the redemption paid for nothing."""

    EXAMPLE: ClassVar[dict[str, Any]] = {"transaction_id": 900, "redemption_id": 158}

    transaction_id: int
    redemption_id: int


class AttachedTransactionVoided(Event):
    """On the account: a transaction of this profile's did not happen."""

    EXAMPLE: ClassVar[dict[str, Any]] = {"transaction_id": 900}

    transaction_id: int
