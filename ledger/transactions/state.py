"""The folded state of a transaction: what later decisions need of it."""

from dataclasses import dataclass, replace
from datetime import datetime

from ledger.transactions.shares import weights_of
from schemas.events import Event
from schemas.transactions import RedemptionAttributed, TransactionRecorded, TransactionVoided

TRANSACTION_PREFIX = "transaction-"


def transaction_stream(transaction_id: int) -> str:
    """The stream of a transaction, fixed for life."""
    return f"{TRANSACTION_PREFIX}{transaction_id}"


@dataclass(frozen=True, slots=True)
class Transaction:
    """A sale. `id` is None while its stream is empty."""

    id: int | None = None
    profile_id: str | None = None
    external_id: str | None = None
    total_minor: int = 0
    transacted_at: datetime | None = None
    weights: tuple[int, ...] = ()
    """What each line weighs when a redemption is spread over them."""
    redemptions: tuple[tuple[int, int], ...] = ()
    """(redemption, minor units) in the order they were attributed."""
    void: bool = False

    @property
    def attributed_minor(self) -> int:
        """What all its redemptions took."""
        return sum(amount for _, amount in self.redemptions)


def evolve_transaction(transaction: Transaction, event: Event) -> Transaction:
    """The transaction after one more event."""
    match event:
        case TransactionRecorded():
            return Transaction(
                id=event.transaction_id,
                profile_id=event.profile_id,
                external_id=event.external_id,
                total_minor=event.total_minor,
                transacted_at=event.transacted_at,
                weights=weights_of(event.items),
            )
        case RedemptionAttributed():
            return replace(
                transaction,
                profile_id=event.profile_id,
                redemptions=(*transaction.redemptions, (event.redemption_id, event.total_minor)),
            )
        case TransactionVoided():
            return replace(transaction, void=True)
    return transaction
