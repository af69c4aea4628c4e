"""Returns of goods: lines with negative quantities, taken off the sale their receipt names."""

from typing import Any, ClassVar

from schemas.amounts import Quantity
from schemas.events import Event
from schemas.transactions import Part


class ReturnedLine(Part):
    """So many of a sale's line came back on a line of the return; both lines count from 0."""

    line: int
    return_line: int
    quantity: Quantity
    given_back_minor: int = 0
    """What a redemption had paid for them, and came back with them."""


class GoodsReturned(Event):
    """On the sale: goods of it came back."""

    EXAMPLE: ClassVar[dict[str, Any]] = {
        "transaction_id": 900,
        "return_transaction_id": 901,
        "lines": [{"line": 0, "return_line": 0, "quantity": "1", "given_back_minor": 1000}],
    }

    transaction_id: int
    return_transaction_id: int
    lines: tuple[ReturnedLine, ...]


class GoodsReturnVoided(Event):
    """On the sale: that return did not happen; its goods may come back again."""

    EXAMPLE: ClassVar[dict[str, Any]] = {"transaction_id": 900, "return_transaction_id": 901}

    transaction_id: int
    return_transaction_id: int


class ReturnMatched(Event):
    """On the return: its sale is known. `excess`: more came back than the sale still had."""

    EXAMPLE: ClassVar[dict[str, Any]] = {
        "transaction_id": 901,
        "sale_transaction_id": 900,
        "profile_id": "p-1",
    }

    transaction_id: int
    sale_transaction_id: int
    profile_id: str | None = None
    """Whose it is from now on, if it was nobody's."""
    excess: bool = False


class AttachedGoodsReturned(Event):
    """On the account: goods of a transaction of this profile's came back."""

    EXAMPLE: ClassVar[dict[str, Any]] = {
        "transaction_id": 900,
        "return_transaction_id": 901,
        "given_back_minor": 1000,
    }

    transaction_id: int
    return_transaction_id: int
    given_back_minor: int = 0
    """What its redemptions had paid for them."""
